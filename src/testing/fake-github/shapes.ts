import type { Json } from "../../engine/json.ts";
import { isShape, type Shape } from "./schema.ts";
import {
  type Account,
  type CheckRun,
  type CheckSuite,
  type Comment,
  type CommitStatus,
  type Deployment,
  type DeploymentStatus,
  fullName,
  type Installation,
  type Permissions,
  type Pull,
  type Repository,
  type Team,
  type World,
} from "./world.ts";

/** What the app is called. */
export const APP = { slug: "millrace-test", name: "Millrace Test" } as const;

/** Things as GitHub's answers show them: what means something. The rest is filled in from the schema. */
export class Shapes {
  readonly #world: World;
  /** Of the server, without a slash: links of the site begin with it. */
  readonly #site: () => string;
  readonly #appId: number;
  permissions: Permissions = {};
  /** What the app has ticked. */
  events: () => readonly string[] = () => [];
  readonly #made = new WeakMap<object, { readonly state: string; readonly shape: Shape }>();

  constructor(world: World, appId: number, site: () => string) {
    this.#world = world;
    this.#appId = appId;
    this.#site = site;
  }

  /** The same object as long as nothing has changed: what is in thousands of pull requests is completed once. */
  #once(of: object, state: string, make: () => Shape): Shape {
    const known = this.#made.get(of);
    if (known?.state === state) return known.shape;
    const shape = make();
    this.#made.set(of, { state, shape });
    return shape;
  }

  api(path: string): string {
    return `${this.#site()}/api/v3${path}`;
  }

  user(account: Account): Shape {
    return this.#once(account, account.login, () => this.#user(account));
  }

  #user({ id, login, type }: Account): Shape {
    return {
      id,
      login,
      type,
      node_id: `U_${id}`,
      url: this.api(`/users/${encodeURIComponent(login)}`),
      html_url: `${this.#site()}/${encodeURIComponent(login)}`,
      avatar_url: `${this.#site()}/avatars/${id}`,
      site_admin: false,
    };
  }

  app(): Shape {
    const html_url = `${this.#site()}/apps/${APP.slug}`;
    const owner = this.user({ id: 1, login: "millrace-makers", type: "Organization" });
    return { id: this.#appId, ...APP, html_url, owner, permissions: this.permissions, events: this.events() };
  }

  installation({ id, account, permissions, repositories, suspended, createdMs }: Installation): Shape {
    return {
      id,
      account: this.user(account),
      app_id: this.#appId,
      app_slug: APP.slug,
      target_id: account.id,
      target_type: account.type,
      permissions,
      events: this.events(),
      repository_selection: repositories === undefined ? "all" : "selected",
      access_tokens_url: this.api(`/app/installations/${id}/access_tokens`),
      repositories_url: this.api("/installation/repositories"),
      html_url: `${this.#site()}/settings/installations/${id}`,
      created_at: date(createdMs),
      updated_at: date(createdMs),
      suspended_at: suspended ? date(this.#world.clock.now()) : null,
    };
  }

  repository(repository: Repository): Shape {
    const { private: isPrivate, archived, defaultBranch } = repository;
    const state = `${fullName(repository)} ${isPrivate} ${archived} ${defaultBranch}`;
    return this.#once(repository, state, () => this.#repository(repository));
  }

  #repository(repository: Repository): Shape {
    const name = fullName(repository);
    return {
      id: repository.id,
      node_id: `R_${repository.id}`,
      name: repository.name,
      full_name: name,
      owner: this.user(repository.owner),
      private: repository.private,
      fork: repository.parent !== undefined,
      archived: repository.archived,
      disabled: false,
      visibility: repository.private ? "private" : "public",
      default_branch: repository.defaultBranch,
      url: this.api(`/repos/${name}`),
      html_url: `${this.#site()}/${name}`,
      clone_url: `${this.#site()}/${name}.git`,
    };
  }

  reference(repository: Repository, ref: string, commit: string): Shape {
    const of = this.api(`/repos/${fullName(repository)}/git`);
    const object = { type: "commit", sha: commit, url: `${of}/commits/${commit}` };
    return { ref, node_id: `REF_${ref}`, url: `${of}/${ref}`, object };
  }

  branch(repository: Repository, name: string, commit: string): Shape {
    const url = this.api(`/repos/${fullName(repository)}/commits/${commit}`);
    return { name, commit: { sha: commit, url }, protected: false };
  }

  commit(repository: Repository, id: string): Shape {
    const { message = "", author = "", dateMs = 0, parents = [] } = repository.git.commits.get(id) ?? {};
    const url = this.api(`/repos/${fullName(repository)}/commits/${id}`);
    const who = { name: author, email: `${author}@users.example`, date: date(dateMs) };
    const account = this.#world.account(author);
    const user = account === undefined ? null : this.user(account);
    return {
      sha: id,
      url,
      html_url: `${this.#site()}/${fullName(repository)}/commit/${id}`,
      commit: { message, author: who, committer: who, url, comment_count: 0 },
      author: user,
      committer: user,
      parents: parents.map((sha) => ({ sha, url: this.api(`/repos/${fullName(repository)}/commits/${sha}`) })),
    };
  }

  pull(repository: Repository, pull: Pull): Shape {
    const { number, id, from, branch, commit, base } = pull;
    const url = this.api(`/repos/${fullName(repository)}/pulls/${number}`);
    const owner = from === undefined ? null : this.user(from.owner);
    const baseCommit = repository.heads.branches.get(base) ?? "0".repeat(40);
    return {
      id,
      number,
      node_id: `PR_${id}`,
      url,
      html_url: `${this.#site()}/${fullName(repository)}/pull/${number}`,
      state: pull.state,
      locked: false,
      draft: pull.draft,
      title: pull.title,
      body: pull.body,
      labels: pull.labels.map((name, at) => ({ id: at + 1, name })),
      user: this.user(pull.author),
      author_association: this.#association(repository, pull.author),
      created_at: date(pull.createdMs),
      updated_at: date(pull.updatedMs),
      closed_at: pull.state === "closed" ? date(pull.updatedMs) : null,
      merged_at: pull.merged ? date(pull.updatedMs) : null,
      head: {
        label: `${from?.owner.login ?? "unknown"}:${branch}`,
        ref: branch,
        sha: commit,
        user: owner,
        repo: from === undefined ? null : this.repository(from),
      },
      base: {
        label: `${repository.owner.login}:${base}`,
        ref: base,
        sha: baseCommit,
        user: this.user(repository.owner),
        repo: this.repository(repository),
      },
    };
  }

  #association(repository: Repository, author: Account): string {
    if (repository.owner.id === author.id) return "OWNER";
    if (this.#world.members.get(repository.owner.id)?.has(author.id) === true) return "MEMBER";
    return repository.roles.has(author.id) ? "COLLABORATOR" : "NONE";
  }

  checkSuite(repository: Repository, suite: CheckSuite): Shape {
    const runs = repository.checkRuns.filter((run) => run.suite.id === suite.id);
    const isDone = !suite.rerequested && runs.length > 0 && runs.every((run) => run.fields["status"] === "completed");
    const { message = "", author = "" } = repository.git.commits.get(suite.commit) ?? {};
    const who = { name: author, email: `${author}@users.example` };
    const conclusion = runs.map((run) => run.fields["conclusion"]).find((one) => one !== "success") ?? "success";
    return {
      id: suite.id,
      node_id: `CS_${suite.id}`,
      head_sha: suite.commit,
      head_branch: suite.branch ?? null,
      status: isDone ? "completed" : "queued",
      conclusion: isDone ? conclusion : null,
      url: this.api(`/repos/${fullName(repository)}/check-suites/${suite.id}`),
      app: this.app(),
      repository: this.repository(repository),
      pull_requests: [],
      created_at: date(suite.createdMs),
      updated_at: date(suite.createdMs),
      latest_check_runs_count: runs.length,
      head_commit: { id: suite.commit, tree_id: suite.commit, message, author: who, committer: who },
    };
  }

  checkRun(repository: Repository, run: CheckRun): Shape {
    const { actions: _, output: said, ...rest } = run.fields;
    const output: Shape = isShape(said) ? said : {};
    const { title = null, summary = null, text = null, annotations } = output;
    const url = this.api(`/repos/${fullName(repository)}/check-runs/${run.id}`);
    return {
      external_id: "",
      conclusion: null,
      started_at: null,
      completed_at: null,
      details_url: this.app()["html_url"] ?? null,
      ...rest,
      id: run.id,
      node_id: `CR_${run.id}`,
      head_sha: run.commit,
      url,
      html_url: `${this.#site()}/${fullName(repository)}/runs/${run.id}`,
      output: {
        title,
        summary,
        text,
        annotations_count: Array.isArray(annotations) ? annotations.length : 0,
        annotations_url: `${url}/annotations`,
      },
      check_suite: { id: run.suite.id },
      app: this.app(),
      pull_requests: [],
    };
  }

  status(repository: Repository, status: CommitStatus): Shape {
    const { id, state, context, description, targetUrl, createdMs, commit } = status;
    return {
      id,
      node_id: `SC_${id}`,
      state,
      context,
      description,
      target_url: targetUrl,
      avatar_url: null,
      url: this.api(`/repos/${fullName(repository)}/statuses/${commit}`),
      creator: this.#bot(),
      created_at: date(createdMs),
      updated_at: date(createdMs),
    };
  }

  deployment(repository: Repository, deployment: Deployment): Shape {
    const url = this.api(`/repos/${fullName(repository)}/deployments/${deployment.id}`);
    return {
      id: deployment.id,
      node_id: `DE_${deployment.id}`,
      url,
      sha: deployment.commit,
      ref: deployment.ref,
      task: deployment.task,
      payload: deployment.payload,
      environment: deployment.environment,
      original_environment: deployment.environment,
      description: deployment.description,
      transient_environment: deployment.transient,
      production_environment: deployment.production,
      creator: this.#bot(),
      statuses_url: `${url}/statuses`,
      repository_url: this.api(`/repos/${fullName(repository)}`),
      created_at: date(deployment.createdMs),
      updated_at: date(deployment.statuses.at(-1)?.createdMs ?? deployment.createdMs),
    };
  }

  deploymentStatus(repository: Repository, deployment: Deployment, status: DeploymentStatus): Shape {
    const { id, state, description, environmentUrl, logUrl, createdMs } = status;
    const of = this.api(`/repos/${fullName(repository)}/deployments/${deployment.id}`);
    return {
      id,
      node_id: `DES_${id}`,
      url: `${of}/statuses/${id}`,
      state,
      description,
      environment: deployment.environment,
      // GitHub gives "" for those that nobody set, against its own description.
      ...(environmentUrl === "" ? {} : { environment_url: environmentUrl }),
      ...(logUrl === "" ? {} : { log_url: logUrl, target_url: logUrl }),
      creator: this.#bot(),
      deployment_url: of,
      repository_url: this.api(`/repos/${fullName(repository)}`),
      created_at: date(createdMs),
      updated_at: date(createdMs),
    };
  }

  comment(repository: Repository, comment: Comment): Shape {
    const { id, body, author, issue, createdMs, updatedMs } = comment;
    const name = fullName(repository);
    return {
      id,
      node_id: `IC_${id}`,
      body,
      user: this.user(author),
      author_association: this.#association(repository, author),
      url: this.api(`/repos/${name}/issues/comments/${id}`),
      html_url: `${this.#site()}/${name}/pull/${issue}#issuecomment-${id}`,
      issue_url: this.api(`/repos/${name}/issues/${issue}`),
      created_at: date(createdMs),
      updated_at: date(updatedMs),
    };
  }

  team({ id, slug, org }: Team): Shape {
    return {
      id,
      node_id: `T_${id}`,
      slug,
      name: slug,
      description: null,
      privacy: "closed",
      permission: "pull",
      url: this.api(`/organizations/${org.id}/team/${id}`),
      html_url: `${this.#site()}/orgs/${org.login}/teams/${slug}`,
      parent: null,
      organization: this.organization(org),
    };
  }

  organization({ id, login }: Account): Shape {
    const url = this.api(`/orgs/${login}`);
    return { id, login, node_id: `O_${id}`, url };
  }

  #bot(): Json {
    return this.user({ id: this.#appId, login: `${APP.slug}[bot]`, type: "Bot" });
  }
}

/** As GitHub writes dates: whole seconds. */
export const date = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
