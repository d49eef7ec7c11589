import { addComment, editComment } from "./comments.ts";
import { type Ground, textIn } from "./route.ts";
import type { Shape } from "./schema.ts";
import { fullName, move, type Pull, type Repository } from "./world.ts";

/** Files by path; null removes one. What is not named stays as it was. */
export type Changes = Readonly<Record<string, string | null>>;

export interface PushOptions {
  /** Who pushes; default the owner. */
  readonly by?: string;
  readonly message?: string;
  /** Not on top of what is there, but of this commit. */
  readonly onto?: string;
}

export interface PullOptions {
  /** Who opens it; made when there is nobody of that name. */
  readonly by: string;
  /** What it changes of its base. Default: the branch as it is; nothing, when it is new. */
  readonly files?: Changes;
  /** The repository that it comes from: a fork's full name; default the repository itself. */
  readonly from?: string;
  readonly branch?: string;
  readonly base?: string;
  readonly title?: string;
  readonly body?: string;
  readonly labels?: readonly string[];
  readonly draft?: boolean;
}

const NO_COMMIT = "0".repeat(40);

/** What people do at GitHub, with the webhooks that follow from it. */
export class Acts {
  protected readonly ground: Ground;

  constructor(ground: Ground) {
    this.ground = ground;
  }

  /** The repository, for looking at what is in it. */
  repository(name: string): Repository {
    const found = this.ground.world.repository(name);
    if (found === undefined) throw new Error(`the fake GitHub has no repository ${name}`);
    return found;
  }

  /** A commit on a branch, which is made when there is none; the commit's id. */
  push(name: string, branch: string, files: Changes, options: PushOptions = {}): string {
    const repository = this.repository(name);
    const before = repository.heads.branches.get(branch);
    const parent = options.onto ?? before ?? repository.heads.branches.get(repository.defaultBranch);
    const by = options.by ?? repository.owner.login;
    const commit = this.#commit(repository, parent, files, by, options.message ?? `Change ${branch}`);
    this.setBranch(name, branch, commit, by);
    return commit;
  }

  /** Puts a branch on a commit that there is: forwards, or back. */
  setBranch(name: string, branch: string, commit: string, by?: string): void {
    const repository = this.repository(name);
    const before = repository.heads.branches.get(branch);
    const pulls = this.#pullsMoved(repository, branch, commit);
    move(this.ground.world, repository, {
      branches: new Map(repository.heads.branches).set(branch, commit),
      pulls: pulls.in(repository),
    });
    const sender = this.#sender(by ?? repository.owner.login);
    if (before === undefined) this.#tellRef("create", repository, branch, sender);
    const forced = before !== undefined && !repository.git.contains(commit, before);
    this.#tellPush(repository, branch, before ?? NO_COMMIT, commit, { forced, sender });
    pulls.tell();
  }

  deleteBranch(name: string, branch: string, by?: string): void {
    const repository = this.repository(name);
    const branches = new Map(repository.heads.branches);
    const before = branches.get(branch);
    branches.delete(branch);
    move(this.ground.world, repository, { branches });
    const sender = this.#sender(by ?? repository.owner.login);
    this.#tellRef("delete", repository, branch, sender);
    this.#tellPush(repository, branch, before ?? NO_COMMIT, NO_COMMIT, { forced: false, sender });
  }

  tag(name: string, tag: string, commit: string): void {
    const repository = this.repository(name);
    move(this.ground.world, repository, { tags: new Map(repository.heads.tags).set(tag, commit) });
  }

  /** Opens a pull request; its number. */
  openPull(name: string, options: PullOptions): number {
    const repository = this.repository(name);
    const { by, from = name, base = repository.defaultBranch } = options;
    const number = repository.heads.pulls.size + 1;
    const branch = options.branch ?? `change-${number}`;
    const author = this.ground.world.accountOf(by, "User");
    const onto = repository.heads.branches.get(base);
    const pushed = options.files === undefined ? this.repository(from).heads.branches.get(branch) : undefined;
    const more = onto === undefined ? {} : { onto };
    const commit = pushed ?? this.push(from, branch, options.files ?? {}, { by, ...more });
    const now = this.ground.world.clock.now();
    const pull: Pull = {
      id: this.ground.world.nextId(),
      number,
      author,
      base,
      from: this.repository(from),
      branch,
      commit,
      title: options.title ?? `Change ${number}`,
      body: options.body ?? "",
      labels: options.labels ?? [],
      draft: options.draft ?? false,
      state: "open",
      merged: false,
      createdMs: now,
      updatedMs: now,
    };
    this.#setPull(repository, pull, "opened");
    return number;
  }

  /** A push to the branch of a pull request; the commit's id. */
  pushPull(name: string, number: number, files: Changes, options: PushOptions = {}): string {
    const { from, branch, author } = this.pull(name, number);
    if (from === undefined) throw new Error(`the fork of ${name}#${number} is gone`);
    return this.push(fullName(from), branch, files, { by: author.login, ...options });
  }

  pull(name: string, number: number): Pull {
    const pull = this.repository(name).heads.pulls.get(number);
    if (pull === undefined) throw new Error(`the fake GitHub has no pull request ${name}#${number}`);
    return pull;
  }

  closePull(name: string, number: number, how: "merged" | "closed" = "closed"): void {
    const pull = this.pull(name, number);
    if (how === "merged") this.setBranch(name, pull.base, pull.commit);
    this.#setPull(this.repository(name), { ...pull, state: "closed", merged: how === "merged" }, "closed");
  }

  reopenPull(name: string, number: number): void {
    this.#setPull(this.repository(name), { ...this.pull(name, number), state: "open" }, "reopened");
  }

  /** Its title, its text, its labels: what must not cause a build. */
  editPull(name: string, number: number, change: Partial<Pick<Pull, "title" | "body" | "labels" | "base">>): void {
    this.#setPull(this.repository(name), { ...this.pull(name, number), ...change }, "edited");
  }

  /** Says something in a pull request; the comment's id. */
  comment(name: string, number: number, by: string, body: string): number {
    const author = this.ground.world.accountOf(by, "User");
    return addComment(this.ground, this.repository(name), number, author, body).id;
  }

  editComment(name: string, id: number, body: string): void {
    const repository = this.repository(name);
    const comment = repository.comments.find((one) => one.id === id);
    if (comment === undefined) throw new Error(`the fake GitHub has no comment ${id} in ${name}`);
    editComment(this.ground, repository, comment, body);
  }

  /** Many branches and pull requests at once, each on a commit of its own, without webhooks. */
  fill(name: string, { branches = 0, pulls = 0, by = "alice" }): void {
    const repository = this.repository(name);
    const author = this.ground.world.accountOf(by, "User");
    const parent = repository.heads.branches.get(repository.defaultBranch);
    const now = this.ground.world.clock.now();
    const commit = (text: string): string => this.#commit(repository, parent, {}, by, text);
    const newBranches = new Map(repository.heads.branches);
    for (let at = 1; at <= branches; at += 1) newBranches.set(`branch-${at}`, commit(`branch-${at}`));
    const newPulls = new Map(repository.heads.pulls);
    const common = { author, base: repository.defaultBranch, from: repository, body: "", labels: [], draft: false };
    for (let at = 1; at <= pulls; at += 1) {
      const number = newPulls.size + 1;
      const own = { id: this.ground.world.nextId(), number, branch: `pull-${number}`, title: `Change ${number}` };
      const state = { state: "open", merged: false, createdMs: now, updatedMs: now } as const;
      newPulls.set(number, { ...common, ...own, ...state, commit: commit(`pull-${number}`) });
    }
    move(this.ground.world, repository, { branches: newBranches, pulls: newPulls });
  }

  #commit(repository: Repository, parent: string | undefined, changes: Changes, by: string, message: string): string {
    const files = new Map(parent === undefined ? [] : repository.git.commits.get(parent)?.files);
    for (const [path, text] of Object.entries(changes))
      if (text === null) files.delete(path);
      else files.set(path, text);
    const parents = parent === undefined ? [] : [parent];
    return repository.git.add({ files, parents, message, author: by, dateMs: this.ground.world.clock.now() });
  }

  /** Open pull requests follow their branch, wherever they were opened. */
  #pullsMoved(of: Repository, branch: string, commit: string) {
    const { world } = this.ground;
    const updatedMs = world.clock.now();
    const moved = [...world.repositories.values()].flatMap((repository) =>
      [...repository.heads.pulls.values()]
        .filter((pull) => pull.state === "open" && pull.from?.id === of.id && pull.branch === branch)
        .map((pull) => ({ repository, pull: { ...pull, commit, updatedMs } })),
    );
    const inOne = (repository: Repository): ReadonlyMap<number, Pull> => {
      const pulls = new Map(repository.heads.pulls);
      for (const one of moved) if (one.repository.id === repository.id) pulls.set(one.pull.number, one.pull);
      return pulls;
    };
    const tell = (): void => {
      for (const { repository, pull } of moved) this.#setPull(repository, pull, "synchronize");
    };
    return { in: inOne, tell };
  }

  #setPull(repository: Repository, pull: Pull, action: string): void {
    const newest = { ...pull, updatedMs: this.ground.world.clock.now() };
    // a push has moved it already: "before" is what was before the push
    if (action !== "synchronize" || repository.heads.pulls.get(pull.number)?.commit !== pull.commit)
      move(this.ground.world, repository, { pulls: new Map(repository.heads.pulls).set(pull.number, newest) });
    const shown = this.ground.shapes.pull(repository, newest);
    const sender = this.#sender(pull.author.login);
    this.ground.tell("pull_request", action, repository, { number: pull.number, pull_request: shown, sender });
  }

  #sender(login: string): Shape {
    return this.ground.shapes.user(this.ground.world.accountOf(login, "User"));
  }

  #tellRef(event: "create" | "delete", repository: Repository, branch: string, sender: Shape): void {
    const ref = { ref: branch, ref_type: "branch", pusher_type: "user" };
    const more = event === "create" ? { master_branch: repository.defaultBranch, description: null } : {};
    this.ground.tell(event, undefined, repository, { ...ref, ...more, sender });
  }

  #tellPush(
    repository: Repository,
    branch: string,
    before: string,
    after: string,
    { forced, sender }: { readonly forced: boolean; readonly sender: Shape },
  ): void {
    const written = repository.git.commits.get(after);
    const who = { name: written?.author ?? "", email: null };
    const head =
      written === undefined
        ? null
        : { id: after, message: written.message, timestamp: new Date(written.dateMs).toISOString(), author: who };
    this.ground.tell("push", undefined, repository, {
      ref: `refs/heads/${branch}`,
      before,
      after,
      created: before === NO_COMMIT,
      deleted: after === NO_COMMIT,
      forced,
      base_ref: null,
      compare: "",
      commits: head === null ? [] : [head],
      head_commit: head,
      pusher: { name: textIn(sender, "login") ?? "", email: null },
      sender,
    });
  }
}
