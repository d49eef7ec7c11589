// What a forge is told of a commit's builds, and what is run again when somebody asks for that there.
import { describe, expect, it } from "vitest";
import { cached } from "../../src/engine/cache/cache.ts";
import { Outbox } from "../../src/engine/effects/outbox.ts";
import type { Sender } from "../../src/engine/effects/sender.ts";
import { problem } from "../../src/engine/errors.ts";
import type { Person } from "../../src/engine/refs.ts";
import { type BuildState, type CheckReport } from "../../src/pipeline/checks.ts";
import { CheckReports } from "../../src/pipeline/report-checks.ts";
import type { Reread } from "../../src/pipeline/reread.ts";
import { type CheckWant, checkSender } from "../../src/plugins/github/index.ts";
import { constant, list, map, state } from "../../src/term/combinators.ts";
import { failure, ok, type Result, success } from "../../src/term/output.ts";
import { createRig, DummyBuilder, dummyInput, type Rig } from "../../src/testing/index.ts";
import { box, failed } from "../engine/cache/support.ts";

const COMMIT = "c0ffee";
const ANN: Person = { id: 1, login: "ann" };
const MINUTE = 60_000;

/** One commit with a build for each name, and everything that the forge was told. */
function scene(rig: Rig = createRig(), ...specs: readonly string[]) {
  const { engine } = rig;
  const told: string[] = [];
  const wants: CheckWant[] = [];
  const nobody = { ask: () => Promise.reject(new Error("nobody is asked")) };
  const sender: Sender<CheckWant> = {
    ...checkSender(nobody),
    send: async (want) => {
      wants.push(want);
      if (forge.refuses) return failure(failed("Resource not accessible by integration"));
      return success(told.push(`${want.state}: ${want.title}`));
    },
  };
  const outbox = new Outbox(engine);
  const reports = new CheckReports(engine, {
    outbox,
    sender,
    site: "https://deploy.example",
    headlineOf: () => "the very line",
  });
  const builder = new DummyBuilder();
  const inputs = specs.map((spec) => dummyInput(engine, box(`${spec}/key`), spec));
  const built = inputs.map((input, at) => cached(engine, box(specs[at] ?? ""), builder, "here", input.term));
  const outputs = list(
    engine.world,
    built.map((term) => state(term)),
  );
  const report = map(outputs, (states): CheckReport => {
    const builds = states.map((output, at): BuildState => {
      const job = built[at]?.metadata.job;
      return { spec: specs[at] ?? "", output, ...(job === undefined ? {} : { job }) };
    });
    return { repo: "acme/shop", repository: 7, commit: COMMIT, allowed: ok(undefined), builds };
  });
  reports.term(box("check"), report);
  engine.change(undefined, () => void constant(engine.world, 0));
  /** The newest run of a build. */
  const run = (spec: string) => {
    const found = builder.runs.findLast(({ key }) => key === spec);
    if (found === undefined) throw new Error(`${spec} does not run`);
    return found;
  };
  const forge = { refuses: false, reads: 0, read: (): Result<void> => success(undefined) };
  const reread: Reread = {
    nameOf: (repository) => (repository === 7 ? "acme/shop" : undefined),
    read: async () => {
      forge.reads += 1;
      return forge.read();
    },
  };
  /** Somebody presses the button; everybody but Ann is a stranger. */
  const press = (commit = COMMIT, author: Person | null = ANN, repository = 7) =>
    reports.handle(
      { kind: "rerequested", repository, commit, ...(author === null ? {} : { author }) },
      {
        mayWrite: async (_repo, user) =>
          user === 0 ? failure(problem("FORGE_UNREACHABLE", "502")) : success(user === ANN.id),
      },
      reread,
    );
  const install = () => reports.handle({ kind: "installations" }, { mayWrite: async () => success(false) }, reread);
  const audit = () =>
    engine.store.queries.audit(20).map(({ who, what, subject, detail }) => [who, what, subject, detail].join(" | "));
  return { rig, audit, told, wants, builder, forge, run, press, install, pass: (ms = MINUTE) => rig.clock.advance(ms) };
}

it("what the forge refused is sent once more when the app is installed somewhere, once a minute", async () => {
  const { wants, run, forge, install, pass } = scene(createRig(), "A");
  forge.refuses = true;
  await pass(5_000);
  run("A").succeed("1");
  await pass();
  const before = wants.length;
  for (let count = 0; count < 50; count += 1) {
    await install();
    await pass(1_000);
  }
  expect(wants.length - before).toBe(1);
  await pass();
  expect(wants.length - before).toBe(2);
});

describe("the check of a commit", () => {
  it("goes from in progress to its end, with the job and the line that tells", async () => {
    const { told, wants, run, pass } = scene(createRig(), "A", "B");
    await pass(5_000);
    run("A").succeed("1");
    run("B").fail(failed("exit code 1"));
    await pass();
    expect(told).toEqual(["in_progress: 0 of 2 done", "failure: Failed: B: the very line"]);
    const { job, details, summary } = wants.at(-1) ?? {};
    expect(details).toBe(`https://deploy.example/job/${job}`);
    expect(job).toBe(run("B").id);
    expect(summary).toContain("`the very line`");
  });

  it("that somebody wants to run again runs what failed, and nothing else", async () => {
    const { told, builder, run, press, pass, audit } = scene(createRig(), "A", "B", "C");
    await pass(5_000);
    for (const spec of ["A", "C"]) run(spec).succeed("1");
    run("B").fail(failed());
    await pass();
    const { id } = run("B");
    expect(await press()).toMatchObject({ ok: true });
    expect(audit()).toEqual([`github:ann#1 | rebuild | ${id} | asked for on GitHub`]);
    await pass(5_000);
    expect(builder.runs.map(({ key }) => key)).toEqual(expect.arrayContaining(["A", "B", "C"]));
    expect([builder.runs.length, builder.runs.at(-1)?.key]).toEqual([4, "B"]);
    run("B").succeed("2");
    await pass();
    expect(told.slice(-3)).toEqual([
      "failure: Failed: B: the very line",
      "in_progress: 2 of 3 done",
      "success: Passed: 3 builds",
    ]);
  });

  it("is run again for nobody who may not write there, and told all the same", async () => {
    const { told, builder, run, press, pass, audit } = scene(createRig(), "A");
    await pass(5_000);
    run("A").fail(failed());
    await pass();
    for (const author of [{ id: 66, login: "ann" }, null]) {
      expect(await press(COMMIT, author)).toMatchObject({ ok: true });
      await pass();
    }
    expect(await press(COMMIT, { id: 0, login: "ann" })).toMatchObject({ ok: false, error: { class: "transient" } });
    expect(builder.runs).toHaveLength(1);
    for (const author of [{ id: 66, login: "ann" }, null]) await press(COMMIT, author); // within the hour: no entry
    expect(audit()).toEqual([
      "anonymous@github | rebuild | acme/shop c0ffee | refused: GitHub does not say who asks",
      "github:ann#66 | rebuild | acme/shop c0ffee | refused: ann may not write to acme/shop",
    ]);
    expect(told).toEqual([
      "in_progress: 0 of 1 done",
      ...Array.from({ length: 3 }, () => "failure: Failed: A: the very line"),
    ]);
  });

  it("is told once more when there is nothing to run: the forge shows it as queued by then", async () => {
    const { told, builder, run, press, pass, audit } = scene(createRig(), "A");
    await pass(5_000);
    run("A").succeed("1");
    await pass();
    await press();
    const detail = "asked for on GitHub: nothing there has failed";
    expect(audit()).toEqual([`github:ann#1 | rebuild | acme/shop c0ffee | ${detail}`]);
    await pass();
    expect(builder.runs).toHaveLength(1);
    expect(told.slice(-2)).toEqual(["success: Passed", "success: Passed"]);
  });

  it("of a commit that is not known is asked for again, until the repository was read and there is none", async () => {
    const { press, pass, forge, audit, told } = scene(createRig(), "A");
    await pass(1_000);
    expect(await press("0ther")).toMatchObject({ ok: false, error: { class: "transient" } }); // it is fetched perhaps
    forge.read = () => failure(problem("FORGE_UNREACHABLE", "502"));
    await pass(20 * MINUTE);
    expect(await press("0ther")).toMatchObject({ ok: false, error: { class: "transient" } });
    forge.read = () => success(undefined);
    expect(audit()).toEqual([]);
    for (const author of [ANN, { id: 66, login: "mallory" }, { id: 66, login: "mallory" }])
      expect(await press("0ther", author)).toMatchObject({ ok: true });
    expect(audit()).toEqual([
      "github:mallory#66 | rebuild | acme/shop 0ther | refused: mallory may not write to acme/shop",
      "github:ann#1 | rebuild | acme/shop 0ther | asked for on GitHub: nothing is at this commit any more",
    ]);
    expect(forge.reads).toBe(5);
    expect(told).toEqual(["in_progress: 0 of 1 done"]);
    await press();
    expect(forge.reads).toBe(5);
  });

  it("of a repository that is none of ours is nothing to us, and written down nowhere", async () => {
    const { press, pass, audit } = scene(createRig(), "A");
    await pass(1_000);
    expect(await press(COMMIT, ANN, 8)).toMatchObject({ ok: true });
    await pass(20 * MINUTE);
    expect(await press(COMMIT, ANN, 8)).toMatchObject({ ok: true });
    expect(audit()).toEqual([]);
  });
});
