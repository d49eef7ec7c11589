import { scrub } from "../../engine/secret.ts";
import type { Failure, Output } from "../../term/output.ts";
import type { RepoName } from "./api.ts";
import { type CheckWant, type Conclusion, isFinal } from "./check-want.ts";
import { code, fitLines, plain, SUMMARY_MAX, tookText } from "./markdown.ts";

/** One build of a commit, as far as it is. */
export interface CheckedBuild {
  /** The Dockerfile, or the build's name. */
  readonly spec: string;
  readonly arch?: string;
  readonly output: Output<unknown>;
  readonly job?: { readonly id: string; readonly startedMs: number | null; readonly endedMs: number | null };
  /** The line of the log that tells best what went wrong. */
  readonly headline?: string;
}

export interface CheckedCommit {
  readonly repo: RepoName;
  readonly repository: number;
  readonly commit: string;
  /** Whether it may be built at all: waiting when a maintainer has to look at it first. */
  readonly allowed: Output<unknown>;
  readonly builds: readonly CheckedBuild[];
  /** Where Millrace is: `https://deploy.example`. */
  readonly site: string;
}

const TITLE_MAX = 200;

type BuildState = "passed" | "failed" | "cancelled" | "building" | "queued" | "held" | "tried again";

interface Row {
  readonly build: CheckedBuild;
  readonly state: BuildState;
  readonly failure?: Failure;
}

/**
 * From how far the builds of a commit are to what its check run is to say. Pure: the same states give the same text,
 * whenever they are looked at, so that nothing is sent twice.
 */
export function checkOf(commit: CheckedCommit): CheckWant {
  const { allowed } = commit;
  if (allowed.state !== "ok") return notBuilt(commit, allowed);
  const rows = commit.builds.map(rowOf);
  const state = stateOf(rows);
  const shown = rows.find((row) => row.state === "failed") ?? rows.find(isActive) ?? rows[0];
  const job = shown?.build.job?.id;
  return {
    ...about(commit),
    state,
    title: titleOf(state, rows),
    summary: summaryOf(commit, rows),
    details: job === undefined ? commit.site : jobUrl(commit.site, job),
    ...(job === undefined ? {} : { job }),
    ...timesOf(state, rows),
    rebuild: isFinal({ state }) && rows.some((row) => row.state === "failed" || row.state === "cancelled"),
  };
}

/** For a commit that nothing stands for any more: its check would be "in progress" for ever. */
export function abandonedCheck(want: CheckWant): CheckWant | undefined {
  if (isFinal(want)) return undefined;
  const title = "Not finished: nothing is at this commit any more";
  return { ...want, state: "cancelled", title, rebuild: false };
}

const about = ({ repo, repository, commit }: CheckedCommit) => ({ repo, repository, commit });

export const jobUrl = (site: string, job: string): string => `${site}/job/${job}`;

function notBuilt(commit: CheckedCommit, allowed: Exclude<Output<unknown>, { state: "ok" }>): CheckWant {
  const base = { ...about(commit), details: commit.site, rebuild: false };
  if (allowed.state === "failed") {
    const { failure } = allowed;
    const summary = code(scrub(failure.message), 2_000);
    if (failure.class === "transient") return { ...base, state: "queued", title: "Not begun yet", summary };
    return { ...base, state: "failure", title: "It cannot be built", summary };
  }
  if (allowed.phase !== "waiting") return { ...base, state: "queued", title: "Queued", summary: "" };
  const waits = { ...base, details: `${commit.site}/approvals`, summary: approval(commit.commit) };
  return { ...waits, state: "neutral", title: "Waiting for approval" };
}

const approval = (commit: string): string =>
  `A maintainer has to look at this exact commit before it is built: it comes from somebody who may not write to this ` +
  `repository. They approve it on the page behind "Details", or with the comment \`/approve ${commit}\`. A new push ` +
  `needs a new approval.`;

function rowOf(build: CheckedBuild): Row {
  const { output } = build;
  if (output.state === "ok") return { build, state: "passed" };
  if (output.state === "active")
    return { build, state: output.phase === "running" ? "building" : output.phase === "waiting" ? "held" : "queued" };
  const { failure } = output;
  if (failure.class === "transient") return { build, state: "tried again", failure };
  return { build, state: failure.code === "CANCELLED" ? "cancelled" : "failed", failure };
}

const isActive = ({ state }: Row): boolean => state !== "passed" && state !== "failed" && state !== "cancelled";

/** Completed only when every build has ended: what has failed by then is told in the title. */
function stateOf(rows: readonly Row[]): CheckWant["state"] {
  if (rows.some(isActive)) return rows.every(({ state }) => state === "queued") ? "queued" : "in_progress";
  if (rows.length === 0) return "neutral";
  if (rows.some(({ state }) => state === "failed")) return failureOf(rows);
  return rows.some(({ state }) => state === "cancelled") ? "cancelled" : "success";
}

function failureOf(rows: readonly Row[]): Conclusion {
  const failures = rows.filter(({ state }) => state === "failed");
  return failures.every(({ failure }) => failure?.code === "TIMED_OUT") ? "timed_out" : "failure";
}

function titleOf(state: CheckWant["state"], rows: readonly Row[]): string {
  const named = (of: BuildState): string =>
    rows
      .filter((row) => row.state === of)
      .map(({ build }) => nameOf(build))
      .join(", ");
  const ended = rows.filter((row) => !isActive(row)).length;
  const failed = named("failed");
  if (state === "queued") return "Queued";
  if (state === "success") return rows.length === 1 ? "Passed" : `Passed: ${rows.length} builds`;
  if (state === "neutral") return "There is nothing to build";
  if (state === "in_progress")
    return cut(`${ended} of ${rows.length} done${failed === "" ? "" : `, failed: ${failed}`}`);
  return cut(failed === "" ? `Cancelled: ${named("cancelled")}` : `Failed: ${rows.flatMap(reasonOf).join(", ")}`);
}

/** What has failed, with the line that tells why: for many people the title is all that they see. */
function reasonOf({ build, state }: Row): readonly string[] {
  if (state !== "failed") return [];
  const { headline = "" } = build;
  return [headline === "" ? nameOf(build) : `${nameOf(build)}: ${scrub(headline)}`];
}

const nameOf = ({ spec, arch }: CheckedBuild): string => (arch === undefined ? spec : `${spec} (${arch})`);
const cut = (text: string): string => plain(text, TITLE_MAX);

/** Dockerfile × architecture: state, duration, job, and what went wrong. */
function summaryOf({ site }: CheckedCommit, rows: readonly Row[]): string {
  const archs = rows.some(({ build }) => build.arch !== undefined);
  const head = ["Dockerfile", ...(archs ? ["Architecture"] : []), "State", "Took", "Log", "What went wrong"];
  const cells = rows.map(({ build, state, failure }) => [
    code(build.spec),
    ...(archs ? [code(build.arch ?? "")] : []),
    state,
    tookOf(build),
    build.job === undefined ? "" : `[log](${jobUrl(site, build.job.id)})`,
    failure === undefined ? "" : code(scrub(build.headline ?? failure.message)),
  ]);
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const table = [line(head), line(head.map(() => "---")), ...cells.map(line)];
  return fitLines(table, SUMMARY_MAX, (left) => `\n… and ${left} more: see [the page](${site}).`);
}

function tookOf({ job }: CheckedBuild): string {
  if (job === undefined || job.startedMs === null || job.endedMs === null) return "";
  return tookText(job.endedMs - job.startedMs);
}

function timesOf(state: CheckWant["state"], rows: readonly Row[]): Pick<CheckWant, "startedAt" | "completedAt"> {
  const jobs = rows.flatMap(({ build }) => build.job ?? []);
  const begun = jobs.flatMap(({ startedMs }) => startedMs ?? []);
  const ended = jobs.flatMap(({ endedMs }) => endedMs ?? []);
  return {
    ...(begun.length === 0 || state === "queued" ? {} : { startedAt: seconds(Math.min(...begun)) }),
    ...(ended.length === 0 || !isFinal({ state }) ? {} : { completedAt: seconds(Math.max(...ended)) }),
  };
}

const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
