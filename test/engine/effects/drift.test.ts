import { describe, expect, it } from "vitest";
import type { DriftPolicy } from "../../../src/engine/effects/drift.ts";
import { problem } from "../../../src/engine/errors.ts";
import { failed } from "../../../src/term/output.ts";
import { type Deploying, deploying } from "./lane-support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** `one` was deployed, then somebody changed the thing by hand, and it was looked at. */
async function drifted(drift: DriftPolicy, running = "by hand"): Promise<Deploying> {
  const made = deploying({ drift }, "one");
  await made.pass();
  made.world.byHand("web", { running });
  await made.pass();
  return made;
}

/** The kinds of events that each job of the lane was caused by. */
const causes = ({ rig, jobs }: Deploying): readonly string[] =>
  jobs().map(({ events }) =>
    rig.store.queries
      .events(events)
      .map(({ kind }) => kind)
      .join(),
  );

const events = ({ rig }: Deploying, kind: string): readonly string[] => {
  const ids = Array.from({ length: rig.store.queries.lastEventId() }, (_, index) => index + 1);
  return rig.store.queries
    .events(ids)
    .filter((event) => event.kind === kind)
    .map(({ subject, detail }) => `${subject}: ${detail}`);
};

const said = "fake thing web: it was changed by hand: it runs by hand, wanted is one";
const held = "fake thing web is held: it was changed by hand: it runs by hand, wanted is";

describe("a change by hand that is reported", () => {
  it("shows what was wanted and what is there, within a minute, and is one event however often it is looked at", async () => {
    const made = await drifted("report");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFTED ${said}`, ["one"]]);
    expect(events(made, "drift")).toEqual([`web/deploy: ${said}`]);
  });

  it("is deployed over by the next value", async () => {
    const made = await drifted("report");
    made.input.set("two");
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok two", ["one", "two"]]);
  });

  it("that is put back by hand is over", async () => {
    const made = await drifted("report");
    made.world.byHand("web", { running: "one" });
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok one", ["one"]]);
  });

  it("is noticed after a restart though nobody ran when it was made", async () => {
    const made = deploying({}, "one");
    await made.pass();
    made.rig.kill();
    made.world.byHand("web", { running: "by hand" });
    const next = await made.restart("one");
    await next.pass();
    expect([next.shows(), next.moves()]).toEqual([`failed DRIFTED ${said}`, ["one"]]);
  });

  it.each(["before", "after"])("of what never needed a deploy is one too, %s a restart", async (when) => {
    const made = deploying({}, "old");
    await made.pass();
    const now = when === "before" ? made : await made.restart("old");
    now.world.byHand("web", { running: "by hand" });
    await now.pass();
    expect([now.shows(), now.world.arrivals]).toEqual([
      "failed DRIFTED fake thing web: it was changed by hand: it runs by hand, wanted is old",
      [],
    ]);
  });

  it("of what is wanted again after a newer value was undone is one too, after a restart", async () => {
    const made = deploying({}, "one");
    made.world.bad.add("bad");
    for (const value of ["bad", "one"]) {
      await made.pass();
      made.input.set(value);
    }
    await made.pass();
    expect([made.shows(), made.intents()]).toEqual(["ok one", ["1 verified", "2 rolled-back"]]);
    made.rig.kill();
    made.world.byHand("web", { running: "by hand" });
    const next = await made.restart("one");
    await next.pass();
    expect([next.shows(), next.moves()]).toEqual([`failed DRIFTED ${said}`, ["one", "bad"]]);
  });

  it("is shown while it is still going on", async () => {
    const made = deploying({}, "one");
    await made.pass();
    made.world.moveMs = 2 * MINUTE;
    moveByHand(made);
    await made.pass();
    expect(made.shows()).toMatch(/^failed DRIFTED/);
  });
});

describe("a change by hand that is held", () => {
  it("stops newer values too, until Rebuild, which deploys the newest", async () => {
    const made = await drifted("hold");
    expect(made.shows()).toBe(`failed DRIFT_HELD ${held} one`);
    made.input.set("two");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
    expect((await made.lane.force()).ok).toBe(true);
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok two", ["one", "two"]]);
    made.input.set("three");
    await made.pass();
    expect(made.shows()).toBe("ok three");
  });

  it("stops a newer value that comes before anybody looked", async () => {
    const made = deploying({ drift: "hold" }, "one");
    await made.pass();
    made.world.byHand("web", { running: "by hand" });
    made.input.set("two");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
  });

  it("stops a newer value that waits for the threshold already", async () => {
    const made = deploying({ drift: "hold" }, "one");
    await made.pass();
    made.rig.engine.confirm.set("dangerous", "ann");
    made.input.set("two");
    await made.pass();
    made.world.byHand("web", { running: "by hand" });
    made.rig.engine.confirm.set("none", "ann");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
    expect(made.jobs().map(({ error }) => error?.code)).toEqual([undefined, "DRIFT_HELD"]);
  });

  it("stops a newer value between its intent and its write", async () => {
    let at = "nothing";
    const made = deploying({
      drift: "hold",
      dies: (point) => {
        if (point === at) made.world.byHand("web", { running: "by hand" });
        return false;
      },
    });
    made.input.set("one");
    await made.pass();
    at = "before apply";
    made.input.set("two");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
    expect(made.intents()).toEqual(["1 verified", "2 superseded"]);
  });

  it("stops newer values after a restart, also when both came while nobody ran", async () => {
    const made = await drifted("hold");
    const next = await made.restart("two");
    await next.pass(HOUR);
    expect([next.shows(), next.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);

    const other = deploying({ drift: "hold" }, "one");
    await other.pass();
    other.rig.kill();
    other.world.byHand("web", { running: "by hand" });
    const later = await other.restart("two");
    await later.pass(HOUR);
    expect([later.shows(), later.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
  });

  it("stops what an intent of a dead process would go on with", async () => {
    const made = deploying({ drift: "hold" }, "one");
    await made.pass();
    const dying = await made.restart("one", { dies: (point) => point === "before apply" });
    dying.input.set("two");
    await dying.pass();
    expect(dying.intents()).toEqual(["1 verified", "2 planned"]);
    made.world.byHand("web", { running: "by hand" });
    const next = await dying.restart("two", { dies: () => false });
    await next.pass(HOUR);
    expect([next.shows(), next.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
    expect(next.intents()).toEqual(["1 verified", "2 superseded"]);
  });

  it("in the middle of a deploy makes that fail, and stops newer values", async () => {
    const made = deploying({ drift: "hold" }, "one");
    await made.pass();
    made.input.set("two");
    await made.pass(1_000);
    made.world.byHand("web", { running: "by hand" });
    await made.pass();
    expect([made.shows().slice(0, 17), made.intents()]).toEqual(["failed DRIFT_HELD", ["1 verified", "2 failed"]]);
    made.input.set("three");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} three`, ["one", "two"]]);
  });

  it("does not stop a newer value when what runs there is what a failed deploy of ours left", async () => {
    const made = deploying({ drift: "hold" }, "one");
    made.world.bad.add("bad");
    for (const value of ["bad", "two"]) {
      await made.pass();
      made.input.set(value);
    }
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok two", ["one", "bad", "two"]]);
  });

  it.each([
    ["two", "verified"],
    ["stuck", "failed"],
  ])("does not stop a newer value over %s (%s) when the one between was never sent", async (left, ending) => {
    let next: string | undefined;
    const made = deploying({
      drift: "hold",
      dies: (point) => {
        if (point !== "after commit intent planned" || next === undefined) return false;
        made.input.set(next);
        next = undefined;
        return false;
      },
    });
    made.world.stuck.add("stuck");
    made.input.set("one");
    await made.pass();
    made.input.set(left);
    await made.pass(1_000);
    made.input.set("three");
    next = "four";
    await made.pass(2 * MINUTE);
    expect(made.intents()).toEqual(["1 verified", `2 ${ending}`, "3 superseded", "4 verified"]);
    expect([made.shows(), made.moves()]).toEqual(["ok four", ["one", left, "four"]]);
  });

  it("does not stop a newer value over one that failed when one between was cancelled, nor after a restart", async () => {
    const made = deploying({ drift: "hold" }, "one");
    made.world.stuck.add("stuck");
    await made.pass();
    made.input.set("stuck");
    await made.pass();
    made.rig.engine.confirm.set("dangerous", "ann");
    made.input.set("three");
    await made.pass();
    expect((await made.rig.engine.jobs.cancel(made.jobs().at(-1)?.id ?? "", "ann", "no")).ok).toBe(true);
    await made.pass();
    const next = await made.restart("four");
    await next.pass();
    expect([next.shows(), next.moves()]).toEqual(["ok four", ["one", "stuck", "four"]]);
  });

  it("does not stop a first deploy, which takes over what somebody made", async () => {
    const made = deploying({ drift: "hold" }, "one");
    await made.pass();
    expect(made.shows()).toBe("ok one");
  });

  it("ends when what is wanted is put there by hand, and then newer values are deployed", async () => {
    const made = await drifted("hold");
    made.world.byHand("web", { running: "one" });
    await made.pass();
    expect(made.shows()).toBe("ok one");
    made.input.set("two");
    await made.pass();
    expect(made.shows()).toBe("ok two");
  });

  it("ends with its policy", async () => {
    const made = await drifted("hold");
    const next = await made.restart("two", { drift: "report" });
    await next.pass();
    expect(next.shows()).toBe("ok two");
  });

  it("goes on when the Rebuild that was to end it is cancelled", async () => {
    const made = await drifted("hold");
    made.rig.engine.confirm.set("dangerous", "ann");
    const forced = await made.lane.force();
    await made.pass();
    expect(made.shows()).toBe("active waiting");
    expect((await made.rig.engine.jobs.cancel(forced.ok ? forced.value : "", "ann", "no")).ok).toBe(true);
    made.rig.engine.confirm.set("none", "ann");
    made.input.set("two");
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
  });

  it("changes nothing while the wish is away", async () => {
    const made = await drifted("hold");
    made.input.show(failed(problem("REPO_UNREACHABLE", "no answer"), "web/image"));
    await made.pass(HOUR);
    made.input.set("two");
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual([`failed DRIFT_HELD ${held} two`, ["one"]]);
  });
});

describe("adopt", () => {
  it.each<DriftPolicy>(["report", "hold"])(
    "accepts what runs (%s): shown as such, kept over a restart",
    async (drift) => {
      const made = await drifted(drift);
      expect(made.lane.adoptable).toBe(true);
      expect(await made.lane.adopt("ann")).toEqual({ ok: true, value: undefined });
      await made.pass();
      expect([made.shows(), made.moves(), made.lane.adoptable]).toEqual(["ok by hand", ["one"], false]);
      expect(made.term.metadata.detail).toBe("adopted by ann, in place of one, until something newer is wanted");
      const next = await made.restart("one");
      await next.pass(HOUR);
      expect([next.shows(), next.moves()]).toEqual(["ok by hand", ["one"]]);
      next.input.set("two");
      await next.pass();
      expect([next.shows(), next.moves()]).toEqual(["ok two", ["one", "two"]]);
    },
  );

  it("accepts it in place of a newer value that is held, until the next", async () => {
    const made = await drifted("hold");
    made.input.set("two");
    await made.pass();
    expect((await made.lane.adopt("ann")).ok).toBe(true);
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual(["ok by hand", ["one"]]);
    made.input.set("three");
    await made.pass();
    expect(made.shows()).toBe("ok three");
  });

  it("is for what was there: another change is another drift", async () => {
    const made = await drifted("hold");
    await made.lane.adopt("ann");
    await made.pass();
    made.world.byHand("web", { running: "again" });
    await made.pass();
    expect(made.shows()).toMatch(/^failed DRIFT_HELD .* it runs again, wanted is one$/);
  });

  it("of a newer receipt is no drift afterwards", async () => {
    const made = deploying({ drift: "hold" }, "one");
    await made.pass();
    const receipt = { intent: "theirs", generation: 9, epoch: 9, digest: "", owner: "demo" };
    made.world.byHand("web", { running: "theirs", receipt });
    await made.pass();
    expect(made.shows()).toMatch(/^failed HELD/);
    expect((await made.lane.adopt("ann")).ok).toBe(true);
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok one", ["one", "one"]]);
  });

  it("is refused when nothing is different, and when nothing is there", async () => {
    const made = await drifted("report", "one");
    expect(await made.lane.adopt("ann")).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
    made.world.remove("web");
    await made.pass(2 * MINUTE);
    expect(made.shows()).toMatch(/^failed NO_TARGET/);
    expect(await made.lane.adopt("ann")).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
  });
});

describe("a change by hand that is repaired", () => {
  it("is put back on the way of every deploy: cause, head, intent, receipt", async () => {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    let reads = 0;
    made.fresh = async () => {
      reads += 1;
      return { ok: true, value: undefined };
    };
    made.world.byHand("web", { running: "by hand" });
    await made.pass(2 * MINUTE);
    expect([made.shows(), made.moves(), made.intents(), reads]).toEqual([
      "ok one",
      ["one", "one"],
      ["1 verified", "2 verified"],
      1,
    ]);
    expect(causes(made)[1]).toBe("drift");
    expect(events(made, "drift")).toEqual([
      "web/deploy: fake thing web was changed by hand: it runs by hand, wanted is one",
    ]);
    expect(made.rows()[1]).toMatchObject({ before: "by hand", wanted: "one" });
    expect(made.world.thing("web")?.receipt).toMatchObject({ intent: made.rows()[1]?.id, generation: 2 });
  });

  it("waits for the threshold; started, it changes nothing when somebody has put it back", async () => {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    made.rig.engine.confirm.set("dangerous", "ann");
    made.world.byHand("web", { running: "by hand" });
    await made.pass(HOUR);
    expect([made.shows(), made.moves()]).toEqual(["active waiting", ["one"]]);
    expect(made.term.metadata.detail).toBe("repair: it was changed by hand");
    made.world.byHand("web", { running: "one" });
    made.rig.engine.jobs.start(made.jobs()[1]?.id ?? "", "ann");
    await made.pass();
    expect([made.shows(), made.moves(), made.jobs()[1]?.state]).toEqual(["ok one", ["one"], "ok"]);
  });

  it("makes way for a newer value", async () => {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    made.rig.engine.confirm.set("dangerous", "ann");
    made.world.byHand("web", { running: "by hand" });
    await made.pass();
    made.input.set("two");
    made.rig.engine.confirm.set("none", "ann");
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok two", ["one", "two"]]);
  });

  it("is not begun while an intent for something newer is open", async () => {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    made.input.set("two");
    await made.pass(1_000);
    made.world.byHand("web", { running: "by hand" }); // while two moves
    await made.pass(HOUR);
    expect(made.moves()).toEqual(["one", "two"]);
    expect(made.shows()).toMatch(/^failed DEPLOY_FAILED/);
  });

  it("is not begun between the intent and the write of something newer: that is written over it", async () => {
    let at = "nothing";
    const made = deploying({
      drift: "repair",
      dies: (point) => {
        if (point === at && made.verbs().length === 1) made.world.byHand("web", { running: "by hand" });
        return false;
      },
    });
    made.input.set("one");
    await made.pass();
    at = "before apply";
    made.input.set("two");
    await made.pass(HOUR);
    expect([made.verbs(), made.moves(), made.intents()]).toEqual([
      ["apply", "apply conflict", "apply"],
      ["one", "two"],
      ["1 verified", "2 verified"],
    ]);
    expect([made.shows(), events(made, "drift")]).toEqual(["ok two", []]);
  });

  it("waits until the change by hand stands still", async () => {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    made.world.moveMs = 2 * MINUTE;
    moveByHand(made);
    await made.pass();
    expect([made.shows().slice(0, 14), made.moves().length]).toEqual(["failed DRIFTED", 2]);
    await made.pass(10 * MINUTE);
    expect([made.shows(), made.moves()]).toEqual(["ok one", ["one", "by hand", "one"]]);
  });

  it("is guarded: a change by hand that comes between its look and its write makes it look again", async () => {
    let changes = 1;
    const made = deploying({
      drift: "repair",
      dies: (point) => {
        if (point === "before apply" && made.moves().length === 1 && changes-- > 0)
          made.world.byHand("web", { running: "by hand again" });
        return false;
      },
    });
    made.input.set("one");
    await made.pass();
    made.world.byHand("web", { running: "by hand" });
    await made.pass(2 * MINUTE);
    expect(made.verbs()).toEqual(["apply", "apply conflict", "apply"]);
    expect([made.shows(), made.intents()]).toEqual(["ok one", ["1 verified", "2 verified"]]);
  });

  it("that does not get healthy is not tried again by itself", async () => {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    made.world.bad.add("one");
    made.world.byHand("web", { running: "by hand" });
    await made.pass(HOUR);
    expect([made.shows().slice(0, 18), made.moves()]).toEqual(["failed ROLLED_BACK", ["one", "one"]]);
  });
});

describe("a repair that is undone again and again", () => {
  /** Somebody changes it by hand again as soon as it is repaired. */
  async function fight(clockMs = 0): Promise<Deploying> {
    const made = deploying({ drift: "repair" }, "one");
    await made.pass();
    made.rig.engine.steps.subscribe(() => {
      if (made.shows() !== "ok one") return;
      made.world.byHand("web", { running: "by hand" });
      made.rig.clock.jump(clockMs);
    });
    made.world.byHand("web", { running: "by hand" });
    return made;
  }
  const spent = "it was repaired again and again, and changed by hand each time: it runs by hand, wanted is one";

  it("backs off, then holds, also newer values and after a restart", async () => {
    const made = await fight();
    await made.pass(24 * HOUR);
    expect([made.moves(), made.shows()]).toEqual([
      ["one", "one", "one", "one"],
      `failed DRIFT_HELD fake thing web is held: ${spent}`,
    ]);
    const begun = made.rows().map(({ createdMs }) => createdMs);
    const apart = begun.slice(2).map((atMs, index) => atMs - (begun[index + 1] ?? 0));
    expect(apart[0]).toBeGreaterThanOrEqual(MINUTE);
    expect(apart[1]).toBeGreaterThanOrEqual(5 * MINUTE);
    expect(apart[1]).toBeLessThan(10 * MINUTE);
    const next = await made.restart("two");
    await next.pass(24 * HOUR);
    expect([next.moves().length, next.shows().slice(0, 17)]).toEqual([4, "failed DRIFT_HELD"]);
    await next.lane.force();
    await next.pass();
    expect(next.shows()).toBe("ok two");
  });

  it.each([2 * HOUR, -2 * HOUR])(
    "backs off and holds also when the wall clock is put %i ms on each time",
    async (ms) => {
      const made = await fight(ms);
      await made.pass(5 * MINUTE);
      expect(made.moves().length).toBeLessThan(4);
      await made.pass(24 * HOUR);
      expect([made.moves().length, made.shows().slice(0, 17)]).toEqual([4, "failed DRIFT_HELD"]);
    },
  );

  it("shows when it is repaired next", async () => {
    const made = await fight();
    await made.pass(2 * MINUTE + 10_000);
    while (made.moves().length < 3) await made.pass(10_000);
    await made.pass(2 * MINUTE);
    const { output } = made.term;
    expect(made.shows()).toMatch(/^failed DRIFTED .*again after a repair/);
    expect(output.state === "failed" ? output.failure.retryAtMs : 0).toBeGreaterThan(made.rig.clock.now());
  });

  it("is counted over a restart", async () => {
    const made = await fight();
    while (made.moves().length < 3) await made.pass(10_000);
    await made.pass(30_000);
    const next = await made.restart("one");
    next.world.byHand("web", { running: "by hand" });
    await next.pass(MINUTE);
    expect(next.moves().length).toBe(3);
    await next.pass(10 * MINUTE);
    expect(next.moves().length).toBe(4);
    next.world.byHand("web", { running: "by hand" });
    await next.pass(HOUR);
    expect([next.moves().length, next.shows().slice(0, 17)]).toEqual([4, "failed DRIFT_HELD"]);
  });

  it("is counted though the process dies in each repair", async () => {
    let made = deploying({ drift: "repair" }, "one");
    await made.pass();
    for (let repairs = 1; repairs <= 3; repairs++) {
      made.world.byHand("web", { running: "by hand" });
      const dying = await made.restart("one", { dies: (point) => point === "after apply" });
      await dying.pass(6 * MINUTE);
      made = await dying.restart("one", { dies: () => false });
      await made.pass();
      expect([made.shows(), made.moves().length]).toEqual(["ok one", repairs + 1]);
    }
    made.world.byHand("web", { running: "by hand" });
    await made.pass(HOUR);
    expect([made.moves().length, made.shows().slice(0, 17)]).toEqual([4, "failed DRIFT_HELD"]);
  });

  it("is forgotten when a repair has lasted an hour", async () => {
    const made = await drifted("repair");
    for (let day = 0; day < 5; day++) {
      await made.pass(24 * HOUR);
      expect(made.shows()).toBe("ok one");
      made.world.byHand("web", { running: "by hand" });
    }
    await made.pass();
    expect(made.moves().length).toBeGreaterThan(5);
  });
});

/** Somebody else begins to move the thing, with the receipt that it has. */
function moveByHand({ world }: Deploying): void {
  const thing = world.thing("web");
  if (thing?.receipt === undefined) throw new Error("nothing was deployed");
  const write = { verb: "apply", name: "web", value: "by hand", intent: "", generation: 0, epoch: 0 } as const;
  world.arrive(write, String(thing.version), thing.receipt);
}
