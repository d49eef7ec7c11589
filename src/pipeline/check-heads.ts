import type { Person, PullRef, Refs } from "../engine/refs.ts";
import { collect } from "../term/each.ts";
import type { Term } from "../term/term.ts";
import { keys } from "./keys.ts";
import { branchRule } from "./names.ts";

/** A commit that is to be checked, and the branch or pull request that stands for it. */
export interface CheckHead {
  /** Names it within its repository, in keys: `branch:main`, `pr:7`. */
  readonly name: string;
  /** All that are at the commit, as people call them, this one first: `main`, `topic, #7`. */
  readonly label: string;
  readonly commit: string;
  /** The repository's number at its forge. */
  readonly repository: number;
  /** It is left out when it is old: neither deployed, nor the default branch, nor proposed by anybody. */
  readonly ages: boolean;
  /** Who proposes it; undefined for what somebody pushed to the repository itself. */
  readonly from?: Proposed;
}

/** Where a commit comes from that is not the repository's own. */
export interface Proposed {
  readonly pull: number;
  readonly author: Person;
  readonly fork: PullRef["fork"];
  /** The branch that it is for. */
  readonly base: string;
}

export interface HeadOptions {
  /** Branches that are deployed: they stand for their commits before others, and are never too old. */
  readonly mapped: ReadonlySet<string>;
  /** Whether a branch is too old, where the forge tells the age. Default: none is. */
  readonly isOld?: (committedMs: number) => boolean;
}

/** A commit may be that of any number of branches. */
const NAMES_MAX = 5;
/** What is served from there is made elsewhere: nobody deploys it. */
const NEVER = new Set(["gh-pages"]);

/**
 * The commits to check, one entry each: several branches and pull requests may be at one commit, which has one check.
 * A branch of the repository stands for it before a pull request does, since whoever pushed it may write there.
 */
export function headsToCheck(refs: Refs, { mapped, isOld = () => false }: HeadOptions): readonly CheckHead[] {
  const found = new Map<string, CheckHead[]>();
  const add = (head: CheckHead): void => {
    const known = found.get(head.commit);
    if (known === undefined) found.set(head.commit, [head]);
    else known.push(head);
  };
  const rank = (name: string): number => (mapped.has(name) ? 0 : name === refs.defaultBranch ? 1 : 2);
  for (const name of branchesOf(refs, rank)) {
    const { commit, committedMs } = refs.branches.get(name) ?? {};
    const ages = rank(name) === 2;
    const old = ages && committedMs !== undefined && isOld(committedMs);
    if (commit !== undefined && !old) add({ ...named(keys.ofBranch(name), name), commit, repository: refs.id, ages });
  }
  for (const pull of pullsOf(refs)) add(pullHead(refs.id, pull));
  return [...found.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : { ...first, label: labelOf([first, ...others]) },
  );
}

function labelOf(heads: readonly CheckHead[]): string {
  const more = heads.length > NAMES_MAX ? [`${heads.length - NAMES_MAX} more`] : [];
  return [...heads.slice(0, NAMES_MAX).map(({ label }) => label), ...more].join(", ");
}

/** By rank, then by name. A name that git itself would refuse is of no use, and must not harm the others. */
const branchesOf = ({ branches }: Refs, rank: (name: string) => number): readonly string[] =>
  [...branches.keys()]
    .filter((name) => branchRule(name) === undefined && !NEVER.has(name))
    .toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

/** Those of the repository's own branches first, then by number. */
const pullsOf = (refs: Refs): readonly PullRef[] =>
  [...refs.pulls.values()].toSorted(
    (a, b) => Number(a.fork !== undefined) - Number(b.fork !== undefined) || a.number - b.number,
  );

function pullHead(repository: number, { number, commit, author, fork, base }: PullRef): CheckHead {
  const head = { ...named(keys.ofPull(number), `#${number}`), commit, repository, ages: false };
  return fork === undefined ? head : { ...head, from: { pull: number, author, fork, base } };
}

const named = (name: string, label: string): Pick<CheckHead, "name" | "label"> => ({ name, label });

/** The same as a term, for `each`: a head that did not move is the same object as before. */
export const headsTerm = (refs: Term<Refs>, options: HeadOptions) =>
  collect(refs, (found) => new Map(headsToCheck(found, options).map((head) => [head.name, head])), same);

/** What somebody is called is no part of it. */
const same = (before: CheckHead, after: CheckHead): boolean =>
  before.commit === after.commit &&
  before.label === after.label &&
  before.repository === after.repository &&
  before.ages === after.ages &&
  before.from?.author.id === after.from?.author.id &&
  before.from?.base === after.from?.base &&
  forkId(before) === forkId(after);

function forkId({ from }: CheckHead): number | string | undefined {
  const fork = from?.fork;
  return typeof fork === "object" ? fork.id : fork;
}
