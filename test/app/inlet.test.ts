import { expect, it } from "vitest";
import { forgeViewOf } from "../../src/app/inlet.ts";
import { telling } from "../engine/effects/outbox-support.ts";

const MINUTE = 60_000;

it("tells how many messages wait, the age of the oldest, and what is in the way of it", async () => {
  const { outbox, other, input, pass, rig } = telling();
  const unsent = () => forgeViewOf(undefined, undefined, outbox).unsent;
  expect(unsent()).toBeUndefined();
  other.down = true;
  input.set("one=x");
  await pass(11 * MINUTE);
  input.set("two=x");
  await pass(MINUTE);
  expect(unsent()).toEqual({ count: 2, waitsMs: 12 * MINUTE, why: "the answer was lost" });
  rig.engine.confirm.set("harmless", "test");
  expect(unsent()).toMatchObject({ why: "the confirm threshold holds them back" });
  rig.engine.confirm.set("none", "test");
  other.down = false;
  await pass(10 * MINUTE);
  expect(unsent()).toBeUndefined();
});
