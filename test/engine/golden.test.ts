import { describe, expect, it } from "vitest";
import { cached } from "../../src/engine/cache/cache.ts";
import { deploy } from "../../src/engine/effects/deploy.ts";
import { monitor } from "../../src/engine/monitor.ts";
import { all, gate } from "../../src/term/combinators.ts";
import { success } from "../../src/term/output.ts";
import { createRig, DummyBuilder, dummyMonitor, FakeWorld, graphText, textCodec } from "../../src/testing/index.ts";
import { box, failed, MINUTE } from "./cache/support.ts";

/** Head → build → tag, and a service that waits for the tag. */
function pipeline() {
  const rig = createRig();
  const { engine } = rig;
  const world = new FakeWorld(rig.clock);
  for (const name of ["tag", "web"]) world.byHand(name, { running: "nothing" });
  const heads = dummyMonitor("heads", textCodec, MINUTE);
  const builder = new DummyBuilder({ id: "build" });
  const head = monitor(engine, box("1 head"), heads.spec).term;
  const image = cached(engine, box("2 build"), builder, "", head);
  const options = { owner: "demo", fresh: async () => success(undefined) };
  const kind = world.kind(rig);
  const tag = deploy(engine, box("3 tag"), kind, "tag", image, options).term;
  const web = deploy(engine, box("4 web"), kind, "web", gate(image, tag), options).term;
  all(engine.world, { tag, web }, box("5 all"));
  engine.change(undefined, () => {});
  const drawn = async (ms = 0): Promise<readonly string[]> => {
    await rig.clock.advance(ms);
    return graphText(engine)
      .trim()
      .split("\n")
      .map((line) => line.replace(/^\d /, ""));
  };
  return { rig, world, heads, builder, drawn };
}

describe("the graph, step by step", () => {
  it("of a push that is built and rolled out, and of one that is broken", async () => {
    const { rig, world, heads, builder, drawn } = pipeline();
    expect(await drawn()).toEqual([
      "head  failed (REPO_UNREACHABLE: heads does not answer)",
      "build  blocked ← 1 head",
      "tag  blocked ← 2 build",
      "web  blocked ← (3 tag)",
      "all  blocked ← 4 web",
    ]);
    heads.set("1a2b");
    expect(await drawn(2_000)).toEqual([
      "head  ok",
      "build  running ← 1 head",
      "tag  blocked ← 2 build",
      "web  blocked ← (3 tag)",
      "all  blocked ← 4 web",
    ]);
    rig.engine.confirm.set("dangerous", "ann");
    (await builder.nextRun()).succeed("image 1");
    expect(await drawn()).toEqual([
      "head  ok",
      "build  ok ← 1 head",
      "tag  waiting ← 2 build",
      "web  blocked ← (3 tag)",
      "all  blocked ← 4 web",
    ]);
    rig.engine.confirm.set("none", "ann");
    const rolling = await drawn(world.moveMs + 1_000);
    expect(rolling.slice(2, 4)).toEqual(["tag  ok ← 2 build", "web  running ← (3 tag)"]);
    expect((await drawn(MINUTE)).at(-1)).toBe("all  ok ← 4 web");
    heads.fail();
    expect((await drawn(2 * MINUTE)).slice(0, 2)).toEqual(["head  ok, stale", "build  ok ← 1 head"]);
    heads.set("3c4d");
    await drawn(5 * MINUTE);
    (await builder.nextRun()).fail(failed());
    expect(await drawn()).toEqual([
      "head  ok",
      "build  failed (BUILD_FAILED: exit status 1) ← 1 head",
      "tag  blocked ← 2 build",
      "web  blocked ← (3 tag)",
      "all  blocked ← 4 web",
    ]);
    expect(world.thing("web")?.running).toBe("image 1");
  });
});
