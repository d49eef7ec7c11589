/** A strict GitHub on this machine, for tests. */
export type { Changes, PullOptions, PushOptions } from "./acts.ts";
export type { Recorded } from "./exchange.ts";
export { FakeGitHub, type FakeGitHubOptions, type RepoOptions } from "./fake-github.ts";
export type { Mishap, Planned } from "./mishaps.ts";
export type { Delivery, SendOptions } from "./webhooks.ts";
export type { Permissions, Repository, Role } from "./world.ts";
