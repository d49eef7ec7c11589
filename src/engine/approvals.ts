import { map2Node, type Node, Variable } from "../incr/index.ts";
import type { Answer } from "../term/answer.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import type { Proposal } from "./changes.ts";
import type { Engine } from "./engine.ts";
import { problem } from "./errors.ts";
import type { Person } from "./refs.ts";
import type { ApprovalRow } from "./store/store.ts";

/** A commit of somebody's pull request that is built only when a maintainer says so. */
export interface Ask {
  /** The repository's number at its forge. */
  readonly repository: number;
  /** `owner/name`. */
  readonly name: `${string}/${string}`;
  readonly pull: number;
  /** The full name of the very commit: a later one needs another approval. */
  readonly commit: string;
  readonly author: Person;
  /** The fork that it comes from, as people call it. */
  readonly fork: string;
  /** Where its changes up to that commit are shown. */
  readonly url?: string;
  /** Key of the term that waits. */
  readonly term: string;
}

/** What waits for a maintainer. */
export interface Waiting extends Ask {
  readonly sinceMs: number;
}

/** What the forge says of whether an author may write: not yet anything, no, or why it does not tell. */
export type Writes = "asking" | "no" | Failure;

interface Asked {
  readonly waiting: Waiting;
  readonly writes: Variable<Writes>;
  readonly row: Variable<ApprovalRow | undefined>;
  readonly look: Look | undefined;
}

/** Looks up what a commit changes, for whoever is to approve it. */
type Look = (signal: AbortSignal) => Promise<Result<Proposal>>;

/** Somebody waits for it in front of a page. */
const LOOK_MS_MAX = 15_000;

/**
 * Who allowed which commit of a pull request to be built. Only what is asked for can be allowed, so that a commit that
 * was pushed after somebody looked is never built on the strength of that look.
 */
export class Approvals {
  readonly #engine: Engine;
  readonly #asked = new Map<string, Asked>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get world(): Engine["world"] {
    return this.#engine.world;
  }

  /** Who allowed it before, if anybody did. */
  known({ repository, pull, commit }: Pick<Ask, "repository" | "pull" | "commit">): ApprovalRow | undefined {
    return this.#engine.store.queries.approval(repository, pull, commit);
  }

  /**
   * What `tell` makes of whether it is allowed, for as long as the scope that is being made lives. Call inside a step.
   *
   * @param look Looks up what it changes. Default: nobody can tell.
   * @param begin What is known of its author; `writes` tells how that goes on. Default: they may not write there.
   */
  ask<T>(
    ask: Ask,
    tell: (row: ApprovalRow | undefined, writes: Writes) => Answer<T>,
    look?: Look,
    begin: Writes = "no",
  ): Node<Answer<T>> {
    const { clock, world } = this.#engine;
    const known = this.known(ask);
    const row = new Variable<ApprovalRow | undefined>(world.graph, known);
    const writes = new Variable<Writes>(world.graph, begin);
    const asked: Asked = { waiting: { ...ask, sinceMs: clock.now() }, row, writes, look };
    const name = nameOf(ask.repository, ask.pull);
    this.#asked.set(name, asked);
    world.graph.scope.onRelease(() => {
      if (this.#asked.get(name) === asked) this.#asked.delete(name);
    });
    return map2Node(row, writes, tell);
  }

  /** What the forge said of the author of a commit that is asked for. */
  writes({ repository, pull, commit }: Pick<Ask, "repository" | "pull" | "commit">, writes: Writes): void {
    const asked = this.#asked.get(nameOf(repository, pull));
    if (asked?.waiting.commit === commit) this.#engine.change(undefined, () => asked.writes.set(writes));
  }

  /** Oldest first. */
  waiting(): readonly Waiting[] {
    return [...this.#asked.values()].filter(({ row }) => row.latest === undefined).map(({ waiting }) => waiting);
  }

  /**
   * What a commit that waits changes. Nothing of it is fetched for that: the forge is asked.
   *
   * Fails with `NOT_FOUND` (it does not wait), `NOT_POSSIBLE` (nobody can tell), or as the forge does.
   */
  async proposal({ repository, pull, commit }: Pick<Ask, "repository" | "pull" | "commit">): Promise<Result<Proposal>> {
    const asked = this.#asked.get(nameOf(repository, pull));
    const isWaiting = asked?.waiting.commit === commit && asked.row.latest === undefined;
    if (!isWaiting)
      return failure(problem("NOT_FOUND", `#${pull} does not wait with the commit ${commit.slice(0, 64)}`));
    if (asked.look === undefined) return failure(problem("NOT_POSSIBLE", "nobody tells what it changes"));
    const late = new AbortController();
    const timer = this.#engine.clock.after(LOOK_MS_MAX, () => late.abort());
    try {
      const found = await asked.look(late.signal);
      if (found.ok || !late.signal.aborted) return found;
      const message = `reading what #${pull} of ${asked.waiting.name} changes: no answer in ${LOOK_MS_MAX / 1000} s`;
      return failure(problem("FORGE_UNREACHABLE", message));
    } finally {
      timer.unsubscribe();
    }
  }

  /**
   * Allows a commit, durably, and lets its builds begin.
   *
   * Fails with `NOT_FOUND` (no such pull request waits) or `NOT_POSSIBLE` (it has another commit by now).
   *
   * @param via button · comment · permission.
   */
  async approve(
    { repository, pull, commit }: Pick<Ask, "repository" | "pull" | "commit">,
    who: string,
    via: string,
  ): Promise<Result<void>> {
    const asked = this.#asked.get(nameOf(repository, pull));
    if (asked === undefined) return failure(problem("NOT_FOUND", `no pull request #${pull} of this repository waits`));
    const { waiting } = asked;
    const called = `#${pull} of ${waiting.name}`;
    if (waiting.commit !== commit) {
      const message = `${called} is at ${waiting.commit} now: ${commit.slice(0, 64)} is not its newest commit`;
      return failure(problem("NOT_POSSIBLE", message, { hint: "Look at the newest commit, and approve that one." }));
    }
    if (asked.row.latest !== undefined) return success(undefined);
    const row: ApprovalRow = { repository, pull, hash: commit, who, via, atMs: this.#engine.clock.now() };
    await this.#engine.journal.save({ put: "approval", row });
    const why = via === "permission" ? `${who} may write to the repository` : `approved by ${who} (${via})`;
    const cause = { kind: "person", subject: waiting.term, detail: `${called} at ${commit.slice(0, 8)}: ${why}` };
    // What was pushed while it was stored is not meant.
    if (this.#asked.get(nameOf(repository, pull)) === asked) this.#engine.change(cause, () => asked.row.set(row));
    return success(undefined);
  }
}

const nameOf = (repository: number, pull: number): string => `${repository}#${pull}`;
