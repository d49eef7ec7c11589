import { expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { problem } from "../../../src/engine/errors.ts";
import { Pool } from "../../../src/engine/pool.ts";
import type { Share } from "../../../src/engine/shares.ts";
import { connectEngine, type DockerCheckKey, dockerCheck } from "../../../src/plugins/docker/index.ts";
import { failure } from "../../../src/term/output.ts";
import { testJob } from "../../support/job.ts";

const MINUTE_MS = 60_000;
const SHARES = [{ name: "author 66", max: 2 }];

/** How long a check may take, and whose share it takes. */
async function started(more: Partial<DockerCheckKey>, timeoutMs?: number) {
  const engine = connectEngine("unix:///nowhere", createClock());
  if (!engine.ok) throw new Error(engine.error.message);
  const asked: (readonly Share[])[] = [];
  const job = testJob();
  const context = {
    engine: engine.value,
    checkout: async () => failure(problem("REPO_UNREACHABLE", "nowhere")),
    poolFor: (shares: readonly Share[]) => {
      asked.push(shares);
      return new Pool("checks", 1);
    },
  };
  const build = {
    source: { url: "x" },
    commit: "c",
    tree: "t",
    dockerfile: "Dockerfile",
    buildArgs: {},
    includeGit: false,
  };
  const timed = timeoutMs === undefined ? build : { ...build, timeoutMs };
  await dockerCheck.build(context, { build: timed, scope: "s", network: "none", shares: SHARES, ...more }, job);
  expect(asked).toEqual([SHARES]);
  return job.starts.map((start) => start.timeoutMs);
}

it("a check of a stranger's commit ends sooner, unless pipeline.ts says when", async () => {
  expect(await started({})).toEqual([50 * MINUTE_MS]);
  expect(await started({ stranger: true })).toEqual([20 * MINUTE_MS]);
  expect(await started({ stranger: true }, 30 * MINUTE_MS)).toEqual([30 * MINUTE_MS]);
});
