import type { Observable } from "rxjs";
import type { Readers } from "../engine/access/identity.ts";
import type { Change } from "../engine/effects/target.ts";
import type { Threshold } from "../engine/level.ts";
import type { Secret } from "../engine/secret.ts";
import type { JobView } from "../engine/view.ts";
import type { Deployer } from "../pipeline/types.ts";
import type { Failure, Result } from "../term/output.ts";

/** How GitHub is reached, and as whom. Without an app its public repositories are read as anybody may. */
export interface GitHubAccess {
  readonly app?: { readonly id: number; readonly key: Secret };
  /** What webhooks are signed with. */
  readonly webhookSecret?: Secret;
  /** Accounts that are served; undefined: all that have the app. */
  readonly allowlist?: readonly string[];
  /** Base of the API. */
  readonly api?: URL;
}

/** What a provider of sign-ins calls us, and what proves that it is us. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/** Who is told of deploys, beside the forge. */
export interface MessageAccess {
  /** The address of an incoming webhook. */
  readonly slack?: Secret;
  readonly webhook?: { readonly url: string; readonly secret: Secret };
  readonly mail?: { readonly server: string; readonly password?: Secret; readonly from: string; readonly to: string };
}

/** What every command that builds a graph needs: the pipeline, one flavour of it, and the way to the outside. */
export interface PipelineOptions {
  readonly deployer: Deployer;
  readonly flavour: string;
  /** Absolute path of pipeline.ts: relative git paths are resolved against its folder. */
  readonly pipeline: string;
  /** Absolute path of the state directory. */
  readonly state: string;
  /** `unix:///var/run/docker.sock`, `tcp://…`: the engine behind the host `here`. */
  readonly dockerHost: string;
  /** Absolute path of a file with credentials of registries, in the shape of Docker's config.json. */
  readonly registryAuth?: string;
  readonly github: GitHubAccess;
  readonly verbose: boolean;
}

export interface ServeOptions extends PipelineOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Addresses and networks of the proxies in front; default: none. */
  readonly trustProxy?: readonly string[];
  /** What the flag says; a value changed on the page holds as long as the flag is what it was. */
  readonly confirm: Threshold;
  /** A raised threshold falls back to the flag's after so many seconds. */
  readonly confirmAutoReleaseSec?: number;
  /** The engine that checks branches and pull requests; default: the same. */
  readonly untrustedDockerHost?: string;
  /** Nobody is told by default. */
  readonly messages?: MessageAccess;
  /** How people sign in with GitHub; without it only tokens do. */
  readonly oauth?: OAuthClient;
  /** Default: anyone. */
  readonly readers?: Readers;
}

export interface LocalOptions extends ServeOptions {
  /** Only this repository. */
  readonly only?: string;
}

export interface PlanOptions extends PipelineOptions {
  readonly only?: string;
  readonly confirm: Threshold;
}

/** A running deployer with its pages. */
export interface Running {
  /** Where it answers: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where its token is, and where the client commands find it: the state directory, or a dry run's temporary one. */
  readonly state: string;
  /** Each start, state change or end of a job; nothing of a dry run, where all of them wait. */
  readonly jobs: Observable<JobView>;
  /** Resolves once nothing is active any more (or all that is active is held), with what has been or would be done. */
  settled(): Promise<Plan>;
  /** Resolves after `stop`, or with a failure when the process must end (I/O error, corruption). */
  readonly done: Promise<Result<void>>;
  /** Ends it in order: no new jobs, open builds cancelled, deploys left to recovery. `why` goes to the audit log. */
  stop(why: string): Promise<void>;
}

/** What would happen, or what has. In the order of the graph. */
export interface Plan {
  readonly flavour: string;
  readonly lines: readonly PlanLine[];
}

/**
 * run: would run (or runs) now · held: would wait for a person · reuse: the result is there already ·
 * current: the target is as wanted · unknown: cannot be known before something is built · failed: see `failure`.
 */
export type PlanAction = "run" | "held" | "reuse" | "current" | "unknown" | "failed";

export interface PlanLine {
  readonly term: string;
  /** `pipeline.ts:12`. */
  readonly at?: string;
  readonly action: PlanAction;
  /** One sentence: "build Dockerfile of demo/hello at 9fceb02". */
  readonly detail: string;
  readonly changes?: readonly Change[];
  readonly failure?: Failure;
}
