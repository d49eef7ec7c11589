import { describe, expect, it } from "vitest";
import { problem } from "../../../src/engine/errors.ts";
import { failed, failure, success } from "../../../src/term/output.ts";
import { deploying, on } from "./lane-support.ts";

describe("a deploy", () => {
  it("goes in one order: observe, intent, apply, applied, settle, ending with its job", async () => {
    const points: string[] = [];
    const { pass, shows, intents, rows, jobs, rig } = deploying({ dies: (point) => points.push(point) < 0 }, "new");
    await pass(30_000);
    const order = points.filter((point) => /^before (observe|apply|commit.*intent)|^settle/.test(point));
    expect(order.filter((point, at) => point !== order[at - 1])).toEqual([
      "before observe", // what is there; then the threshold and the head; then again
      "before commit intent planned",
      "before apply",
      "before commit intent applied",
      "before observe",
      "settle",
      "before commit job ok intent verified setting",
      "before observe",
    ]);
    expect(rig.logs.text(jobs()[0]?.id ?? "")).toContain("running: old → new");
    expect([shows(), intents()]).toEqual(["ok new", ["1 verified"]]);
    expect(rows()).toMatchObject([{ before: "old", wanted: "new", evidence: "new runs", job: jobs()[0]?.id }]);
  });

  it("leaves its receipt", async () => {
    const { pass, world, rows } = deploying({}, "new");
    await pass();
    const { intent, generation, epoch, digest, owner } = world.thing("web")?.receipt ?? {};
    expect({ intent, generation, epoch, digest, owner }).toEqual({
      intent: rows()[0]?.id,
      generation: 1,
      epoch: 1,
      digest: rows()[0]?.digest,
      owner: "demo",
    });
  });

  it("of what runs already is cut off, and says so", async () => {
    const { pass, shows, intents, jobs, world, term } = deploying({}, "old");
    await pass();
    expect([shows(), intents(), jobs(), world.arrivals]).toEqual(["ok old", [], [], []]);
    expect(term.metadata.detail).toBe("not rolled out: the content is equal, old runs already");
  });

  it("of several values that come at once is of the newest", async () => {
    const { pass, input, moves, intents } = deploying({}, "one");
    input.set("two");
    input.set("three");
    await pass();
    expect([moves(), intents()]).toEqual([["three"], ["1 verified"]]);
  });

  it("that is under way is followed to its end; then comes the newest, those between are skipped", async () => {
    const { pass, input, moves, intents, shows } = deploying({}, "one");
    await pass(1_000);
    for (const value of ["two", "three", "four"]) {
      input.set(value);
      await pass(500);
    }
    expect([moves(), shows()]).toEqual([["one"], "active running"]);
    await pass();
    expect([moves(), intents(), shows()]).toEqual([["one", "four"], ["1 verified", "4 verified"], "ok four"]);
  });

  it("is ok only for the value that is wanted now", async () => {
    const { pass, input, shows, rig } = deploying({}, "one");
    await pass();
    const seen: string[] = [];
    rig.engine.steps.subscribe(() => seen.push(shows()));
    input.set("two");
    await pass();
    expect(seen).not.toContain("ok one"); // not even in the step that the wish changed in
    expect(seen.at(-1)).toBe("ok two");
  });

  it("back to an earlier value is a new generation", async () => {
    const { pass, input, moves, intents } = deploying({}, "one");
    for (const value of ["two", "one"]) {
      await pass();
      input.set(value);
    }
    await pass();
    expect([moves(), intents()]).toEqual([
      ["one", "two", "one"],
      ["1 verified", "2 verified", "3 verified"],
    ]);
  });

  it("that is done makes no step while nothing changes, however often it is looked at", async () => {
    const { pass, rig } = deploying({}, "new");
    await pass(5 * 60_000);
    const { step } = rig.engine;
    await pass(60 * 60_000);
    expect(rig.engine.step).toBe(step);
  });

  it("after a restart has a number above all that were there", async () => {
    const { pass, restart } = deploying({}, "one");
    await pass();
    const next = await restart("two");
    await next.pass();
    expect(next.intents()).toEqual(["1 verified", "2 verified"]);
  });

  it("does not hold up another lane", async () => {
    const web = deploying({}, "new");
    web.world.byHand("api", { running: "old" });
    web.world.unreachable.add("web");
    const api = on(web.rig, web.world, { name: "api" }, "new");
    await api.pass();
    expect([web.shows(), api.shows()]).toEqual(["failed ENGINE_UNREACHABLE web does not answer", "ok new"]);
    web.world.unreachable.clear();
    await web.pass();
    expect(web.shows()).toBe("ok new");
  });
});

describe("the head", () => {
  it("is read again before anything is written; while it cannot be, nothing is", async () => {
    const made = deploying();
    let reads = 0;
    made.fresh = async () => {
      reads += 1;
      return failure(problem("REPO_UNREACHABLE", "no answer"));
    };
    made.input.set("new");
    await made.pass();
    expect(made.shows()).toBe("failed REPO_UNREACHABLE not deployed while the head cannot be read: no answer");
    expect([made.world.arrivals, made.intents()]).toEqual([[], []]);
    expect(reads).toBeGreaterThan(1);
    made.fresh = async () => ({ ok: true, value: undefined });
    await made.pass();
    expect([made.shows(), made.jobs().length]).toEqual(["ok new", 1]);
  });

  it("that cannot be read for hours is asked for once a minute, and at once again for a newer value", async () => {
    const made = deploying();
    const reads: number[] = [];
    made.fresh = async () => {
      reads.push(made.rig.clock.now());
      return failure(problem("REPO_UNREACHABLE", "no answer"));
    };
    made.input.set("one");
    await made.pass(60 * 60_000);
    expect(reads.length).toBeLessThan(140);
    const since = reads.length;
    made.input.set("two");
    await made.pass(10_000);
    expect(reads.length - since).toBeGreaterThan(2);
    made.fresh = async () => ({ ok: true, value: undefined });
    await made.pass();
    expect([made.shows(), made.moves()]).toEqual(["ok two", ["two"]]);
  });

  it("that was read again after an hour is asked for soon when it fails anew", async () => {
    const made = deploying();
    const answers = [...Array<boolean>(60).fill(false), true, false, false];
    const reads: number[] = [];
    made.fresh = async () => {
      reads.push(made.rig.clock.now());
      if (answers.shift() !== false) return success(undefined);
      return failure(problem("REPO_UNREACHABLE", "no answer"));
    };
    made.world.mishaps.push("lost"); // so the head is read once more before it is sent again
    made.input.set("one");
    await made.pass(2 * 60 * 60_000);
    const waited = reads.map((at, n) => at - (reads[n - 1] ?? at));
    expect(waited.slice(55, 61).every((ms) => ms > 25_000)).toBe(true);
    expect([made.shows(), reads.length, waited.slice(62).every((ms) => ms < 5_000)]).toEqual(["ok one", 64, true]);
  });

  it("that has moved on by then makes the value superseded", async () => {
    const made = deploying({}, "one");
    made.fresh = async () => {
      made.input.set("two");
      await Promise.resolve();
      return { ok: true, value: undefined };
    };
    await made.pass();
    expect([made.moves(), made.shows()]).toEqual([["two"], "ok two"]);
    expect(made.jobs().map(({ state }) => state)).toEqual(["cancelled", "ok"]);
  });

  it("that moves on while the intent is committed makes the intent superseded, and nothing is written for it", async () => {
    const points: string[] = [];
    const made = deploying({
      dies: (point) => {
        if (point === "after commit intent planned" && points.push(point) === 1) made.input.set("two");
        return false;
      },
    });
    made.input.set("one");
    await made.pass();
    expect([made.moves(), made.intents()]).toEqual([["two"], ["1 superseded", "2 verified"]]);
  });

  it("that is lost takes the wish away, before anything is written", async () => {
    const made = deploying({}, "new");
    made.fresh = async () => {
      made.input.show(failed(problem("MISSING_BRANCH", "no branch"), "web/image"));
      await Promise.resolve();
      return { ok: true, value: undefined };
    };
    await made.pass();
    expect([made.world.arrivals, made.intents(), made.shows()]).toEqual([[], [], "failed MISSING_BRANCH no branch"]);
    expect(made.jobs()).toMatchObject([{ state: "cancelled", error: { code: "SUPERSEDED" } }]);
  });
});

describe("somebody else's write in between", () => {
  it("is seen, and the change is made over what is there then", async () => {
    let done = false;
    const made = deploying({
      dies: (point) => {
        if (point === "before apply" && !done) {
          done = true;
          made.world.byHand("web", { running: "by hand" });
        }
        return false;
      },
    });
    made.input.set("new");
    await made.pass();
    expect([made.verbs(), made.moves(), made.intents()]).toEqual([
      ["apply conflict", "apply"],
      ["new"],
      ["1 verified"],
    ]);
  });

  it("that never ends costs a try a second, not all there are", async () => {
    const made = deploying({
      dies: (point) => {
        if (point === "before apply") made.world.byHand("web", { running: "by hand" });
        return false;
      },
    });
    made.input.set("new");
    await made.pass(10_000);
    expect(made.verbs().length).toBeGreaterThan(5);
    expect(made.verbs().length).toBeLessThan(15);
  });
});

describe("a write without an answer", () => {
  it("that arrived is followed, not repeated", async () => {
    const { pass, world, verbs, intents, shows } = deploying({}, "new");
    world.mishaps.push("answer lost");
    await pass();
    expect([verbs(), intents(), shows()]).toEqual([["apply"], ["1 verified"], "ok new"]);
  });

  it("that got lost is fenced and made again", async () => {
    const { pass, world, verbs, intents, shows } = deploying({}, "new");
    world.mishaps.push("lost");
    await pass();
    expect([verbs(), intents(), shows()]).toEqual([["fence", "apply"], ["1 verified"], "ok new"]);
  });

  it("that arrives late finds the fence", async () => {
    const { pass, world, verbs, intents, moves } = deploying({}, "new");
    world.mishaps.push("late");
    await pass();
    expect(verbs()).toEqual(["fence", "apply", "apply conflict"]);
    expect([moves(), intents()]).toEqual([["new"], ["1 verified"]]);
  });

  it("that arrives before anybody looked is followed", async () => {
    const { pass, world, verbs, intents } = deploying({}, "new");
    world.mishaps.push("late");
    world.lateMs = 500;
    await pass();
    expect([verbs(), intents()]).toEqual([["apply"], ["1 verified"]]);
  });

  it("and a fence without one is fenced again", async () => {
    const { pass, world, verbs, intents } = deploying({}, "new");
    world.mishaps.push("lost", "lost", "answer lost");
    await pass();
    expect([verbs(), intents()]).toEqual([["fence", "fence", "apply"], ["1 verified"]]);
  });
});

describe("a write that is refused", () => {
  it("is a failure that is not tried again by itself", async () => {
    const { pass, world, shows, intents, verbs } = deploying({}, "new");
    world.mishaps.push("refused");
    await pass(10 * 60_000);
    expect([shows(), intents(), verbs()]).toEqual(["failed DEPLOY_FAILED new is refused", ["1 failed"], []]);
  });
});

describe("a value that the target undoes", () => {
  const broken = async () => {
    const made = deploying({}, "bad");
    made.world.bad.add("bad");
    await made.pass();
    return made;
  };

  it("is failed as rolled back, with the evidence, and not tried again by itself", async () => {
    const { pass, shows, intents, moves, jobs } = await broken();
    expect(shows()).toBe("failed ROLLED_BACK rolled back: bad did not get healthy");
    await pass(60 * 60_000);
    expect([intents(), moves()]).toEqual([["1 rolled-back"], ["bad"]]);
    expect(jobs()).toMatchObject([{ state: "failed", error: { code: "ROLLED_BACK" } }]);
  });

  it("is not tried again after a restart either", async () => {
    const { restart } = await broken();
    const next = await restart("bad");
    await next.pass(60 * 60_000);
    expect([next.shows(), next.moves()]).toEqual(["failed ROLLED_BACK rolled back: bad did not get healthy", ["bad"]]);
  });

  it("does not stand in the way of the next", async () => {
    const { pass, input, shows, intents } = await broken();
    input.set("good");
    await pass();
    expect([shows(), intents()]).toEqual(["ok good", ["1 rolled-back", "2 verified"]]);
  });

  it("is tried again by Rebuild, once", async () => {
    const { pass, lane, moves, intents, world, shows } = await broken();
    world.bad.clear();
    const answers = await Promise.all([lane.force(), lane.force()]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, false]);
    await pass(60 * 60_000);
    expect([moves(), intents(), shows()]).toEqual([["bad", "bad"], ["1 rolled-back", "2 verified"], "ok bad"]);
  });
});

describe("Rebuild", () => {
  it("applies what runs already again, once", async () => {
    const { pass, lane, moves, intents } = deploying({}, "new");
    await pass();
    expect((await lane.force()).ok).toBe(true);
    await pass(60 * 60_000);
    expect([moves(), intents()]).toEqual([
      ["new", "new"],
      ["1 verified", "2 verified"],
    ]);
  });

  it("applies what runs already on a target without a receipt too", async () => {
    const { pass, lane, moves, intents, world } = deploying({}, "old");
    await pass();
    expect([moves(), world.thing("web")?.receipt]).toEqual([[], undefined]);
    expect((await lane.force()).ok).toBe(true);
    await pass();
    expect([moves(), intents()]).toEqual([["old"], ["2 verified"]]);
  });

  it("is refused while a deploy is under way, and while nothing is wanted", async () => {
    const made = deploying();
    expect(await made.lane.force()).toMatchObject({ ok: false, error: { message: /nothing is wanted/ } });
    made.input.set("new");
    await made.pass(1_000);
    expect(await made.lane.force()).toMatchObject({ ok: false, error: { message: /under way/ } });
  });
});

describe("a target that", () => {
  it("is not there is a failure, and is moved as soon as it is", async () => {
    const { pass, world, shows } = deploying({}, "new");
    world.remove("web");
    await pass();
    expect(shows()).toBe("failed NO_TARGET there is no fake thing web");
    world.byHand("web", { running: "made by hand" });
    await pass();
    expect(shows()).toBe("ok new");
  });

  it("was changed by hand is reported, not put back; Rebuild does that", async () => {
    const { pass, world, shows, moves, lane } = deploying({}, "new");
    await pass();
    world.byHand("web", { running: "by hand" });
    await pass(2 * 60_000);
    expect([shows(), moves()]).toEqual([
      "failed DRIFTED fake thing web: it was changed by hand: it runs by hand, wanted is new",
      ["new"],
    ]);
    await lane.force();
    await pass();
    expect([shows(), moves()]).toEqual(["ok new", ["new", "new"]]);
  });

  it("somebody else is moving is let be until it stands still", async () => {
    const { pass, world, verbs, shows, rig } = deploying();
    const stamp = { intent: "theirs", generation: 0, epoch: 1, digest: "", owner: "demo" };
    world.arrive({ verb: "apply", name: "web", value: "theirs", ...stamp }, "1", stamp);
    const made = on(rig, world, {}, "new");
    await pass(world.moveMs - 1);
    expect([verbs(), made.shows()]).toEqual([["apply"], "active running"]);
    await pass();
    expect([verbs(), made.shows()]).toEqual([["apply", "apply"], "ok new"]);
    expect(shows()).toBe("active running"); // the first lane of this test wants nothing
  });

  it("does not answer is asked again, with the time of the next try shown", async () => {
    const { pass, world, shows, term, rig } = deploying({}, "new");
    world.unreachable.add("web");
    await pass(1_000);
    const { output } = term;
    const retryAtMs = output.state === "failed" ? (output.failure.retryAtMs ?? 0) : 0;
    expect(retryAtMs).toBeGreaterThan(rig.clock.now());
    expect(retryAtMs).toBeLessThanOrEqual(rig.clock.now() + 15_000);
    world.unreachable.clear();
    await pass();
    expect(shows()).toBe("ok new");
  });

  it("stops answering while it moves is followed once it answers: nothing is sent again", async () => {
    const { pass, world, shows, verbs, intents } = deploying({}, "new");
    await pass(1_000);
    world.unreachable.add("web");
    await pass();
    expect(shows()).toBe("failed ENGINE_UNREACHABLE web does not answer");
    world.unreachable.clear();
    await pass();
    expect([shows(), verbs(), intents()]).toEqual(["ok new", ["apply"], ["1 verified"]]);
  });
});
