// Fifty pushes in ten seconds: the newest ends up running, one update at a time.
import { Readable } from "node:stream";
import { Type } from "typebox";
import { Check } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine } from "../support/service.ts";
import { hasParts, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import { until } from "./until.ts";

const PUSHES = 50;
const WITHIN_MS = 10_000;
/** The machine may be busy: then the pushes take longer, and are no easier. */
const WITHIN_MS_MAX = 60_000;

describe.skipIf(!hasParts)("fifty pushes in ten seconds", () => {
  let world: World;
  /** Commits whose images are known: going back to one needs no build, so that it is wanted at once. */
  const built: string[] = [];

  beforeAll(async () => {
    world = await startWorld();
    await world.serve();
    for (const version of ["a", "b"]) {
      const { commit } = world.push(await sample(version));
      await world.server.rolledOut(commit);
      built.push(commit);
    }
  });
  afterAll(() => world.close());

  it("never make two updates at once, and end with the newest", async () => {
    const commits = await commitsToPush();
    const updates = await watchUpdates(world.service());
    const beganMs = performance.now();
    for (const [at, commit] of commits.entries()) {
      await untilMs(beganMs + (at * WITHIN_MS) / PUSHES);
      world.work.git("push", "--quiet", "--force", world.repository, `${commit}:refs/heads/live`);
    }
    const tookMs = performance.now() - beganMs;
    const { jobs } = await world.server.rolledOut(commits.at(-1) ?? "");
    const deploys = (await world.server.history()).filter(({ kind }) => kind === "swarm");
    const told = await updates.stop();

    expect(tookMs).toBeLessThan(WITHIN_MS_MAX);
    expect(await world.request()).toEqual({ status: 200, text: `version=${PUSHES}\n` });
    expect((await world.now()).image).toBe(`${world.image}@${await world.digestOf("live")}`);
    expect(told).toMatch(/^(image updating completed ){2,}$/);
    expect(overlaps(deploys.map(({ created, ended }) => [created, ended]))).toEqual([]);
    const runs = jobs.filter(({ op }) => op === "swarm");
    expect(overlaps(runs.map(({ started, ended }) => [started, ended]))).toEqual([]);
    expect(deploys.map(({ state }) => state)).not.toContain("failed");
    expect(deploys.length).toBeLessThan(PUSHES / 2);
    expect(jobs.filter(({ op, state }) => op === "docker-build" && state === "ok").length).toBeLessThan(PUSHES / 2);
  });

  /** Two of three go back to what is built already; the last one is new. */
  async function commitsToPush(): Promise<readonly string[]> {
    const commits: string[] = [];
    for (let number = 1; number <= PUSHES; number += 1) {
      const known = built[number % 3];
      commits.push(known ?? world.work.commit(await sample(String(number))));
    }
    return commits;
  }
});

const ServiceEvent = Type.Object({
  Actor: Type.Object({ Attributes: Type.Record(Type.String(), Type.String()) }),
});

/** What the engine itself tells of a service from now on: `image` when it is given one, `updating`, `completed`, … */
async function watchUpdates(service: string): Promise<{ stop(): Promise<string> }> {
  const stream = await testEngine().getEvents({ filters: { type: ["service"], service: [service] } });
  let text = "";
  stream.on("data", (chunk) => {
    text += String(chunk);
  });
  const words = (): readonly string[] =>
    text.split("\n").flatMap((line) => {
      const event: unknown = line === "" ? undefined : JSON.parse(line);
      if (!Check(ServiceEvent, event)) return [];
      const { "image.new": image, "updatestate.new": state } = event.Actor.Attributes;
      return image === undefined ? (state ?? "other") : "image";
    });
  return {
    stop: async () => {
      await until("the last update is told", 10_000, () => words().at(-1) === "completed");
      if (stream instanceof Readable) void stream.destroy();
      return words()
        .map((word) => `${word} `)
        .join("");
    },
  };
}

/** Waits for a moment: the pushes are as far apart as they are said to be. */
const untilMs = (atMs: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, atMs - performance.now()));
  });

/** The intervals that begin before an earlier one has ended; what never began is none. */
function overlaps(intervals: readonly (readonly [string | undefined, string | undefined])[]): readonly string[] {
  const began = intervals
    .filter(([from]) => from !== undefined)
    .toSorted(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1));
  return began.flatMap(([from = ""], at) => {
    const [, ended = "never"] = began[at - 1] ?? ["", ""];
    return from < ended ? [`${from} begins before ${ended}`] : [];
  });
}
