import type { DeployReport } from "../../engine/deploy-report.ts";
import type { Sender } from "../../engine/effects/sender.ts";
import type { Codec, Json } from "../../engine/json.ts";
import { scrub } from "../../engine/secret.ts";
import { type Result, success } from "../../term/output.ts";

/**
 * How a deploy has ended: what a message is about. Facts only, no wording: another version of Millrace that says the
 * same in other words must not say it again.
 */
export interface Ending {
  readonly term: string;
  readonly repo: string;
  readonly branch: string;
  readonly commit: string;
  readonly place: string;
  readonly state: "ok" | "failed";
  /** What runs there now. */
  readonly running?: string;
  /** It ran there already: worth a message only after a failure. */
  readonly quiet: boolean;
  readonly code?: string;
  readonly why?: string;
  readonly job?: string;
  readonly url?: string;
}

/** An ending in words, and where to look. */
export interface Message extends Ending {
  readonly recovered: boolean;
  /** One line without markup. */
  readonly text: string;
  /** The job's page, or Millrace itself. */
  readonly link: string;
  /** The same for each try to send this message. */
  readonly id: string;
}

/** What an ending is known by in the outbox: one message a deploy, the newest of a place counts. */
export const endingKey = ({ term }: Pick<Ending, "term">): string => term;

/** The ending that a report tells of; undefined while it goes on. */
export function endingOf(report: DeployReport): Ending | undefined {
  const { term, repo, branch, commit, place, state, running, rolledOut, failure, job, url } = report;
  if (state === "queued" || state === "in_progress") return undefined;
  return {
    term,
    repo,
    branch,
    commit,
    place,
    state: state === "success" ? "ok" : "failed",
    quiet: state === "success" && !rolledOut,
    ...(running === undefined ? {} : { running }),
    ...(failure === undefined ? {} : { code: failure.code, why: scrub(failure.message) }),
    ...(job === undefined ? {} : { job }),
    ...(url === undefined ? {} : { url }),
  };
}

/** Whether a message got through; a failure says who got it nevertheless, in words of the way's own. */
export type Posted = Result<void> & { readonly reached?: readonly string[] };

export interface MessageOptions {
  /** Permanent: `slack`, `webhook`, `mail`. */
  readonly kind: string;
  /** Where Millrace is, without a slash at the end. */
  readonly site: string;
  /** @param reached Who got this very message already, as an earlier failure said. */
  readonly post: (message: Message, signal: AbortSignal, reached: readonly string[]) => Promise<Posted>;
}

/** Sends one message a deploy: when something else runs there than at the last one, on a failure, and when it is over. */
export const messageSender = ({ kind, site, post }: MessageOptions): Sender<Ending> => ({
  kind: `message-${kind}`,
  want: endingCodec,
  overwrites: false,
  async send(ending, confirmed, signal) {
    const { last, reached } = saidBefore(confirmed, idOf(ending));
    const recovered = ending.state === "ok" && last["state"] === "failed";
    const news = ending.state === "failed" || recovered || (!ending.quiet && last["running"] !== ending.running);
    const kept: Json = { state: ending.state, running: ending.running ?? textIn(last, "running") ?? "" };
    if (!news) return success(kept);
    const told = await post(messageOf(ending, recovered, site), signal, reached);
    if (told.ok) return success(kept);
    if (told.reached === undefined) return told;
    return { ...told, kept: { ...kept, part: { ...last, id: idOf(ending), reached: told.reached } } };
  },
});

/** What was said before a message; when some of its readers have it, before they got it. */
function saidBefore(confirmed: Json | undefined, id: string) {
  const { part = null, ...whole } = recordOf(confirmed);
  const { id: of, reached = null, ...before } = recordOf(part);
  if (of !== id || !Array.isArray(reached)) return { last: whole, reached: [] };
  return { last: before, reached: reached.filter((one): one is string => typeof one === "string") };
}

/** The same for each try, by each process. */
const idOf = ({ term, commit, state, job }: Ending): string => [term, commit, state, job ?? ""].join(" ");

function messageOf(ending: Ending, recovered: boolean, site: string): Message {
  const { repo, branch, commit, place, state, why, job } = ending;
  const what = `${repo} ${branch} (${commit.slice(0, 8)})`;
  const text =
    state === "failed"
      ? `${place}: the deploy of ${what} failed: ${why ?? "no reason is known"}`
      : `${place}: ${what} is deployed${recovered ? "; it works again" : ""}`;
  const link = job === undefined ? site : `${site}/job/${job}`;
  return { ...ending, recovered, text, link, id: idOf(ending) };
}

const recordOf = (json: Json | undefined): Readonly<Record<string, Json>> => (isRecord(json) ? json : {});
const isRecord = (json: Json | undefined): json is { readonly [name: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

function textIn(fields: Readonly<Record<string, Json>>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

const optional = ["running", "code", "why", "job", "url"] as const;

const endingCodec: Codec<Ending> = {
  encode: (ending) => ({ ...ending }),
  decode: (json) => {
    const fields = recordOf(json);
    const [term, repo, branch] = ["term", "repo", "branch"].map((name) => textIn(fields, name));
    const [commit, place, state] = ["commit", "place", "state"].map((name) => textIn(fields, name));
    if (term === undefined || repo === undefined || branch === undefined || place === undefined) return undefined;
    if (commit === undefined || (state !== "ok" && state !== "failed")) return undefined;
    const more: { [name in (typeof optional)[number]]?: string } = {};
    for (const name of optional) {
      const value = textIn(fields, name);
      if (value !== undefined) more[name] = value;
    }
    return { term, repo, branch, commit, place, state, quiet: fields["quiet"] === true, ...more };
  },
};
