export {
  type BuiltImage,
  buildImage,
  type DockerBuildContext,
  type DockerBuildKey,
  dockerBuild,
} from "./build.ts";
export { type CheckedBuild, type DockerCheckContext, type DockerCheckKey, dockerCheck } from "./check.ts";
export { connectEngine, type DockerClient, type Engine } from "./connect.ts";
export { type DockerPushContext, type DockerPushKey, dockerPush, type PushedImage } from "./push.ts";
