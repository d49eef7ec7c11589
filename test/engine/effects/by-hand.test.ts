import { describe, expect, it } from "vitest";
import type { Stamp } from "../../../src/engine/effects/target.ts";
import { problem } from "../../../src/engine/errors.ts";
import { StoreFull } from "../../../src/engine/store/store.ts";
import { failed, type Result } from "../../../src/term/output.ts";
import { type Deploying, deploying } from "./lane-support.ts";

const HOUR = 3_600_000;

describe("a deploy that the threshold holds", () => {
  const held = async (level: "harmless" | "dangerous" = "dangerous"): Promise<Deploying> => {
    const made = deploying();
    made.rig.engine.confirm.set(level, "ann");
    made.input.set("one");
    await made.pass();
    return made;
  };
  const only = ({ jobs }: Deploying): string => jobs().at(-1)?.id ?? "";

  it("writes nothing anywhere while it waits", async () => {
    const made = await held("harmless");
    await made.pass(HOUR);
    expect([made.shows(), made.world.arrivals, made.rows()]).toEqual(["active waiting", [], []]);
    expect(made.jobs().map(({ state }) => state)).toEqual(["waiting"]);
  });

  it("goes on when a person starts it, with a head and a target that were just read", async () => {
    const made = await held();
    let reads = 0;
    made.fresh = async (): Promise<Result<unknown>> => {
      reads += 1;
      return { ok: true, value: undefined };
    };
    made.world.byHand("web", { running: "by hand" });
    expect(made.rig.engine.jobs.start(only(made), "ann").ok).toBe(true);
    await made.pass();
    expect([made.shows(), reads, made.rows()[0]?.before]).toEqual(["ok one", 1, "by hand"]);
  });

  it("waits for the newest value only, when newer ones come while it reads the head and ends its job", async () => {
    const made = deploying({
      dies: (point) => {
        if (point === "before commit job cancelled") made.input.set("three");
        return false;
      },
    });
    made.fresh = async (): Promise<Result<unknown>> => {
      made.input.set("two");
      return { ok: true, value: undefined };
    };
    made.rig.engine.confirm.set("dangerous", "ann");
    made.input.set("one");
    await made.pass();
    made.rig.engine.jobs.start(only(made), "ann");
    await made.pass();
    const inputs = made.jobs().map(({ id }) => made.rig.store.queries.jobInputs(id)[0]?.text);
    expect([inputs, made.jobs().map(({ state }) => state)]).toEqual([
      ["one", "three"],
      ["cancelled", "waiting"],
    ]);
  });

  it("waits anew for a newer value: the job of the old one ends as superseded", async () => {
    const made = await held();
    made.input.set("two");
    await made.pass();
    expect(made.jobs()).toMatchObject([{ state: "cancelled", error: { code: "SUPERSEDED" } }, { state: "waiting" }]);
    made.rig.engine.confirm.set("none", "ann");
    await made.pass();
    expect([made.moves(), made.shows()]).toEqual([["two"], "ok two"]);
  });

  it("goes on waiting while the input is away for a while, and does nothing when nobody wants it any more", async () => {
    const made = await held();
    const away = failed(problem("REPO_UNREACHABLE", "no answer"), "web/image");
    made.input.show(away);
    await made.pass();
    made.input.set("one");
    await made.pass();
    expect(made.jobs().map(({ state }) => state)).toEqual(["waiting"]);
    made.input.show(away);
    await made.pass();
    made.rig.engine.confirm.set("none", "ann");
    await made.pass();
    expect([made.world.arrivals, made.rows()]).toEqual([[], []]);
    expect(made.jobs()).toMatchObject([{ state: "cancelled", error: { code: "SUPERSEDED" } }]);
  });

  it("can be cancelled, and is not tried again by itself, nor after a restart; the next value is", async () => {
    const made = await held();
    expect((await made.rig.engine.jobs.cancel(only(made), "ann", "not today")).ok).toBe(true);
    await made.pass(HOUR);
    expect(made.intents()).toEqual(["1 failed"]);
    expect(made.jobs()).toMatchObject([{ state: "cancelled", note: "cancelled by ann: not today" }]);
    const next = await made.restart("one");
    await next.pass(HOUR);
    expect([next.shows(), next.moves()]).toEqual(["failed DEPLOY_FAILED cancelled by ann: not today", []]);
    next.input.set("two");
    await next.pass();
    expect(next.shows()).toBe("ok two");
  });

  it("can be cancelled while its input is away", async () => {
    const made = await held();
    made.input.show(failed(problem("REPO_UNREACHABLE", "no answer"), "web/image"));
    expect((await made.rig.engine.jobs.cancel(only(made), "ann", "not today")).ok).toBe(true);
    await made.pass();
    expect(made.jobs()).toMatchObject([{ state: "cancelled", note: "cancelled by ann: not today" }]);
    expect(made.rig.engine.jobs.open.size).toBe(0);
  });

  it("is cut off when what it waited for came about by itself; what one job was cleared for, the next is not", async () => {
    const made = await held();
    made.world.byHand("web", { running: "one" });
    made.rig.engine.jobs.start(only(made), "ann");
    await made.pass();
    expect([made.shows(), made.jobs().map(({ state }) => state)]).toEqual(["ok one", ["ok"]]);
    made.input.set("two");
    await made.pass(5 * 60_000);
    expect([made.shows(), made.world.arrivals]).toEqual(["active waiting", []]);
    expect(made.jobs().map(({ state }) => state)).toEqual(["ok", "waiting"]);
  });

  it("waits again after a restart", async () => {
    const made = await held();
    const next = await made.restart();
    next.rig.engine.confirm.set("dangerous", "ann");
    next.input.set("one");
    await next.pass();
    expect(next.jobs().map(({ state }) => state)).toEqual(["interrupted", "waiting"]);
    expect(next.world.arrivals).toEqual([]);
  });
});

describe("a Rebuild that nobody has begun with", () => {
  const waiting = async (): Promise<Deploying> => {
    const made = deploying({}, "one");
    await made.pass();
    made.rig.engine.confirm.set("dangerous", "ann");
    expect((await made.lane.force()).ok).toBe(true);
    const next = await made.restart("one");
    next.rig.engine.confirm.set("dangerous", "ann");
    await next.pass();
    return next;
  };

  it("is not forgotten when Millrace dies, and is done once", async () => {
    const made = await waiting();
    expect([made.shows(), made.moves()]).toEqual(["active waiting", ["one"]]);
    const next = await made.restart("one");
    await next.pass(HOUR);
    expect([next.shows(), next.moves(), next.intents()]).toEqual([
      "ok one",
      ["one", "one"],
      ["1 verified", "2 verified"],
    ]);
    const last = await next.restart("one");
    await last.pass(HOUR);
    expect([last.shows(), last.moves()]).toEqual(["ok one", ["one", "one"]]);
  });

  it("is cancelled for good", async () => {
    const made = await waiting();
    expect((await made.rig.engine.jobs.cancel(made.jobs().at(-1)?.id ?? "", "ann", "no")).ok).toBe(true);
    await made.pass();
    const next = await made.restart("one");
    await next.pass(HOUR);
    expect([next.shows(), next.moves()]).toEqual(["ok one", ["one"]]);
  });

  it("is of no more use when something newer is wanted", async () => {
    const made = await waiting();
    const next = await made.restart("two");
    await next.pass();
    const last = await next.restart("one");
    await last.pass(HOUR);
    expect([last.shows(), last.moves()]).toEqual(["ok one", ["one", "two", "one"]]);
  });
});

describe("cancel", () => {
  it("while the head is read again takes effect: nothing is written", async () => {
    const made = deploying({}, "one");
    const pending: (() => void)[] = [];
    made.fresh = () => new Promise((resolve) => void pending.push(() => resolve({ ok: true, value: undefined })));
    await made.pass(1_000);
    const answer = await made.rig.engine.jobs.cancel(made.jobs()[0]?.id ?? "", "ann", "wait");
    for (const read of pending) read();
    await made.pass(HOUR);
    expect([answer.ok, made.world.arrivals, made.intents()]).toEqual([true, [], ["1 failed"]]);
    expect([made.shows(), made.rig.engine.jobs.open.size]).toEqual(["failed DEPLOY_FAILED cancelled by ann: wait", 0]);
  });

  it("while the target does not answer takes effect too", async () => {
    const made = deploying();
    let calls = 0;
    made.fresh = async () => {
      calls += 1;
      made.world.unreachable.add("web"); // it goes away between the head and the look at it
      return { ok: true, value: undefined };
    };
    made.input.set("one");
    await made.pass(1_000);
    expect((await made.rig.engine.jobs.cancel(made.jobs()[0]?.id ?? "", "ann", "wait")).ok).toBe(true);
    await made.pass();
    made.world.unreachable.clear();
    await made.pass();
    expect([made.jobs()[0]?.state, made.world.arrivals, calls]).toEqual(["cancelled", [], 1]);
  });

  it.each(["before commit intent planned", "after commit intent planned", "before apply", "after apply", "settle"])(
    "from the intent on is refused: %s",
    async (when) => {
      const answers: Promise<Result<void>>[] = [];
      const made = deploying({
        dies: (point) => {
          const [job] = made.rig.engine.jobs.open.values();
          if (point === when && answers.length === 0 && job !== undefined)
            answers.push(made.rig.engine.jobs.cancel(job.id, "ann", ""));
          return false;
        },
      });
      made.input.set("one");
      await made.pass();
      expect((await Promise.all(answers)).map(({ ok }) => ok)).toEqual([false]);
      expect([made.shows(), made.jobs()[0]?.state]).toEqual(["ok one", "ok"]);
    },
  );
});

describe("a target that bears a receipt which is not older than ours", () => {
  const ours: Stamp = { intent: "theirs", generation: 1, epoch: 1, digest: "d", owner: "demo" };
  const cases: readonly (readonly [string, Stamp, string])[] = [
    ["another flavour's", { ...ours, owner: "tarides" }, "it belongs to flavour tarides, this one is demo"],
    ["of a higher epoch", { ...ours, epoch: 7 }, "its receipt is of epoch 7, this state directory is at 1"],
    [
      "of a newer generation",
      { ...ours, generation: 9 },
      "its receipt is of generation 9, this state directory knows 1",
    ],
  ];

  it.each(cases)("%s is held, and said", async (_what, receipt, why) => {
    const made = deploying();
    made.world.byHand("web", { running: "theirs", receipt });
    made.input.set("new");
    await made.pass(HOUR);
    expect(made.shows()).toBe(`failed HELD fake thing web is held: ${why}`);
    expect([made.world.arrivals, made.rows()]).toEqual([[], []]);
  });

  it.each(cases)("%s is held even when it runs what is wanted", async (_what, receipt) => {
    const made = deploying();
    made.world.byHand("web", { running: "new", receipt });
    made.input.set("new");
    await made.pass();
    expect(made.shows()).toMatch(/^failed HELD/);
  });

  it.each(cases)(
    "%s is accepted by a person: then our numbers are above it, and the wanted value goes in",
    async (_what, receipt) => {
      const made = deploying();
      made.world.byHand("web", { running: "theirs", receipt });
      made.input.set("new");
      await made.pass();
      expect(await made.lane.adopt("ann")).toEqual({ ok: true, value: undefined });
      await made.pass();
      expect(made.shows()).toBe("ok new");
      const now = made.world.thing("web")?.receipt;
      expect(now?.generation).toBeGreaterThan(receipt.generation);
      expect(now?.epoch ?? 0).toBeGreaterThanOrEqual(receipt.epoch);
      expect(made.rows()[0]).toMatchObject({ state: "verified", evidence: "adopted by ann" });
      const next = await made.restart("new");
      await next.pass();
      expect([next.shows(), next.moves()]).toEqual(["ok new", ["new"]]);
    },
  );

  it.each(cases)(
    "%s stays accepted when it is there again, after an update of ours was undone",
    async (_what, receipt) => {
      const made = deploying();
      made.world.byHand("web", { running: "theirs", receipt });
      made.world.bad.add("bad");
      made.input.set("bad");
      await made.pass();
      await made.lane.adopt("ann");
      await made.pass();
      expect(made.shows()).toMatch(/^failed ROLLED_BACK/);
      const next = await made.restart("bad");
      await next.pass();
      expect([next.world.thing("web")?.receipt, next.shows().slice(0, 18)]).toEqual([receipt, "failed ROLLED_BACK"]);
      next.input.set("new");
      await next.pass();
      expect([next.shows(), next.moves()]).toEqual(["ok new", ["bad", "new"]]);
    },
  );

  it("can be accepted with an intent of ours open: that one ends", async () => {
    const made = deploying({ dies: (point) => point === "before apply" }, "new");
    await made.pass();
    const next = await made.restart("new");
    next.world.byHand("web", { running: "theirs", receipt: { ...ours, owner: "tarides" } });
    await next.pass();
    expect(next.shows()).toMatch(/^failed HELD/);
    expect((await next.lane.adopt("ann")).ok).toBe(true);
    await next.pass();
    expect([next.intents(), next.shows()]).toEqual([["1 superseded", "1 verified", "2 verified"], "ok new"]);
    expect(next.moves()).toEqual(["new"]);
  });

  it("is the only one that there is something to accept of: our own receipt is left alone", async () => {
    const made = deploying({}, "new");
    await made.pass();
    const before = made.rows();
    expect(await made.lane.adopt("ann")).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
    expect(made.rows()).toEqual(before);
  });
});

describe("a target without a receipt", () => {
  it("was made by hand and is taken over", async () => {
    const made = deploying({}, "new");
    await made.pass();
    expect([made.shows(), made.rows()[0]?.before]).toEqual(["ok new", "old"]);
  });
});

describe("a lane that is stopped", () => {
  it("sends nothing any more, and its job does not stay open", async () => {
    const made = deploying();
    made.rig.engine.confirm.set("dangerous", "ann");
    made.input.set("new");
    await made.pass();
    made.lane.stop();
    await made.pass();
    expect(made.rig.engine.jobs.open.size).toBe(0);
    made.rig.engine.confirm.set("none", "ann");
    await made.pass(HOUR);
    expect(made.world.arrivals).toEqual([]);
    expect(made.jobs()).toMatchObject([{ state: "interrupted" }]);
    expect([...made.rig.engine.jobs.rebuilders.keys()]).toEqual([]);
  });

  it("while a deploy is settled leaves it to the next process, which follows it", async () => {
    const made = deploying({}, "new");
    await made.pass(1_000);
    made.lane.stop();
    const stopped = made.rig.engine.jobs.stopAll("Millrace is being stopped", 4_000);
    await made.pass(100);
    await stopped;
    expect(made.jobs()).toMatchObject([{ state: "interrupted" }]);
    expect(made.intents()).toEqual(["1 applied"]);
    const next = await made.restart("new");
    await next.pass();
    expect([next.shows(), next.verbs(), next.intents()]).toEqual(["ok new", ["apply"], ["1 verified"]]);
    expect(next.jobs().map(({ state }) => state)).toEqual(["interrupted", "ok"]);
  });
});

describe("a full disk", () => {
  it("lets no write begin: the intent comes first", async () => {
    const made = deploying();
    const { store } = made.rig;
    const commit = store.commit.bind(store);
    store.commit = (batch) =>
      batch.some(({ put }) => put === "intent") ? Promise.reject(new StoreFull("full")) : commit(batch);
    made.input.set("new");
    await made.pass(HOUR);
    expect([made.world.arrivals, made.rows(), made.rig.engine.journal.blocked]).toEqual([[], [], true]);
  });
});
