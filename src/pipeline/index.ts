/** The words of `pipeline.ts`: everything that it and `contexts/` may import. */
export { deployer } from "./deployer.ts";
export { type Docker, docker } from "./docker.ts";
export { from } from "./from.ts";
export { git } from "./git.ts";
export { here } from "./here.ts";
export { publish } from "./publish.ts";
export { swarm } from "./swarm.ts";
export type {
  Branches,
  BuildDeclaration,
  Deployer,
  DockerBuild,
  DockerOptions,
  Duration,
  Flavour,
  Git,
  Host,
  ImageName,
  Publish,
  RepoName,
  Source,
  SourceDeclaration,
  Swarm,
  TargetDeclaration,
  UserId,
  WebUrl,
} from "./types.ts";
