import type { Builder } from "../../src/engine/cache/builder.ts";
import type { Clock } from "../../src/engine/clock.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Job } from "../../src/engine/job.ts";
import { Pool } from "../../src/engine/pool.ts";
import { watchGitHub } from "../../src/pipeline/github.ts";
import type { RepoName } from "../../src/pipeline/types.ts";
import type { WatchPorts } from "../../src/pipeline/watched.ts";
import {
  type CheckedBuild,
  connectEngine,
  type DockerCheckContext,
  type DockerCheckKey,
  dockerCheck,
} from "../../src/plugins/docker/index.ts";
import { type FetchedCommit, type GitContext, type GitFetchKey, gitFetch } from "../../src/plugins/git/index.ts";
import type { GitHub } from "../../src/plugins/github/index.ts";
import { type Result, success } from "../../src/term/output.ts";
import { box } from "../engine/cache/support.ts";

/** What a builder of checks is given where none really builds. */
export function noEngine(clock: Clock, places = 1): DockerCheckContext {
  const docked = connectEngine("unix:///nowhere", clock);
  if (!docked.ok) throw new Error(docked.error.message);
  return {
    engine: docked.value,
    checkout: () => Promise.reject(new Error("nothing is checked out")),
    poolFor: () => new Pool("check", places),
  };
}

/** The builder of checks, all but the engine: what is said of a build comes of it. */
export const checkBuilder = (
  come: (key: DockerCheckKey, job: Job) => Promise<Result<CheckedBuild>>,
): Builder<DockerCheckContext, DockerCheckKey, CheckedBuild> => ({
  ...dockerCheck,
  build: async (_context, key, job) => {
    await job.start({ level: "average" });
    return come(key, job);
  },
});

/** Fetches nothing: any commit is there at once. */
export const anyCommit: Builder<GitContext, GitFetchKey, FetchedCommit> = {
  ...gitFetch,
  build: async (_context, { commit }, job) => {
    await job.start({ level: "harmless" });
    return success({ commit, tree: commit, author: "a", subject: "s", whenMs: 0 });
  },
};

/** Reading heads by git, which finds none: GitHub is what tells of them. */
export const noGit: WatchPorts["heads"] = {
  read: async () => success(new Map<string, string>()),
  watch: () => () => {},
};

/** A repository's branches and pull requests, as GitHub alone tells them. */
export function watchedAt(github: GitHub, engine: Engine, repo: RepoName) {
  const watched = watchGitHub({ engine, heads: noGit, forge: { github } }, repo, box("heads"));
  const { refs, reread } = watched;
  if (refs === undefined || reread === undefined) throw new Error("no pull requests");
  return { ...watched, refs, reread };
}
