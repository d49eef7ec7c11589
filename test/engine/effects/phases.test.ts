// What may come at any moment of a deploy, at every point where its driver waits for something: a new head, or Cancel.
import { describe, expect, it } from "vitest";
import type { Result } from "../../../src/term/output.ts";
import { success } from "../../../src/term/output.ts";
import { type Deploying, deploying } from "./lane-support.ts";

const HOUR_MS = 3_600_000;

/** A deploy of `one`, with something done at each point that is passed; the head's re-read is one. */
async function run(at: (point: string, passed: number, made: Deploying) => void): Promise<Deploying> {
  let passed = 0;
  const reach = (point: string): false => {
    if (point.endsWith("commit event")) return false; // of the input that the test itself sets, while it does
    passed += 1;
    at(point, passed, made);
    return false;
  };
  const made = deploying({ dies: reach });
  made.fresh = async () => {
    reach("head");
    return success(undefined);
  };
  made.input.set("one");
  await made.pass(5 * 60_000);
  return made;
}

/** The points of a deploy that nothing happens to, up to its ending. */
async function pointsOf(): Promise<readonly string[]> {
  const points: string[] = [];
  await run((point) => points.push(point));
  return points.slice(0, points.findLastIndex((point) => point.includes("commit")) + 1);
}

describe("a new head", () => {
  it.each([[["two"]], [["two", "three"]], [["two", "old"]], [["two", "one"]]])(
    "%j, at every point of a deploy: one at a time, the newest next, nothing that is known to be unwanted",
    async (heads) => {
      const points = await pointsOf();
      expect(points.length).toBeGreaterThan(15);
      const wrong: string[] = [];
      for (let n = 1; n <= points.length; n += 1) {
        const wanted: string[] = ["one"];
        const known: (string | undefined)[] = [];
        const made = await run((point, passed, { input }) => {
          if (point === "before apply") known.push(wanted.at(-1));
          const next = heads[passed - n];
          if (next === undefined) return;
          wanted.push(next);
          input.set(next);
        });
        wrong.push(...faultsOf(made, heads.at(-1) ?? "", known).map((what) => `${n} ${points[n - 1]}: ${what}`));
      }
      expect(wrong).toEqual([]);
    },
  );
});

/** @param known What was wanted each time just before a write was sent. */
function faultsOf(made: Deploying, ends: string, known: readonly (string | undefined)[]): readonly string[] {
  const moves = made.moves();
  const generations = made.world.moves.map(({ generation }) => generation);
  const found: readonly (readonly [boolean, string])[] = [
    [made.world.thing("web")?.running !== ends, `it runs ${made.world.thing("web")?.running}, not ${ends}`],
    [made.shows() !== `ok ${ends}`, `it shows ${made.shows()}`],
    [moves.join() !== known.join(), `it sent ${moves.join()}, wanted was ${known.join()}`],
    [generations.some((one, at) => one <= (generations[at - 1] ?? 0)), `generations ${generations.join()}`],
    [overlaps(made), `deploys at the same time: ${JSON.stringify(made.world.moves)}`],
    [made.rows().some(({ endedMs }) => endedMs === null), "an intent is open"],
    [made.jobs().some(({ endedMs }) => endedMs === null), "a job is open"],
  ];
  return found.filter(([wrong]) => wrong).map(([, what]) => what);
}

/** A write that arrived while an earlier one was still moving the thing. */
const overlaps = ({ world }: Deploying): boolean =>
  world.moves.some(({ atMs }, at) => at > 0 && atMs < (world.moves[at - 1]?.atMs ?? 0) + world.moveMs);

describe("Cancel", () => {
  it("at every point of a deploy: either nothing was sent, or it is refused and the deploy goes on", async () => {
    const points = await pointsOf();
    const answered: (readonly [string, string])[] = [];
    for (const [index, point] of points.entries()) {
      const answers: Promise<Result<void>>[] = [];
      const made = await run((_point, passed, { rig }) => {
        const [job] = rig.engine.jobs.open.values();
        if (passed === index + 1 && job !== undefined) answers.push(rig.engine.jobs.cancel(job.id, "ann", "no"));
      });
      const [answer] = await Promise.all(answers);
      if (answer === undefined) continue;
      const told = [
        made
          .jobs()
          .map(({ state }) => state)
          .join(),
        made.shows(),
        made.moves().join(),
      ].join(" · ");
      answered.push([`${index + 1} ${point}`, `${answer.ok ? "cancelled" : answer.error.code}: ${told}`]);
      if (answer.ok) await expectLeftAlone(made);
    }
    const cancelled = "cancelled: cancelled · failed DEPLOY_FAILED cancelled by ann: no · ";
    const refused = "NOT_POSSIBLE: ok · ok one · one";
    const seal = answered.findIndex(([, what]) => what !== cancelled);
    expect(answered.slice(0, seal).map(([point]) => point.replace(/^\d+ /, ""))).toContain("head");
    expect(answered.slice(seal)).toEqual(answered.slice(seal).map(([point]) => [point, refused]));
    expect(answered[seal]?.[0]).toMatch(/before commit intent planned$/);
  });
});

describe("the end of the process", () => {
  it("while a write is being prepared is no ending of the intent: the next process sends it", async () => {
    const made = deploying({
      dies: (point) => {
        // A kind that is interrupted before it has sent anything refuses: a tag's, while it reads the manifest.
        if (point === "before apply")
          for (const job of made.rig.engine.jobs.open.values()) job.interrupt("Millrace is being stopped");
        return false;
      },
    });
    made.world.mishaps.push("refused");
    made.input.set("one");
    await made.pass();
    expect([made.intents(), made.jobs().map(({ state }) => state)]).toEqual([["1 planned"], ["interrupted"]]);
    const next = await made.restart("one");
    await next.pass();
    expect([next.shows(), next.moves(), next.intents()]).toEqual(["ok one", ["one"], ["1 verified"]]);
  });
});

/** It is not tried again by itself: not in an hour, nor after a restart. */
async function expectLeftAlone(made: Deploying): Promise<void> {
  await made.pass(HOUR_MS);
  const next = await made.restart("one");
  await next.pass(HOUR_MS);
  expect([next.world.arrivals, next.jobs().length, next.shows()]).toEqual([
    [],
    1,
    "failed DEPLOY_FAILED cancelled by ann: no",
  ]);
}
