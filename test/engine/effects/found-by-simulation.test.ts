// What the simulation (test/sim) has found, as the shortest histories that show it.
import { describe, expect, it } from "vitest";
import { active, success } from "../../../src/term/output.ts";
import { deploying } from "./lane-support.ts";

describe("a target whose wanted value is not known at the moment", () => {
  it("is looked at all the same: what pages say of it stays true", async () => {
    const { pass, input, lane, world } = deploying({}, "one");
    await pass();
    input.show(active("running", "web/image"));
    await pass();
    world.byHand("web", { running: "another" });
    await pass(70_000);
    expect(lane.lastSeen?.running).toBe("another");
  });

  it("is ok again only once it was looked at", async () => {
    const { pass, input, shows, rig, world } = deploying({}, "one");
    await pass();
    input.show(active("running", "web/image"));
    await pass(1_000);
    world.byHand("web", { running: "another" });
    const shown: string[] = [];
    rig.engine.steps.subscribe(() => shown.push(shows()));
    input.set("one");
    await pass();
    expect(shown.filter((text) => text.startsWith("ok"))).toEqual([]);
    expect(shows()).toMatch(/^failed DRIFTED/);
  });
});

describe("a write without an answer", () => {
  it("is sent again only after the head was read again: that may be long after", async () => {
    const made = deploying({}, "one");
    let reads = 0;
    made.fresh = async () => {
      reads += 1;
      return success(undefined);
    };
    made.world.mishaps.push("lost");
    await made.pass();
    expect([made.shows(), made.verbs(), reads]).toEqual(["ok one", ["fence", "apply"], 2]);
  });
});
