import { posix } from "node:path";
import type { BuildDeclaration, RepoName } from "./types.ts";

/**
 * Term keys: `owner/repo/spec/branch:NAME/verb`, each segment percent-encoded, so that no text from outside can be
 * taken for a separator. They are stored and stay the same after a restart: changing their form loses every history.
 */
export const keys = {
  /** `owner/repo`. */
  repo: (repo: RepoName): string => joined(...repo.split("/")),
  /** `owner/repo/branch:NAME/head`: one for all builds of the branch. */
  head: (repo: RepoName, branch: string): string => `${keys.repo(repo)}/${keys.ofBranch(branch)}/head`,
  /** `owner/repo/spec/branch:NAME`: what the keys of all terms of a branch begin with. */
  branch: (repo: RepoName, build: BuildDeclaration, branch: string): string =>
    keys.checkedBuild(repo, build, keys.ofBranch(branch)),
  /** `branch:NAME`, as a segment. Only the prefix's colon is a real one: colons of a name are encoded. */
  ofBranch: (branch: string): string => `branch:${segment(branch)}`,
  /** `pr:N`, as a segment. */
  ofPull: (number: number): string => `pr:${number}`,
  /** `owner/repo/branch:NAME` or `owner/repo/pr:N`, of what `ofBranch` or `ofPull` gave: one for all builds of it. */
  checked: (repo: RepoName, head: string): string => `${keys.repo(repo)}/${head}`,
  /** `owner/repo/spec/pr:N`: the same of one build. */
  checkedBuild: (repo: RepoName, build: BuildDeclaration, head: string): string =>
    [keys.repo(repo), segment(specOf(build)), head].join("/"),
  /**
   * `owner/repo/spec/branch:NAME/verb…`, of what `branch` gave. Joined: texts that are put together with `+` are kept in
   * their parts, which weigh three times as much.
   */
  term: (branch: string, ...verb: readonly string[]): string => [branch, ...verb.map(segment)].join("/"),
};

/** What tells a build from the others of its repository: its `name`, or else the Dockerfile's path. */
export const specOf = (build: BuildDeclaration): string => build.options.name ?? posix.normalize(build.dockerfile);

const joined = (...segments: readonly string[]): string => segments.map(segment).join("/");

/** Most are: then there is nothing to encode. */
const PLAIN = /^[A-Za-z0-9_-]+$/;
/** `encodeURIComponent`, but never `.` or `..`, which would be read as a way up. */
const segment = (text: string): string =>
  PLAIN.test(text) ? text : /^\.+$/.test(text) ? "%2E".repeat(text.length) : encodeURIComponent(text);
