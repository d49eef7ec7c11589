import { array, assert, asyncProperty, constantFrom, nat, oneof, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/engine/cache/digest.ts";
import { problem } from "../../src/engine/errors.ts";
import type { JobSpec } from "../../src/engine/jobs.ts";
import { PreviousRuns } from "../../src/engine/previous-runs.ts";
import type { RunningJob } from "../../src/engine/running-job.ts";
import { createRig, type Rig } from "../../src/testing/index.ts";
import { jobRow } from "./store/support.ts";

const spec: JobSpec = { op: "dummy", term: "web", key: "k", description: "", level: "average", inputs: {}, build: 1 };

const begin = record({
  does: constantFrom("begin" as const),
  term: constantFrom("web", "web", "web", "api"),
  op: constantFrom("dummy", "dummy", "dummy", "other"),
  commit: constantFrom("1", "2"),
});
const end = record({ does: constantFrom("end" as const), which: nat(), fails: constantFrom(true, false) });
const restart = record({ does: constantFrom("restart" as const) });

/** What the table says of the inputs of a job that is about to be made, and what was written down with it. */
async function begun(rig: Rig, more: Partial<JobSpec>) {
  const { term = "", op = "", inputs = {} } = more;
  const last = rig.store.queries.lastRun(term, op);
  const expected = Object.entries(inputs).map(([name, text]) => [name, last?.inputs[name] !== digestOf(text)]);
  const job = rig.engine.jobs.create({ ...spec, ...more });
  await job.start({ level: "average" });
  const written = rig.store.queries.jobInputs(job.id).map(({ name, changed }) => [name, changed]);
  return { job, expected, written };
}

describe("the run before", () => {
  it("is in memory what it is in the table, whatever order jobs end in, and after a restart", async () => {
    const moves = array(oneof({ weight: 4, arbitrary: begin }, { weight: 4, arbitrary: end }, restart), {
      maxLength: 30,
    });
    await assert(
      asyncProperty(moves, async (moved) => {
        let rig = createRig();
        let open: RunningJob[] = [];
        const told: unknown[] = [];
        const meant: unknown[] = [];
        for (const move of moved) {
          if (move.does === "restart") {
            rig = await rig.restart();
            open = [];
          } else if (move.does === "end") {
            const [job] = open.splice(move.which % Math.max(1, open.length), 1);
            await job?.end(move.fails ? problem("BUILD_FAILED", "exit status 1") : undefined);
          } else {
            const { term, op, commit } = move;
            const { job, expected, written } = await begun(rig, { term, op, inputs: { commit, file: "Dockerfile" } });
            told.push(written);
            meant.push(expected);
            open.push(job);
          }
        }
        expect(told).toEqual(meant);
      }),
      { numRuns: 120 },
    );
  });

  it("is forgotten with a term that is gone, so that memory does not grow with every branch that ever was", () => {
    const { engine } = createRig();
    const runs = new PreviousRuns(engine);
    for (let branch = 0; branch < 5_000; branch++) {
      const row = jobRow(`2026-11-21/070000-build-${branch}`, { term: `web/branch:${branch}`, state: "ok" });
      runs.of(row.term, row.op);
      runs.begin(row.id, {});
      runs.end(row);
    }
    expect(runs.size).toBeLessThan(1_100);
  });
});
