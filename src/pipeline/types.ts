import type { DriftPolicy } from "../engine/effects/drift.ts";

/**
 * What `pipeline.ts` declares: plain JSON, read-only, made by the constructors beside this file.
 *
 * Nothing here is a promise, a closure or a term, so that one value drives the graph, the plan, the documents, the
 * checks and the validation. `at` is the line that made a record, `pipeline.ts:12`; it is never part of a key.
 */

/** `owner/name`: how a repository is called everywhere, whatever its forge or path. */
export type RepoName = `${string}/${string}`;

/** An image with its tag: `owner/name:tag` (Docker Hub) or `registry.example:5000/name:tag`. */
export type ImageName = `${string}:${string}`;

/** A length of time: `"90s"`, `"50m"`, `"2h"`, `"7d"`. */
export type Duration = `${number}${"s" | "m" | "h" | "d"}`;

/** The address of a web page. */
export type WebUrl = `http://${string}` | `https://${string}`;

/**
 * A person: the login provider, a colon and the name there, `github:avsm`; with their number (`github:avsm#1234`) it stays
 * theirs when they are renamed. Or a team: `github:org/team`.
 */
export type UserId = `${string}:${string}`;

/** A machine that targets live on. Machines are named in `contexts/hosts.ts`. */
export interface Host {
  /** Permanent: it is part of every key and lane of what runs there. */
  readonly host: string;
}

/** What every target takes. Shared by `swarm.with(options)` and `publish.with(options)`. */
export interface TargetOptions {
  /** What is done when somebody changes the target by hand. Default `"report"`. */
  readonly drift?: DriftPolicy;
}

/** A Docker Swarm service that is moved to the published image. Made by `swarm()`. */
export interface Swarm extends TargetOptions {
  readonly kind: "swarm";
  readonly host: Host;
  readonly service: string;
  /** Where people reach the service. */
  readonly url?: WebUrl;
  readonly at: string;
}

/** Everything that can be moved to an image. A new kind of target is one more member and one line in `targets.ts`. */
export type TargetDeclaration = Swarm;

/** An image tag that follows a branch, and the services that run it. Made by `publish()`. */
export interface Publish extends TargetOptions {
  readonly kind: "publish";
  readonly image: ImageName;
  /** Moved one by one after the tag; empty when nothing here runs the image. */
  readonly services: readonly TargetDeclaration[];
  readonly at: string;
}

/** How an image is built. Shared by `docker.with(options)`. */
export interface DockerOptions {
  /**
   * Names this build within its repository, in keys and on pages. Default: the Dockerfile's path. Needed when one
   * Dockerfile is built twice with different options.
   */
  readonly name?: string;
  /** Values for `ARG` in the Dockerfile. They end in the image's history: a secret is refused by its type. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Puts `.git` into the build's context. The image then depends on the commit, not on the tree alone. Default false. */
  readonly includeGit?: boolean;
  /** Checks out submodules too; else their directories stay empty. Default true. */
  readonly submodules?: boolean;
  /** How long a build may run before it is cancelled. Default `"50m"`. */
  readonly timeout?: Duration;
  /**
   * Gives the network to builds of strangers' pull requests that a maintainer approved. Default false: they have none,
   * since whoever wrote them decides what is sent over it.
   */
  readonly unsafeNetwork?: boolean;
}

/** The branches that are deployed; a branch that is not named is left alone. */
export type Branches = Readonly<Record<string, Publish>>;

/** One Dockerfile of a repository, and what its branches become. Made by `docker()`. */
export interface DockerBuild {
  readonly kind: "docker";
  /** Path from the root of the repository. */
  readonly dockerfile: string;
  readonly options: DockerOptions;
  /** Empty: the build is only checked, and deployed nowhere. */
  readonly branches: Branches;
  readonly at: string;
}

/** Everything that builds an image. */
export type BuildDeclaration = DockerBuild;

/** A git repository by path or URL. Made by `git()`. */
export interface Git {
  readonly kind: "git";
  /** A path (relative to the folder of `pipeline.ts`) or any URL that git reads. */
  readonly url: string;
  readonly at: string;
}

/** A repository on GitHub: what a bare `docker()` as the value of its name means. */
export interface GitHubRepo {
  readonly kind: "github";
  readonly repo: RepoName;
  readonly at: string;
}

/** Where the commits of a repository come from. A new forge is one more member and one line in `forges.ts`. */
export type SourceDeclaration = Git | GitHubRepo;

/** A repository: where its commits come from, and what is built of them. Made by `from()`. */
export interface Source {
  readonly source: SourceDeclaration;
  readonly kind: "from";
  readonly builds: readonly BuildDeclaration[];
  readonly at: string;
}

/** What stands for a repository: its builds, when it is on GitHub under the name that is the key; else `from()`. */
export type RepoDeclaration = BuildDeclaration | readonly BuildDeclaration[] | Source;

/** A flavour as it is written: what `deployer()` takes. */
export interface FlavourDeclaration extends Omit<Flavour, "repos"> {
  /** What is deployed, by `owner/name`. */
  readonly repos: Readonly<Record<RepoName, RepoDeclaration>>;
}

/** Somebody who may rebuild and cancel what moves these services, and nothing that moves others. */
export interface LimitedBuilder {
  readonly who: UserId;
  /** Names of services, with `@machine` where that is not `here`; an image with its tag where no service runs it. */
  readonly services: readonly string[];
}

/** One deployer's share of the pipeline: it runs by itself, with its own state and its own targets. */
export interface Flavour {
  /** Where the deployer's own pages are reached; links in statuses and messages begin with it. */
  readonly url?: WebUrl;
  /** People and teams who may do everything. */
  readonly admins?: readonly UserId[];
  /** Those who may rebuild and cancel, some of them for the services that are named only. */
  readonly builders?: readonly (UserId | LimitedBuilder)[];
  /** Those who may read, where `--read named` keeps it from others; admins and builders may anyway. */
  readonly viewers?: readonly UserId[];
  /**
   * Branches whose newest commit is older are not checked; the default branch and those that are deployed always are.
   * Default: no branch is too old.
   */
  readonly staleness?: Duration;
  /** What is deployed, by `owner/name`; where each comes from is said. */
  readonly repos: Readonly<Record<RepoName, Source>>;
}

/** The whole of `pipeline.ts`. Made by `deployer()`. */
export interface Deployer {
  readonly kind: "deployer";
  readonly flavours: Readonly<Record<string, Flavour>>;
  readonly at: string;
}

/** One thing that is wrong with a pipeline, and where. `code` is one of `engine/errors.ts`. */
export interface Problem {
  /** `pipeline.ts:12`. */
  readonly at: string;
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly hint: string;
}
