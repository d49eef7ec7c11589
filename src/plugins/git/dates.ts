import { rm } from "node:fs/promises";
import { problem } from "../../engine/errors.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { withAuth } from "./auth.ts";
import { makeDirectory } from "./checkout.ts";
import { type GitContext, git, isOfMachine } from "./command.ts";
import { type GitSource, isCommit, type Located, locate, masked } from "./source.ts";

/** What one command line takes, with room to spare. */
const AT_ONCE = 1_000;
const TIMEOUT_MS = 120_000;

type Dates = ReadonlyMap<string, number | undefined>;

/**
 * When commits were committed, milliseconds since 1970 by the committers' own clocks, undefined for one that does not
 * say: thousands in a few requests, with nothing of their files and of what lies behind them, and nothing is kept.
 *
 * When not all can be read, those that were are told: whoever asks for the others is then told why.
 * Fails with `REPO_UNREACHABLE` (also when one of them is not there any more), `REPO_REFUSED`, `STORE_FULL`, `NO_PROCESS`
 * or `CANCELLED`, and as the source's `auth` does.
 */
export async function readDates(
  context: GitContext,
  source: GitSource,
  commits: readonly string[],
  signal: AbortSignal,
): Promise<Result<Dates>> {
  const located = locate(source);
  if (!located.ok) return located;
  const made = await makeDirectory(context.state);
  if (!made.ok) return made;
  const from = { context, source, located: located.value, gitDir: made.value, signal };
  try {
    return await readInto(from, commits.filter(isCommit));
  } finally {
    await rm(made.value, { recursive: true, force: true }).catch(() => {}); // swept at the next start
  }
}

interface From {
  readonly context: GitContext;
  readonly source: GitSource;
  readonly located: Located;
  /** An empty directory. */
  readonly gitDir: string;
  readonly signal: AbortSignal;
}

async function readInto(from: From, commits: readonly string[]): Promise<Result<Dates>> {
  const { context, gitDir, signal } = from;
  const format = commits[0]?.length === 64 ? "sha256" : "sha1";
  const args = ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, gitDir] as const;
  const made = await git(context, { args, signal });
  if (!made.ok) return made;
  const dates = new Map<string, number | undefined>();
  for (let at = 0; at < commits.length; at += AT_ONCE) {
    const some = commits.slice(at, at + AT_ONCE);
    const read = await readSome(from, some);
    if (!read.ok && (at === 0 || signal.aborted)) return read;
    if (!read.ok) break;
    for (const commit of some) dates.set(commit, read.value.get(commit));
  }
  return success(dates);
}

async function readSome(from: From, commits: readonly string[]): Promise<Result<ReadonlyMap<string, number>>> {
  const { context, source, gitDir, signal } = from;
  const fetched = await fetchBare(from, commits);
  if (!fetched.ok) return failure(notRead(source, fetched.error));
  const list = ["log", "--no-walk=unsorted", "--no-show-signature", "--format=%H %ct", ...commits] as const;
  const read = await git(context, { gitDir, args: [...list], signal });
  if (!read.ok) return read;
  return success(new Map(read.value.toString("utf8").trimEnd().split("\n").flatMap(dateOf)));
}

/** Just the commits. A fault of one of them is no reason not to read the others: nothing is done with them but this. */
const fetchBare = ({ context, source, located, gitDir, signal }: From, commits: readonly string[]) =>
  withAuth(source, signal, (env) =>
    git(context, {
      gitDir,
      args: ["fetch", ...BARE, "--", located.url, ...commits],
      settings: ["fetch.fsckObjects=false"],
      protocols: [located.protocol],
      env,
      signal,
      timeoutMs: TIMEOUT_MS,
    }),
  );

function notRead({ url, auth }: GitSource, error: Failure): Failure {
  if (error.code === "CANCELLED" || isOfMachine(error) || (auth !== undefined && error.code.startsWith("FORGE_")))
    return error;
  return problem("REPO_UNREACHABLE", `cannot read how old the branches of ${masked(url)} are: ${error.message}`);
}

const BARE = [
  "--quiet",
  "--depth=1",
  "--filter=tree:0",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
] as const;

function dateOf(line: string): readonly (readonly [string, number])[] {
  const [commit = "", seconds = ""] = line.split(" ");
  const ms = Number(seconds) * 1000;
  return isCommit(commit) && seconds !== "" && Number.isSafeInteger(ms) ? [[commit, ms]] : [];
}
