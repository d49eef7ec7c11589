import { type Clock, createClock } from "../../engine/clock.ts";
import { Acts, type Changes } from "./acts.ts";
import { Credentials, suffices } from "./credentials.ts";
import { EVENT_PERMISSIONS } from "./events.ts";
import type { Ask, Recorded } from "./exchange.ts";
import { GitHttp } from "./git-http.ts";
import type { Planned } from "./mishaps.ts";
import { OAuth } from "./oauth.ts";
import { Rates } from "./rate.ts";
import type { Ground } from "./route.ts";
import type { Shape } from "./schema.ts";
import { FakeServer } from "./server.ts";
import { Shapes } from "./shapes.ts";
import { Webhooks } from "./webhooks.ts";
import {
  type Account,
  type Heads,
  type Installation,
  move,
  type Permissions,
  type Repository,
  type Role,
  type Team,
  World,
} from "./world.ts";

/** What the app is given when a test says nothing else: all that doc/github.md asks for, and no more. */
const PERMISSIONS: Permissions = {
  metadata: "read",
  contents: "read",
  pull_requests: "read",
  issues: "read",
  checks: "write",
  deployments: "write",
  members: "read",
};

export interface FakeGitHubOptions {
  /** Dates and expiry come from it; default the machine's. The app's JSON web tokens are held to it as well. */
  readonly clock?: Clock;
}

export interface RepoOptions {
  readonly private?: boolean;
  /** What the default branch begins with; default one README. Null: an empty repository. */
  readonly files?: Changes | null;
  readonly defaultBranch?: string;
}

/**
 * A GitHub of its own on this machine, for tests: the REST API, git over HTTP, sign-in, webhooks.
 *
 * Every request and every answer is held to GitHub's published description; what is not like it is in `violations`.
 * Things are changed by `push`, `openPull` and the others, which send webhooks as GitHub does; `mishap` makes it
 * misbehave.
 */
export class FakeGitHub extends Acts {
  readonly oauth: OAuth;
  readonly webhooks: Webhooks;
  readonly #credentials: Credentials;
  readonly #server: FakeServer;
  readonly #git: GitHttp;
  #site = "";

  /** Starts one; `close` ends it. */
  static async start({ clock = createClock() }: FakeGitHubOptions = {}): Promise<FakeGitHub> {
    const world = new World(clock);
    const violations: string[] = [];
    const credentials = new Credentials(world);
    const webhooks = new Webhooks(clock, credentials.webhookSecret, credentials.appId, (what) => violations.push(what));
    const site = { url: "" };
    const shapes = new Shapes(world, credentials.appId, () => site.url);
    shapes.permissions = PERMISSIONS;
    shapes.events = () => [...webhooks.events];
    const tell = (event: string, action: string | undefined, repository: Repository, more: Shape): void => {
      const installation = world.installationFor(repository);
      if (installation === undefined || installation.suspended || !webhooks.events.has(event)) return;
      if (!suffices(installation.permissions, EVENT_PERMISSIONS[event] ?? {})) return;
      const where = { repository: shapes.repository(repository), installation: { id: installation.id } };
      webhooks.tell(event, { ...(action === undefined ? {} : { action }), ...more, ...where });
    };
    const ground: Ground = { world, shapes, credentials, rates: new Rates(clock), tell };
    const fake = new FakeGitHub(ground, credentials, webhooks, violations);
    site.url = `http://127.0.0.1:${await fake.#server.listen()}`;
    fake.#site = site.url;
    return fake;
  }

  private constructor(ground: Ground, credentials: Credentials, webhooks: Webhooks, violations: string[]) {
    super(ground);
    const { clock } = ground.world;
    this.#credentials = credentials;
    this.webhooks = webhooks;
    this.oauth = new OAuth(clock, credentials);
    this.#git = new GitHttp(ground.world, credentials);
    this.#server = new FakeServer(clock, ground, this.#git, this.oauth, violations);
  }

  /** Of the site, without a slash at the end: git and sign-in are there, the API is under `/api/v3` as well as here. */
  get url(): string {
    return this.#site;
  }
  get apiUrl(): string {
    return `${this.#site}/api/v3`;
  }
  /** What the owner of the app has written down. */
  get app(): Pick<Credentials, "appId" | "privateKey" | "clientId" | "clientSecret" | "webhookSecret"> {
    return this.#credentials;
  }
  /** What was not as GitHub would have it. Expect it to be empty. */
  get violations(): readonly string[] {
    return this.#server.violations;
  }
  /** Every request so far. */
  get requests(): readonly Recorded[] {
    return this.#server.requests;
  }
  /** How many requests an hour. */
  get rateLimits(): Rates["limits"] {
    return this.ground.rates.limits;
  }

  /** Plans that something goes wrong with the next requests. */
  mishap(planned: Planned): void {
    this.#server.mishaps.plan(planned);
  }
  /** Nothing goes wrong any more. */
  heal(): void {
    this.#server.mishaps.clear();
  }
  /** Called before each request is answered. */
  set before(act: (ask: Ask) => void) {
    this.#server.before = act;
  }
  /** All tokens that installations gave end now. */
  expireTokens(): void {
    this.#credentials.expireTokens();
  }
  /** A token of a person, as a sign-in would give it. */
  userToken(login: string): string {
    return this.#credentials.giveUserToken(this.user(login));
  }

  user(login: string): Account {
    return this.ground.world.accountOf(login, "User");
  }
  /** An organisation; who is named becomes a member. */
  org(login: string, members: readonly string[] = []): Account {
    const org = this.ground.world.accountOf(login, "Organization");
    const known = this.ground.world.members.get(org.id) ?? new Set<number>();
    for (const member of members) known.add(this.user(member).id);
    this.ground.world.members.set(org.id, known);
    return org;
  }
  /** `acme/devs`: those named are in it, and in the organisation, from now on, and nobody else. */
  team(name: string, members: readonly string[]): Team {
    const [login = "", slug = ""] = name.split("/");
    const org = this.org(login, members);
    const known = this.ground.world.teams.find((one) => one.org.id === org.id && one.slug === slug);
    const team = known ?? {
      id: this.ground.world.nextId(),
      org,
      slug,
      members: new Set<number>(),
      invited: new Set<number>(),
    };
    if (known === undefined) this.ground.world.teams.push(team);
    team.members.clear();
    for (const member of members) team.members.add(this.user(member).id);
    return team;
  }
  /** Asks somebody to join a team: until they agree they are not in it. */
  invite(name: string, login: string): void {
    const team = this.ground.world.teams.find((one) => `${one.org.login}/${one.slug}` === name) ?? this.team(name, []);
    team.invited.add(this.user(login).id);
  }
  /** Somebody may do this with a repository from now on; undefined: no more than everybody. */
  role(name: string, login: string, role: Role | undefined): void {
    const { roles } = this.repository(name);
    if (role === undefined) roles.delete(this.user(login).id);
    else roles.set(this.user(login).id, role);
  }

  /** A repository; its owner is made an organisation when there is none of that name. */
  repo(
    name: string,
    { files = { "README.md": "# It\n" }, defaultBranch = "main", ...more }: RepoOptions = {},
  ): Repository {
    const [login = "", own = ""] = name.split("/");
    const owner = this.ground.world.account(login) ?? this.org(login);
    const made = this.ground.world.addRepository(owner, own, { private: more.private ?? false, defaultBranch });
    if (files !== null) this.push(name, defaultBranch, files, { message: "First" });
    return made;
  }
  /** Copies a repository to somebody's own account; its full name. */
  fork(name: string, by: string): string {
    const parent = this.repository(name);
    const heads: Heads = { ...parent.heads, pulls: new Map() };
    const { git, private: isPrivate, defaultBranch } = parent;
    this.ground.world.addRepository(this.user(by), parent.name, {
      parent,
      git,
      heads,
      private: isPrivate,
      defaultBranch,
    });
    return `${by}/${parent.name}`;
  }
  /** It is gone; pull requests that came from it have no head repository any more. */
  deleteRepo(name: string): void {
    const gone = this.repository(name);
    this.ground.tell("repository", "deleted", gone, { sender: this.ground.shapes.user(gone.owner) });
    this.ground.world.repositories.delete(gone.id);
    for (const repository of this.ground.world.repositories.values()) {
      const pulls = [...repository.heads.pulls].map(
        ([number, pull]) => [number, pull.from?.id === gone.id ? { ...pull, from: undefined } : pull] as const,
      );
      if (pulls.some(([, pull]) => pull.from === undefined))
        move(this.ground.world, repository, { pulls: new Map(pulls) });
    }
  }
  /** Another name, or another owner too. The old name leads to it until somebody takes that name. */
  rename(name: string, to: string): void {
    const repository = this.repository(name);
    const [login = "", own = ""] = to.split("/");
    const isTransfer = login !== repository.owner.login;
    repository.owner = this.ground.world.account(login) ?? this.org(login);
    repository.name = own;
    this.ground.world.formerNames.set(name.toLowerCase(), repository.id);
    const sender = this.ground.shapes.user(repository.owner);
    this.ground.tell("repository", isTransfer ? "transferred" : "renamed", repository, { sender });
  }

  /** The app is installed for an account: for all its repositories, or for those named. */
  install(
    login: string,
    {
      permissions = PERMISSIONS,
      repositories,
    }: { readonly permissions?: Permissions; readonly repositories?: readonly string[] } = {},
  ): Installation {
    const { world } = this.ground;
    const account = world.account(login) ?? this.org(login);
    const ids = repositories?.map((name) => this.repository(`${login}/${name}`).id);
    const made: Installation = {
      id: world.nextId(),
      account,
      permissions,
      repositories: ids === undefined ? undefined : new Set(ids),
      suspended: false,
      createdMs: world.clock.now(),
    };
    world.installations.set(made.id, made);
    this.#tellInstallation("created", made);
    return made;
  }
  /** The app is removed from an account. */
  uninstall(login: string): void {
    const one = this.#installation(login);
    this.ground.world.installations.delete(one.id);
    this.#tellInstallation("deleted", one);
  }
  /** The owner suspends the app: its tokens are refused, and nothing is told until it is unsuspended. */
  suspend(login: string): void {
    const one = this.#installation(login);
    one.suspended = true;
    this.#tellInstallation("suspend", one);
  }
  unsuspend(login: string): void {
    const one = this.#installation(login);
    one.suspended = false;
    this.#tellInstallation("unsuspend", one);
  }
  #installation(login: string): Installation {
    const account = this.ground.world.account(login);
    const found = [...this.ground.world.installations.values()].find((one) => one.account.id === account?.id);
    if (found === undefined) throw new Error(`the app is not installed on ${login}`);
    return found;
  }
  #tellInstallation(action: string, installation: Installation): void {
    const { shapes } = this.ground;
    const sender = shapes.user(installation.account);
    this.webhooks.tell("installation", { action, installation: shapes.installation(installation), sender });
  }

  /** Somebody presses "Re-run" at a check run, or an action's button. */
  pressCheckRun(name: string, id: number, by: string, action?: string): void {
    const repository = this.repository(name);
    const run = repository.checkRuns.find((one) => one.id === id);
    if (run === undefined) throw new Error(`the fake GitHub has no check run ${id} in ${name}`);
    if (action === undefined) run.suite.rerequested = true;
    const shown = {
      check_run: this.ground.shapes.checkRun(repository, run),
      sender: this.ground.shapes.user(this.user(by)),
    };
    if (action === undefined) this.ground.tell("check_run", "rerequested", repository, shown);
    else
      this.ground.tell("check_run", "requested_action", repository, {
        ...shown,
        requested_action: { identifier: action },
      });
  }
  /** Somebody presses "Re-run all checks". */
  pressCheckSuite(name: string, commit: string, by: string): void {
    const repository = this.repository(name);
    const suite = repository.suites.find((one) => one.commit === commit);
    if (suite === undefined) throw new Error(`the fake GitHub has no check suite of ${commit} in ${name}`);
    suite.rerequested = true;
    const { repository: _, ...shown } = this.ground.shapes.checkSuite(repository, suite);
    const sender = this.ground.shapes.user(this.user(by));
    this.ground.tell("check_suite", "rerequested", repository, { check_suite: shown, sender });
  }

  async close(): Promise<void> {
    await this.#server.close();
    this.#git.close();
  }
}
