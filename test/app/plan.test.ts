import { expect, it } from "vitest";
import { planOf } from "../../src/app/plan.ts";
import { serviceOf } from "../../src/engine/effects/service.ts";
import { deploying } from "../engine/effects/lane-support.ts";

const declared = { name: "web", host: "here", place: "web", source: "acme/web live", at: "pipeline.ts:1" };

it("a plan calls a target that does not run failed at once, though its lane gives it a minute to start", async () => {
  const made = deploying({}, "old");
  const actions = () => {
    const services = [serviceOf(made.lane, declared)];
    const { lines } = planOf(made.rig.engine, { services }, "demo", () => false);
    return lines.filter(({ term }) => term === "web/deploy").map(({ action, failure }) => [action, failure?.code]);
  };
  await made.pass();
  expect(actions()).toEqual([["current", undefined]]);
  made.world.falls("web", "0 of 1 run");
  await made.pass(61_000);
  expect([made.shows(), actions()]).toEqual(["active running", [["failed", "TARGET_DOWN"]]]);
  made.input.set("new");
  await made.pass(1_000);
  expect(actions()[0]?.[1]).toBeUndefined(); // what is there is about to be replaced
});
