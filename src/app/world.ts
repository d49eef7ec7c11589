import type { SourceDeclaration, Swarm } from "../pipeline/types.ts";
import type { Installation } from "../plugins/github/index.ts";
import type { Result } from "../term/output.ts";

/** The outside as `millrace check` reads it. Every answer is a fact or the failure to get it; nothing is written. */
export interface World {
  /** Branch name → commit. Fails when the repository cannot be read. */
  branches(source: SourceDeclaration): Promise<Result<ReadonlyMap<string, string>>>;
  /** Whether `path` is a file in the tree of `commit`. May fetch into a cache of its own. */
  hasFile(source: SourceDeclaration, commit: string, path: string): Promise<Result<boolean>>;
  /** Where the app is installed, and what it may do there; left out without an app. */
  readonly installations?: () => Promise<Result<readonly Installation[]>>;
  /** Whether the target is there. Fails when its host cannot be reached. */
  hasTarget(target: Swarm): Promise<Result<boolean>>;
  /** Whether the registry (`127.0.0.1:5055`, `docker.io`) answers, and takes the credentials of `--registry-auth`. */
  reachesRegistry(registry: string): Promise<Result<void>>;
}
