import { describe, expect, it } from "vitest";
import { cached } from "../../src/engine/cache/cache.ts";
import { serviceOf } from "../../src/engine/effects/service.ts";
import type { Threshold } from "../../src/engine/level.ts";
import { LiveView } from "../../src/engine/live-view.ts";
import { Pool } from "../../src/engine/pool.ts";
import type { GraphChange } from "../../src/engine/view.ts";
import { Collection } from "../../src/incr/index.ts";
import { collection, each } from "../../src/term/each.ts";
import { ok } from "../../src/term/output.ts";
import { createRig, DummyBuilder, type Rig } from "../../src/testing/index.ts";
import { box, failed, keyed } from "./cache/support.ts";
import { deploying } from "./effects/lane-support.ts";

function viewOf(rig: Rig, more: Partial<ConstructorParameters<typeof LiveView>[0]> = {}): LiveView {
  const rest = { flavour: "demo", version: "1", url: "http://x", ready: () => true };
  return new LiveView({ engine: rig.engine, services: [], pools: [], logs: rig.logs, ...rest, ...more });
}

/** A view of a rig with one build, `built`, and one deploy, `web/deploy`. */
function viewed() {
  const made = deploying();
  const builder = new DummyBuilder();
  const built = keyed(made.rig, builder, {}, "k");
  const kept: Threshold[] = [];
  const about = { name: "web", host: "here", place: "web", source: "acme/web live", at: "pipeline.ts:3" };
  const view = viewOf(made.rig, {
    services: [serviceOf(made.lane, about)],
    pools: [new Pool("builds", 2)],
    keepThreshold: (threshold) => kept.push(threshold),
  });
  const audit = (): readonly string[] =>
    view
      .audit(10)
      .toReversed()
      .map(({ who, what, subject, detail }) => [who, what, subject, detail].join(" | "));
  return { made, builder, built, view, kept, audit };
}

describe("the graph as pages see it", () => {
  it("makes the news of a step once, however many watch, and a late watcher misses nothing", async () => {
    const { made, view } = viewed();
    const { term, variable } = collection(made.rig.world, Collection.of<string>([]));
    each(term, (key, item) => cached(made.rig.engine, box(`part ${key}`), new DummyBuilder(), "", item));
    await made.rig.clock.settle();
    const [early, late]: GraphChange[][] = [[], []];
    const set = async (...keys: readonly string[]): Promise<void> => {
      const items = Collection.of(keys.map((key): [string, string] => [key, "1"]));
      made.rig.engine.change(undefined, () => variable.set(ok(items)));
      await made.rig.clock.settle();
    };
    view.changes.subscribe((change) => early?.push(change));
    await set("a");
    view.changes.subscribe((change) => late?.push(change));
    await set("b");
    const [snapshot, ...steps] = late ?? [];
    expect(snapshot?.kind === "snapshot" && snapshot.graph.nodes.map(({ key }) => key)).toContain("part a");
    expect(steps.flatMap((change) => (change.kind === "step" ? change.removed : []))).toEqual(["part a"]);
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.every((change) => early?.includes(change))).toBe(true);
  });

  it("is a snapshot, then what each step changed, added and removed", async () => {
    const { made, view } = viewed();
    const { term, variable } = collection(made.rig.world, Collection.of<string>([]));
    const builder = new DummyBuilder({ id: "other" });
    each(term, (key, item) => cached(made.rig.engine, box(`part ${key}`), builder, "", item));
    await made.rig.clock.settle();
    const said: GraphChange[] = [];
    view.changes.subscribe((change) => said.push(change));
    const set = async (...keys: readonly string[]): Promise<void> => {
      said.length = 0;
      const items = Collection.of(keys.map((key): [string, string] => [key, "1"]));
      made.rig.engine.change(undefined, () => variable.set(ok(items)));
      await made.rig.clock.settle();
    };
    const [first] = said;
    expect(first?.kind === "snapshot" && first.graph.nodes.map(({ key }) => key)).toContain("built");
    await set("a");
    const steps = said.flatMap((change) => (change.kind === "step" ? [change] : []));
    expect(steps[0]?.added).toMatchObject([{ key: "part a" }]);
    expect(steps[0]?.edges).toBeDefined();
    expect(steps.slice(1).flatMap(({ added, edges }) => [...added, edges])).toEqual(
      steps.slice(1).map(() => undefined),
    );
    expect(steps.at(-1)?.changed).toMatchObject([{ key: "part a", state: "running" }]);
    await set();
    const [gone] = said;
    expect(gone).toMatchObject({ kind: "step", removed: ["part a"], added: [] });
  });

  it("is counted", async () => {
    const { made, view, builder } = viewed();
    await made.rig.clock.settle();
    expect(view.stats()).toEqual({ ok: 1, ready: 0, waiting: 0, running: 2, failed: 0, blocked: 1 });
    (await builder.nextRun()).fail(failed());
    await made.rig.clock.settle();
    expect(view.stats()).toMatchObject({ running: 1, failed: 1 });
  });

  it("has the progress of a job in its box", async () => {
    const { made, view, builder } = viewed();
    const run = await builder.nextRun();
    run.job.progress({ done: 2, total: 5, label: "RUN make" });
    await made.rig.clock.settle();
    const node = view.graph().nodes.find(({ key }) => key === "built");
    expect(node).toMatchObject({ state: "running", job: run.id, progress: { done: 2, total: 5 } });
  });

  it("leaves the groups of jobs at work as they are while these have no news: nothing is drawn again", async () => {
    const { view, builder } = viewed();
    const run = await builder.nextRun();
    run.job.progress({ done: 1, total: 5, label: "RUN make" });
    const groups = view.groups();
    expect(view.groups().every((group, at) => group === groups[at])).toBe(true);
    run.job.progress({ done: 2, total: 5, label: "RUN make" });
    expect(view.groups().every((group, at) => group === groups[at])).toBe(false);
  });
});

describe("actions", () => {
  it("are written down with who and why, refused ones too", async () => {
    const { made, view, builder, audit, kept } = viewed();
    const run = await builder.nextRun();
    expect(await view.act.cancel(run.id, "ann", "wrong branch")).toEqual({ ok: true });
    await made.rig.clock.settle();
    expect(await view.act.cancel(run.id, "eve", "again")).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
    const again = await view.act.rebuild(run.id, "ann", "the mirror is back");
    await made.rig.clock.settle();
    expect(again).toEqual({ ok: true, job: builder.runs[1]?.id });
    await view.act.confirm("average", "ann", "refused: never");
    expect(await view.act.adopt("nowhere", "eve", "it is ours")).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND" },
    });
    expect(await view.act.rebuild("../../etc/passwd", "eve")).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND" },
    });
    expect(audit()).toEqual([
      `ann | cancel | ${run.id} | why: wrong branch`,
      `eve | cancel | ${run.id} | refused: job ${run.id} is not open: it has ended or never was; why: again`,
      `ann | rebuild | ${run.id} | why: the mirror is back`,
      "ann | confirm | average | why: refused: never",
      "eve | adopt | nowhere | refused: there is no deploy term nowhere; why: it is ours",
      "eve | rebuild | ../../etc/passwd | refused: there is no job ../../etc/passwd",
    ]);
    expect([kept, view.threshold()]).toEqual([["average"], { threshold: "average", setBy: "ann" }]);
  });

  it("know what is part of the pipeline: an earlier value cannot be rebuilt", async () => {
    const { made, view, builder, built } = viewed();
    const run = await builder.nextRun();
    run.succeed("");
    built.input.set("newer");
    await made.rig.clock.settle();
    expect(view.job(run.id)?.can).toEqual({ rebuild: false, cancel: false, start: false });
    expect(await view.act.rebuild(run.id, "ann")).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
  });

  it("rebuild a deploy by the id of its last job", async () => {
    const { made, view } = viewed();
    made.input.set("new");
    await made.pass();
    const job = made.jobs()[0]?.id ?? "";
    expect(view.job(job)?.can.rebuild).toBe(true);
    expect((await view.act.rebuild(job, "ann")).ok).toBe(true);
    await made.pass();
    expect(made.moves()).toEqual(["new", "new"]);
  });
});

describe("jobs and services", () => {
  it("say what they wait for", async () => {
    const { made, view } = viewed();
    made.rig.engine.confirm.set("dangerous", "ann");
    made.input.set("new");
    await made.pass(1_000);
    const [job] = view.openJobs().filter(({ term }) => term === "web/deploy");
    expect(job).toMatchObject({ state: "waiting", waitingFor: "confirmation: the threshold is dangerous" });
    expect(job?.can).toEqual({ rebuild: false, cancel: true, start: true });
    expect(view.services()).toMatchObject([{ term: "web/deploy", state: "waiting", wanted: "new", running: "old" }]);
  });

  it("are counted while they are open, and of many those that run are told first", async () => {
    const rig = createRig();
    const [narrow, wide] = [new DummyBuilder({ id: "narrow", pool: new Pool("one", 1) }), new DummyBuilder()];
    for (const key of ["a", "b", "c"]) {
      keyed(rig, key === "c" ? wide : narrow, { name: key }, key);
      await rig.clock.settle();
    }
    const view = viewOf(rig);
    const told = (limit?: number) => view.openJobs(limit).map(({ description, state }) => `${description} ${state}`);
    expect(told()).toEqual(["narrow a running", "narrow b ready", "dummy c running"]);
    expect(told(2)).toEqual(["narrow a running", "dummy c running"]);
    expect(view.openCounts()).toEqual({ ready: 1, waiting: 0, running: 2 });
  });

  it("tell what runs where, since when, and by which job", async () => {
    const { made, view } = viewed();
    made.input.set("new");
    await made.pass(30_000);
    const [row] = made.rows();
    expect(view.services()).toMatchObject([{ state: "ok", running: "new", sinceMs: row?.endedMs, job: row?.job }]);
    expect(view.history({ term: "web/deploy" })).toMatchObject([{ state: "verified" }]);
  });

  it("have logs that are looked up by id, and nothing else", async () => {
    const { made, view, builder } = viewed();
    const run = await builder.nextRun();
    run.job.write("compiling\n");
    await made.rig.clock.settle();
    const text = Buffer.from(await view.log.read(run.id, 0, 10_000)).toString();
    expect(text).toContain("compiling\n");
    expect(await view.log.size(run.id)).toBe(Buffer.byteLength(text));
    expect(await view.log.size("../../etc/passwd")).toBeUndefined();
    expect(await view.log.read("../../etc/passwd", 0, 10)).toEqual(new Uint8Array());
  });
});

describe("a full disk", () => {
  it("is a banner, and nothing can be stored", () => {
    const { view, made } = viewed();
    expect([view.storable(), view.banners()]).toEqual([true, []]);
    Object.defineProperty(made.rig.store, "full", { value: true });
    expect(view.storable()).toBe(false);
    expect(view.banners()).toMatchObject([{ code: "STORE_FULL", level: "error" }]);
  });
});
