/** The words of `pipeline.ts`: everything that it and `contexts/` may import. */
export type { DriftPolicy } from "../engine/effects/drift.ts";
export { deployer } from "./deployer.ts";
export { type Docker, docker } from "./docker.ts";
export { from } from "./from.ts";
export { git } from "./git.ts";
export { here } from "./here.ts";
export { type PublishWord, publish } from "./publish.ts";
export { type SwarmWord, swarm } from "./swarm.ts";
export type {
  Branches,
  BuildDeclaration,
  Deployer,
  DockerBuild,
  DockerOptions,
  Duration,
  FlavourDeclaration as Flavour,
  Git,
  GitHubRepo,
  Host,
  ImageName,
  LimitedBuilder,
  Publish,
  RepoDeclaration,
  RepoName,
  Source,
  SourceDeclaration,
  Swarm,
  TargetDeclaration,
  TargetOptions,
  UserId,
  WebUrl,
} from "./types.ts";
