export type { GitHub, Installation, Permission, Rate, RepoName } from "./api.ts";
export { createGitHub, PUBLIC_API, webOf } from "./github.ts";
