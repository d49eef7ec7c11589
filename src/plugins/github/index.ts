export type { GitHub, Installation, Permission, Rate, RepoName } from "./api.ts";
export { type CheckedBuild, type CheckedCommit, checkOf, jobUrl } from "./check-report.ts";
export { type CheckWant, checkKey } from "./check-want.ts";
export { checkSender } from "./checks.ts";
export { type DeploymentWant, deploymentKey, shortened } from "./deployment-want.ts";
export { deploymentSender } from "./deployments.ts";
export { createGitHub, PUBLIC_WEB, webOf } from "./github.ts";
export { githubSignIn } from "./sign-in.ts";
export { type GitHubDoor, githubDoor } from "./webhooks.ts";
