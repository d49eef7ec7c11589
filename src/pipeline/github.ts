import type { Hint } from "../engine/inbound.ts";
import { monitor } from "../engine/monitor.ts";
import { paced } from "../engine/paced.ts";
import type { PullRef, Refs } from "../engine/refs.ts";
import { refsCodec } from "../engine/refs-codec.ts";
import type { GitSource } from "../plugins/git/index.ts";
import { type GitHub, PUBLIC_WEB } from "../plugins/github/index.ts";
import { map } from "../term/combinators.ts";
import { type Result, success } from "../term/output.ts";
import type { Box } from "../term/term.ts";
import type { RepoName } from "./types.ts";
import {
  describeMove,
  EVERY_MS,
  type Heads,
  movedBetween,
  type Watched,
  type WatchOptions,
  type WatchPorts,
  watchGit,
} from "./watched.ts";

/** However many deliveries come for a repository, it is read at most this often because of them. */
const HINTS_MS = 2_000;
/** Anybody may install a public app, and take it away again: that is about every repository. */
const INSTALLATIONS_MS = EVERY_MS;

/**
 * A repository on GitHub. With the app: its branches and open pull requests, read when a webhook says that something
 * moved, and every 60 seconds. Without: its branches as anybody sees them, by git, which no limit of the API counts.
 */
export function watchGitHub(ports: WatchPorts, repo: RepoName, box: Box, options: WatchOptions = {}): Watched {
  const { github, web = PUBLIC_WEB } = ports.forge ?? {};
  return github === undefined
    ? watchGit(ports, { url: `${web}/${repo}.git` }, box)
    : watchByApp(ports, github, repo, box, options);
}

function watchByApp(
  ports: WatchPorts,
  github: GitHub,
  repo: RepoName,
  box: Box,
  { dates = false }: WatchOptions,
): Watched {
  const source: GitSource = {
    url: github.gitUrl(repo),
    auth: (signal) => github.gitAuth(repo, signal),
    refused: (token, how) => github.gitRefused(token, how),
  };
  const readDates = dates ? ports.heads.dates : undefined;
  const key = `refs github ${repo.toLowerCase()}`;
  const stored = ports.engine.heads.get(key);
  let known = stored === undefined ? undefined : refsCodec.decode(stored.value);
  const { term, monitor: reading } = monitor<Refs>(ports.engine, box, {
    key,
    read: async (signal) => {
      const wanted = readDates && {
        dates: {
          known: datesOf(known),
          read: (commits: readonly string[], until: AbortSignal) => readDates(source, commits, until),
        },
      };
      const before = known === undefined ? {} : { id: known.id, pulls: known.pulls };
      const read = await github.refs(repo, { ...wanted, ...before }, signal);
      if (read.ok) known = read.value;
      return read;
    },
    watch: (stale) => hinted(ports, (hint) => isAbout(hint, repo, known?.id), stale),
    everyMs: EVERY_MS,
    value: refsCodec,
    equal: sameRefs,
    outdated: (refs) => refs.outdated,
    describe: (before, after) =>
      describeMove(before && commitsOf(before), commitsOf(after), "branches and pull requests"),
    changed: (before, after, kind) => {
      if (kind === "poll" && hasMoved(before, after)) ports.forge?.hints?.unannounced();
    },
  });
  const accept = (): Promise<Result<unknown>> => {
    known = undefined;
    return reading.refresh();
  };
  const reread = async (): Promise<Result<Refs>> => {
    const read = await reading.refresh();
    return read.ok && known !== undefined ? success(known) : read;
  };
  return { source, heads: map(term, headsOf), refs: term, reread, monitor: reading, accept };
}

/** Calls `stale` for webhooks that are about it; returns how to stop. */
function hinted(
  { engine, forge }: WatchPorts,
  isMeant: (hint: Hint) => boolean,
  stale: (detail: string, kind: string) => void,
): () => void {
  const tell = (): void => stale("a webhook came", "webhook");
  const calls = paced(tell, HINTS_MS, engine.clock);
  const rare = paced(tell, INSTALLATIONS_MS, engine.clock);
  const subscription = forge?.hints?.changes.subscribe((hint) => {
    if (isMeant(hint)) (hint.kind === "installations" ? rare : calls).call();
  });
  return () => {
    subscription?.unsubscribe();
    calls.stop();
    rare.stop();
  };
}

const datesOf = (refs: Refs | undefined): ReadonlyMap<string, number> =>
  new Map(
    [...(refs?.branches.values() ?? [])].flatMap(({ commit, committedMs }): [string, number][] =>
      committedMs === undefined ? [] : [[commit, committedMs]],
    ),
  );

/** A repository that was renamed is known by its number; one that was never read, by its name. */
function isAbout(hint: Hint, repo: RepoName, id: number | undefined): boolean {
  if (hint.kind === "installations") return true;
  return hint.kind === "refs" && (hint.repository === id || hint.name.toLowerCase() === repo.toLowerCase());
}

const headsOf = ({ branches }: Refs): Heads => new Map([...branches].map(([name, { commit }]) => [name, commit]));

/** No branch is called like a pull request here: its name may be `#7`, but has no spaces. */
const commitsOf = (refs: Refs): Heads =>
  new Map([
    ...headsOf(refs),
    ...[...refs.pulls.values()].map(({ number, commit }) => [`pull request #${number}`, commit] as const),
  ]);

/** Whether a forge would have told: not when another repository takes the name. */
const hasMoved = (before: Refs, after: Refs): boolean =>
  before.id === after.id && movedBetween(commitsOf(before), commitsOf(after)).length > 0;

function sameRefs(before: Refs, after: Refs): boolean {
  if (before.id !== after.id || before.name !== after.name || before.defaultBranch !== after.defaultBranch)
    return false;
  if (movedBetween(commitsOf(before), commitsOf(after)).length > 0) return false;
  for (const [name, { committedMs }] of after.branches)
    if (before.branches.get(name)?.committedMs !== committedMs) return false;
  return [...after.pulls.values()].every((pull) => samePull(before.pulls.get(pull.number), pull));
}

const samePull = (before: PullRef | undefined, after: PullRef): boolean =>
  before?.base === after.base &&
  before.branch === after.branch &&
  before.author.id === after.author.id &&
  before.author.login === after.author.login &&
  forkOf(before) === forkOf(after);

const forkOf = ({ fork }: PullRef): string => (typeof fork === "object" ? `${fork.id} ${fork.name}` : String(fork));
