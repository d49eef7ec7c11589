// kill -9 of the real server at many moments of its deploys, several services at a time, on a real Swarm.
// More of them, and other ones: npm run kill -- --kills 1000 --seed 7
import { describe, expect, it } from "vitest";
import { runKills } from "../kill/run.ts";
import { hasParts } from "./rig.ts";

/** Chosen for no other reason than that every kind of strike is among its first ones. */
const SEED = 5;
const LIMIT_MS = 20 * 60_000;

describe.skipIf(!hasParts)("kill -9, again and again", () => {
  it(
    "a hundred interrupted intents: one task for each deploy, the newest runs, nothing said is lost or untrue",
    async () => {
      const tally = await runKills({ seed: SEED, kills: 20, interrupted: 100 });
      process.stdout.write(`${tally.text()}\n`);
      expect(tally.interrupted).toBeGreaterThanOrEqual(100);
      expect(tally.tasks).toBe(tally.deploys);
    },
    LIMIT_MS,
  );
});
