import type { Waiting } from "../../engine/approvals.ts";
import type { ChangedFile, Proposal } from "../../engine/changes.ts";
import { problem } from "../../engine/errors.ts";
import type { Approvable, View } from "../../engine/view.ts";
import { type Failure, success } from "../../term/output.ts";
import { diffHtml } from "../diff-html.ts";
import { Refused } from "../problems.ts";
import { count, type Html } from "../text.ts";
import { render } from "../views.ts";
import { type Moment, moment, type Page, type Visit } from "./page.ts";

export interface ApprovalData {
  readonly one: Waiting & { readonly since: Moment; readonly href: string | undefined };
  /** Why it cannot be told what changes. */
  readonly failure: Failure | undefined;
  readonly deciding: readonly FileData[];
  readonly others: readonly FileData[];
  readonly headline: string;
  /** Why somebody who has read this page has not seen everything that decides the build; blank: they have. */
  readonly unseen: string;
  readonly csrf: string;
}

interface FileData {
  readonly path: string;
  /** `changed`, `moved from x`. */
  readonly how: string;
  readonly counts: string;
  readonly diff: Html | undefined;
  /** What is not shown of it, and why. */
  readonly note: string;
}

/** What a stranger's commit changes, and below it the button that lets it be built. */
export const approvalPage: Page = {
  method: "GET",
  path: "/approvals/:repository/:pull/:commit",
  role: "admin",
  title: "Approve",
  handler: async ({ view, clock }, visit) => {
    const one = waitingIn(view, visit.params);
    // The script asks again and again for what moves; a comparison is none of that.
    const found = visit.live
      ? success<Proposal>({ since: "", whole: true, deciding: [], others: [] })
      : await view.proposal(one);
    const proposal = found.ok ? found.value : undefined;
    const deciding = (proposal?.deciding ?? []).map(fileData);
    const data: ApprovalData = {
      one: { ...one, since: moment(one.sinceMs, clock.now()), href: hrefOf(one) },
      failure: found.ok ? undefined : found.error,
      deciding,
      others: (proposal?.others ?? []).map(fileData),
      headline: headlineOf(deciding),
      unseen: unseenOf(proposal, deciding),
      csrf: visit.visitor.session?.csrf ?? "",
    };
    return { kind: "page", title: `${one.name}#${one.pull}`, body: render("approval", data) };
  },
};

/** Only an address of the web is one to follow. */
export const hrefOf = ({ url }: Waiting): string | undefined =>
  url !== undefined && /^https?:\/\//.test(url) ? url : undefined;

/** The commit that an address or a form names; nothing when it names none. */
export function approvableIn(field: (name: string) => string): Approvable | undefined {
  const [repository, pull, commit] = [field("repository"), field("pull"), field("commit")];
  const names = /^\d{1,15}$/.test(repository) && /^\d{1,9}$/.test(pull) && /^[0-9a-f]{40,64}$/.test(commit);
  return names ? { repository: Number(repository), pull: Number(pull), commit } : undefined;
}

function waitingIn(view: View, params: Visit["params"]): Waiting {
  const which = approvableIn((name) => params[name] ?? "");
  const one = view.approvals().find(({ repository, pull }) => repository === which?.repository && pull === which.pull);
  if (which === undefined || one === undefined)
    throw new Refused(404, problem("NOT_FOUND", "nothing waits for approval at this address"));
  if (one.commit === which.commit) return one;
  const message = `#${one.pull} of ${one.name} is at ${one.commit.slice(0, 10)} now`;
  throw new Refused(409, problem("NOT_POSSIBLE", message, { hint: "Go to Approvals, and look at the newest commit." }));
}

function fileData(file: ChangedFile): FileData {
  const { path, before, status, added, removed, patch } = file;
  return {
    path,
    how: before === undefined ? status : `${status} from ${before}`,
    counts: added + removed === 0 ? "" : `+${added} −${removed}`,
    diff: patch === undefined || patch === "" ? undefined : diffHtml(patch),
    note: noteOf(file),
  };
}

function noteOf({ patch, cut, status }: ChangedFile): string {
  if (cut === true)
    return patch === undefined || patch === ""
      ? "Too long to be shown here."
      : "It goes on: too long to be shown here.";
  if (patch !== undefined) return "";
  const perhaps = status === "moved" ? "only its path changed, or it is" : "it is";
  return `The forge shows nothing of it: ${perhaps} binary, too large, empty, or has another mode.`;
}

function headlineOf(deciding: readonly FileData[]): string {
  if (deciding.length === 0)
    return "No Dockerfile, ignore file, workflow or pipeline.ts is among the files that changed.";
  return `${count(deciding.length, "changed file")} that ${deciding.length === 1 ? "decides" : "decide"} what the build does.`;
}

function unseenOf(proposal: Proposal | undefined, deciding: readonly FileData[]): string {
  if (proposal === undefined) return "What it changes is not known here.";
  const hidden = deciding.filter(({ note }) => note !== "");
  const more = proposal.whole ? "" : "There are more files than the forge lists: one of them may decide the build. ";
  const parts =
    hidden.length === 0
      ? ""
      : `Not all is shown of ${hidden
          .map(({ path }) => path)
          .join(", ")
          .slice(0, 300)}.`;
  return `${more}${parts}`.trim();
}
