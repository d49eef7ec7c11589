import { createHash } from "node:crypto";
import { problem } from "../../src/engine/errors.ts";
import type { Json } from "../../src/engine/json.ts";
import type { Ports } from "../../src/pipeline/ports.ts";
import { type GitFetchKey, gitFetch } from "../../src/plugins/git/fetch.ts";
import type { Result } from "../../src/term/output.ts";
import { failure, success } from "../../src/term/output.ts";
import type { Caller, Outside } from "./outside.ts";
import type { Quality } from "./plan.ts";
import type { Followed } from "./shapes.ts";

export interface Commit {
  readonly sha: string;
  readonly tree: string;
}

/** How likely it is that a push is told of at once, instead of being found by the next reading. */
const TOLD = 0.7;

/** The repositories: branches that are pushed, pushed back, deleted, and read by processes. */
export class Forge {
  readonly #outside: Outside;
  /** By `url branch`. */
  readonly #heads = new Map<string, Commit>();
  readonly #pushed = new Map<string, Commit[]>();
  readonly #trees = new Map<string, string>();
  readonly #quality = new Map<string, Quality>();
  /** By digest of the image. */
  readonly #fates = new Map<string, Quality>();
  readonly #watchers = new Set<{ readonly url: string; readonly tell: () => void }>();
  #commits = 0;

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  head({ url, branch }: Followed): Commit | undefined {
    return this.#heads.get(`${url} ${branch}`);
  }
  /** The digest of the image that the head is built to. */
  wanted(of: Followed): string {
    const head = this.head(of);
    return head === undefined ? "none" : digestOf(head.tree);
  }
  /** Drops all commits but the heads. */
  forgetPushes(): void {
    for (const map of [this.#pushed, this.#trees, this.#quality, this.#fates]) map.clear();
  }

  /** Whether these heads, as they are stored, have the newest commit of the branch. */
  isKnown({ url, branch }: Followed, heads: Json | undefined): boolean {
    const stored = new Map(Object.entries(Object(heads)));
    return stored.get(branch) === this.#heads.get(`${url} ${branch}`)?.sha;
  }
  quality(tree: string): Quality {
    return this.#quality.get(tree) ?? "good";
  }
  /** How tasks of an image do. */
  fate(image: string): "fails" | "slow" | "good" {
    const quality = this.#fates.get(image.split("@")[1] ?? "");
    return quality === "crashing" ? "fails" : quality === "slow" ? "slow" : "good";
  }

  push(to: Followed, quality: Quality, tree = hexOf(`tree ${this.#commits}`)): void {
    this.#commits += 1;
    const commit = { sha: hexOf(`commit ${this.#commits}`), tree };
    if (!this.#quality.has(tree)) this.#quality.set(tree, quality);
    this.#fates.set(digestOf(tree), this.quality(tree));
    this.#trees.set(commit.sha, tree);
    const key = `${to.url} ${to.branch}`;
    this.#pushed.set(key, [...(this.#pushed.get(key) ?? []), commit]);
    this.#move(to, commit, `push ${quality}`);
  }

  /** The same files again, in a new commit. */
  again(to: Followed): void {
    const head = this.head(to);
    if (head !== undefined) this.push(to, this.quality(head.tree), head.tree);
  }

  /** Force-push to a commit from before. */
  back(to: Followed): void {
    const pushed = this.#pushed.get(`${to.url} ${to.branch}`) ?? [];
    if (pushed.length > 0) this.#move(to, this.#outside.dice.pick(pushed), "force-push");
  }

  /** Force-push to the commit that was pushed before the one that is the head. */
  undo(to: Followed): void {
    const pushed = this.#pushed.get(`${to.url} ${to.branch}`) ?? [];
    const at = pushed.findLastIndex(({ sha }) => sha === this.head(to)?.sha);
    const before = pushed[at - 1];
    if (before !== undefined) this.#move(to, before, "undo");
  }

  delete(branch: Followed): void {
    this.#move(branch, undefined, "delete");
  }

  #move(to: Followed, commit: Commit | undefined, how: string): void {
    const { history, dice, clock } = this.#outside;
    const key = `${to.url} ${to.branch}`;
    if (commit === undefined) this.#heads.delete(key);
    else this.#heads.set(key, commit);
    history.note(`${how} ${key} ${commit?.sha.slice(0, 8)} of ${commit?.tree.slice(0, 8)}`);
    history.wanted.push({
      atMs: history.nowMs,
      of: key,
      value: commit === undefined ? undefined : digestOf(commit.tree),
    });
    if (!dice.chance(TOLD)) return;
    for (const { url, tell } of this.#watchers) if (url === to.url) clock.after(dice.between(1, 500), tell);
  }

  /** How a process reads the branches. */
  heads(caller: Caller): Ports["heads"] {
    const lost = (url: string) => failure(problem("REPO_UNREACHABLE", `cannot read the branches of ${url}`));
    return {
      read: ({ url }, signal) =>
        this.#outside.ask<Result<ReadonlyMap<string, string>>>(caller, "forge", signal, {
          of: () => success(this.#read(url)),
          refused: () => lost(url),
          cancelled: () => failure(problem("CANCELLED", "the reading was given up")),
        }),
      watch: ({ url }, onChange) => {
        const watcher = { url, tell: () => void (caller.alive("hint") && onChange()) };
        this.#watchers.add(watcher);
        return () => this.#watchers.delete(watcher);
      },
    };
  }

  /** Who was told by a process that is dead is not told any more. */
  forget(): void {
    this.#watchers.clear();
  }

  #read(url: string): ReadonlyMap<string, string> {
    const own = [...this.#heads].filter(([key]) => key.startsWith(`${url} `));
    return new Map(own.map(([key, { sha }]) => [key.slice(url.length + 1), sha]));
  }

  /** The product's operation, with the forge in place of git. */
  fetch(caller: Caller): typeof gitFetch {
    const fetched = ({ commit }: GitFetchKey) =>
      success({
        commit,
        tree: this.#trees.get(commit) ?? "",
        author: "Ann",
        subject: `work ${commit.slice(0, 4)}`,
        whenMs: 0,
      });
    return {
      ...gitFetch,
      build: async (_context, key, job) => {
        const started = await job.start({ level: "harmless", timeoutMs: 60_000 });
        if (!started.ok) return started;
        return this.#outside.ask<ReturnType<typeof fetched> | Result<never>>(caller, "forge", job.signal, {
          of: () => fetched(key),
          refused: () => failure(problem("REPO_UNREACHABLE", `cannot fetch ${key.commit}`)),
          cancelled: () => failure(problem("CANCELLED", "the fetch was given up")),
        });
      },
    };
  }
}

const hexOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 40);

/** The manifest digest of an image that is built of these files: equal files, equal digest. */
export const digestOf = (tree: string): string =>
  `sha256:${createHash("sha256").update(`image ${tree}`).digest("hex")}`;
