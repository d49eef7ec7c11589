import type { UnsentView } from "../../engine/forge-view.ts";
import { levels, type Threshold } from "../../engine/level.ts";
import type { GraphNode, ServiceView, Stats, View } from "../../engine/view.ts";
import { type Look, type Mark, markOfNode, markOfState, overall } from "../looks.ts";
import { brief, count, duration, type Html } from "../text.ts";
import { render } from "../views.ts";
import { type Moment, moment, momentOf, type Page, PICTURE } from "./page.ts";
import { whereOf } from "./where.ts";

const PROBLEMS_MAX = 50;
/** What waits for so long without anything in its way is worth a line. */
const SOON_MS = 60_000;

export interface HomeData {
  readonly headline: string;
  readonly look: Look;
  readonly counts: readonly { readonly look: Look; readonly count: number; readonly word: string }[];
  readonly services: readonly ServiceRow[];
  readonly problems: readonly Problem[];
  readonly moreProblems: number;
  readonly empty: boolean;
  readonly live: boolean;
  readonly graph: Html | undefined;
  readonly forgeTitle: string;
  readonly forge: readonly ForgeLine[];
  readonly confirm: ConfirmData;
}

interface ForgeLine {
  readonly what: string;
  readonly text: string;
  /** Blank for a moment that never was. */
  readonly at: Moment | undefined;
}

interface ServiceRow {
  readonly term: string;
  readonly name: string;
  readonly url: string | undefined;
  readonly place: string;
  readonly source: string;
  readonly mark: Mark;
  readonly running: Version;
  readonly wanted: Version;
  readonly since: Moment | undefined;
  readonly job: string | undefined;
  readonly detail: string;
  readonly adoptable: boolean;
}

/** Shortened for people; whole on hover. Blank when there is none. */
interface Version {
  readonly text: string;
  readonly whole: string;
}

interface Problem {
  readonly mark: Mark;
  readonly label: string;
  /** The repository, and the branch or pull request. */
  readonly where: string;
  readonly key: string;
  readonly message: string;
  readonly hint: string;
  readonly code: string;
  readonly at: string;
  readonly job: string | undefined;
  readonly again: string;
}

interface ConfirmData {
  readonly threshold: Threshold;
  readonly sentence: string;
  readonly setBy: string;
  readonly release: string;
  readonly choices: readonly { readonly value: string; readonly chosen: boolean }[];
  readonly csrf: string;
}

export const homePage: Page = {
  method: "GET",
  path: "/",
  role: "viewer",
  title: "Overview",
  menu: true,
  handler: async ({ view, clock, drawings }, { visitor, live }) => {
    const empty = (await view.graphSoon()).nodes.length === 0;
    const picture = live || empty ? undefined : await drawings.soon();
    // Nothing is waited for from here on: all that is told is of one step.
    const { nodes } = view.graph();
    const now = clock.now();
    const stats = view.stats();
    const problems = nodes.filter((node) => node.state === "failed" || node.staleSinceMs !== undefined);
    const body = render("home", {
      headline: headline(view, problems.length),
      look: overall(stats, nodes),
      counts: countsOf(stats),
      services: view.services().map((service) => serviceRow(service, now)),
      problems: problems.slice(0, PROBLEMS_MAX).map((node) => problemOf(node, now)),
      moreProblems: Math.max(0, problems.length - PROBLEMS_MAX),
      empty: nodes.length === 0,
      live,
      graph: picture === undefined ? undefined : PICTURE,
      forgeTitle: view.forge()?.name ?? "Messages",
      forge: forgeLines(view, now),
      confirm: confirmData(view, now, visitor.role === "admin" ? (visitor.session?.csrf ?? "") : ""),
    });
    return { kind: "page", body, ...(picture === undefined ? {} : { picture }) };
  },
};

function headline(view: View, problems: number): string {
  const services = view.services();
  const moving = services.filter((service) => ["ready", "waiting", "running"].includes(service.state)).length;
  const live = services.filter((service) => service.state === "ok").length;
  const parts = [];
  if (problems > 0) parts.push(`${count(problems, "problem")} to look at`);
  if (moving > 0) parts.push(`${count(moving, "service")} on the move`);
  if (parts.length > 0) return parts.join(", ");
  if (services.length === 0) return "Nothing to deploy yet";
  return live === services.length ? "Everything is live and up to date" : `${live} of ${services.length} services live`;
}

function countsOf(stats: Stats): HomeData["counts"] {
  const order = ["failed", "running", "waiting", "ready", "blocked", "ok"] as const;
  return order.filter((state) => stats[state] > 0).map((state) => ({ look: state, count: stats[state], word: state }));
}

function serviceRow(service: ServiceView, now: number): ServiceRow {
  return {
    term: service.term,
    name: service.name,
    url: service.url !== undefined && /^https?:\/\//.test(service.url) ? service.url : undefined,
    place: `${service.kind} on ${service.host}`,
    source: service.source,
    mark: markOfState(service.state),
    running: version(service.running),
    wanted: version(service.wanted === service.running ? undefined : service.wanted),
    since: momentOf(service.sinceMs, now),
    job: service.job === undefined ? undefined : `/job/${service.job}`,
    detail: brief(service.detail),
    adoptable: service.adoptable,
  };
}

function forgeLines(view: View, now: number): readonly ForgeLine[] {
  const { rates, deliveries, unsent } = view.forge() ?? { rates: [] };
  const allowed = rates.map(({ account, remaining, limit, resetMs }) => ({
    what: account,
    text: `${remaining} of ${limit} requests left${resetMs > now ? "; all of them again" : ""}`,
    at: resetMs > now ? moment(resetMs, now) : undefined,
  }));
  const told = unsent === undefined ? [] : unsentLines(unsent);
  if (deliveries === undefined) return [...allowed, ...told];
  const { lastMs, open } = deliveries;
  const text = lastMs === undefined ? "none has come in yet" : "the last one came in";
  const waiting = open === 0 ? "" : `; ${open} not acted on yet`;
  return [...allowed, { what: "Webhooks", text: text + waiting, at: momentOf(lastMs, now) }, ...told];
}

/** Nothing is said of what is on its way as it should be. */
function unsentLines({ count: of, waitsMs, why }: UnsentView): readonly ForgeLine[] {
  if (why === undefined && waitsMs < SOON_MS) return [];
  const waits = of === 1 ? "waits to be sent, since" : "wait to be sent, the oldest since";
  const text = `${count(of, "message")} ${waits} ${duration(waitsMs)}${why === undefined ? "" : `: ${brief(why)}`}`;
  return [{ what: "Outbox", text, at: undefined }];
}

const version = (whole = ""): Version => ({ text: brief(whole), whole });

function problemOf(node: GraphNode, now: number): Problem {
  const { failure } = node;
  const again = failure?.retryAtMs === undefined ? "" : againIn(failure.retryAtMs - now);
  return {
    mark: markOfNode(node),
    label: node.label.replaceAll("\n", " "),
    where: whereOf(node.key),
    key: node.key,
    message: failure?.message ?? node.detail,
    hint: failure?.hint ?? "",
    code: failure?.code ?? "",
    at: node.at ?? "",
    job: node.job === undefined ? undefined : `/job/${node.job}`,
    again,
  };
}

const againIn = (ms: number): string => (ms < 1_000 ? "trying again now" : `tried again in ${duration(ms)}`);

function confirmData(view: View, now: number, csrf: string): ConfirmData {
  const { threshold, setBy, autoReleaseAtMs } = view.threshold();
  return {
    threshold,
    sentence:
      threshold === "none"
        ? "Nothing waits for a person."
        : `Jobs that are ${threshold.replace("-", " ")} or worse wait for a person.`,
    setBy,
    release: autoReleaseAtMs === undefined ? "" : `released in ${duration(autoReleaseAtMs - now)}`,
    choices: [...levels, "none"].map((value) => ({ value, chosen: value === threshold })),
    csrf,
  };
}
