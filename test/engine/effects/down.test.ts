// A target at rest that does not run, or not for long: it is never shown as ok, and nothing is sent because of it.
import { describe, expect, it } from "vitest";
import { type Deploying, deploying } from "./lane-support.ts";

const MINUTE = 60_000;
const WHY = "0 of 1 run: no room";
const DOWN = `failed TARGET_DOWN fake thing web does not run as it should: ${WHY}`;

/** `one` was deployed; then it stopped running, and nobody moved it. */
async function fallen(options: Parameters<typeof deploying>[0] = {}): Promise<Deploying> {
  const made = deploying(options, "one");
  await made.pass();
  made.world.falls("web", WHY);
  return made;
}

/** Everything that was shown until now, from one change to the next. */
function watched({ rig, shows }: Deploying): readonly string[] {
  const seen: string[] = [shows()];
  rig.engine.steps.subscribe(() => {
    if (seen.at(-1) !== shows()) seen.push(shows());
  });
  return seen;
}

/** It falls and gets up again and again. */
async function staggers({ world, pass }: Deploying, upMs: number, downMs: number, forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += upMs + downMs) {
    world.falls("web", WHY);
    await pass(downMs);
    world.falls("web", undefined);
    await pass(upMs);
  }
}

describe("a target that does not run though nothing moves it", () => {
  it("is given the time of a start, is shown as down then, and nothing is sent", async () => {
    const made = await fallen();
    const seen = watched(made);
    await made.pass(MINUTE);
    expect([made.shows(), made.term.metadata.detail]).toEqual(["active running", WHY]);
    expect(made.lane.down()).toMatchObject({ code: "TARGET_DOWN" }); // a plan waits no minute
    await made.pass(MINUTE);
    expect([seen, made.verbs()]).toEqual([["ok one", "active running", DOWN], ["apply"]]);
    expect(made.term.output).toMatchObject({ failure: { class: "transient" } });
    await made.pass(60 * MINUTE);
    expect([made.shows(), made.verbs(), made.jobs().length]).toEqual([DOWN, ["apply"], 1]);
  });

  it("is ok again by itself once it has run for a while", async () => {
    const made = await fallen();
    await made.pass(3 * MINUTE);
    made.world.falls("web", undefined);
    await made.pass(9_000);
    expect(made.shows()).toBe(DOWN);
    await made.pass(20_000);
    expect([made.shows(), made.verbs()]).toEqual(["ok one", ["apply"]]);
  });

  it("is not called down when it only starts anew", async () => {
    const made = await fallen();
    const seen = watched(made);
    await made.pass(MINUTE);
    made.world.falls("web", undefined);
    await made.pass(MINUTE);
    expect(seen).toEqual(["ok one", "active running", "ok one"]);
  });

  it("is down when it falls and gets up again and again, whatever a look finds", async () => {
    const made = await fallen();
    await made.pass(MINUTE);
    const seen = watched(made);
    await staggers(made, 7_000, 4_000, 10 * MINUTE);
    expect(seen).toEqual(["active running", DOWN]);
    await made.pass(MINUTE);
    expect(made.shows()).toBe("ok one");
  });

  it("is no longer believed to run when nothing answered in between", async () => {
    const looks: string[] = [];
    const made = await fallen({ dies: (point) => point === "before observe" && looks.push(point) < 0 });
    const look = async (): Promise<void> => {
      looks.length = 0;
      while (looks.length === 0) await made.pass(100);
    };
    await made.pass(3 * MINUTE);
    made.world.falls("web", undefined);
    await look();
    made.world.unreachable.add("web");
    await made.pass(MINUTE);
    made.world.unreachable.clear();
    await look();
    const seen = watched(made);
    await made.pass(9_000);
    expect(seen.filter((text) => text.startsWith("ok"))).toEqual([]);
    await made.pass(3_000);
    expect(made.shows()).toBe("ok one");
  });

  it("is down after a restart too, and in one that finds it so", async () => {
    const made = await fallen();
    const next = await made.restart("one");
    await next.pass(2 * MINUTE);
    expect([next.shows(), next.verbs()]).toEqual([DOWN, ["apply"]]);
  });

  it("takes the next value, and what it was is forgotten", async () => {
    const made = await fallen();
    await made.pass(3 * MINUTE);
    made.input.set("two");
    await made.pass(10_000);
    expect([made.shows(), made.moves()]).toEqual(["ok two", ["one", "two"]]);
    made.world.falls("web", WHY);
    await made.pass(MINUTE);
    expect(made.shows()).toBe("active running");
  });

  it("is deployed again when a person asks for it", async () => {
    const made = await fallen();
    await made.pass(3 * MINUTE);
    expect((await made.lane.force()).ok).toBe(true);
    await made.pass(10_000);
    expect([made.shows(), made.moves()]).toEqual(["ok one", ["one", "one"]]);
  });

  it("is down also when a person has accepted what runs there", async () => {
    const made = deploying({}, "one");
    await made.pass();
    made.world.byHand("web", { running: "by hand" });
    await made.pass();
    expect((await made.lane.adopt("ann")).ok).toBe(true);
    await made.pass();
    expect(made.shows()).toBe("ok by hand");
    made.world.falls("web", WHY);
    await made.pass(3 * MINUTE);
    expect([made.shows(), made.verbs()]).toEqual([DOWN, ["apply"]]);
  });

  it.each(["hold", "report"] as const)("and that somebody changes then is drifted (%s)", async (drift) => {
    const made = deploying({ drift }, "old");
    made.world.falls("web", WHY); // before anything was deployed
    await made.pass(3 * MINUTE);
    made.world.byHand("web", { running: "by hand" });
    await made.pass();
    expect([made.shows(), made.verbs()]).toEqual([expect.stringMatching(/^failed DRIFT/), []]);
  });
});

describe("an update that has come to a halt", () => {
  it("is not forgotten with the fence for what was to come next", async () => {
    let planned = 0;
    const made = deploying({
      dies: (point) => point === "after commit intent planned" && ++planned === 2,
    });
    made.world.stuck.add("stuck");
    made.input.set("stuck");
    await made.pass();
    expect([made.shows(), made.world.thing("web")?.motion]).toEqual([
      "failed DEPLOY_FAILED stuck stands still",
      "failed",
    ]);
    made.input.set("two");
    await made.pass();
    const next = await made.restart("stuck");
    const seen = watched(next);
    await next.pass(3 * MINUTE);
    expect([next.verbs(), next.world.thing("web")?.motion]).toEqual([["apply", "fence"], "steady"]);
    expect(next.shows()).toMatch(/^failed TARGET_DOWN .*stuck stands still$/);
    expect(seen.filter((text) => text.startsWith("ok"))).toEqual([]);
  });
});

describe("a deploy that was given up while the target looks steady", () => {
  const givenUp = async (): Promise<Deploying> => {
    const made = deploying();
    made.world.idle.add("idle");
    made.input.set("idle");
    await made.pass(10_000);
    return made;
  };

  it("has failed, and stays so as long as it does not run", async () => {
    const made = await givenUp();
    const seen = watched(made);
    await made.pass(60 * MINUTE);
    expect([seen, made.world.thing("web")?.motion]).toEqual([
      ["failed DEPLOY_FAILED not settled: idle stands still"],
      "steady",
    ]);
    expect([made.intents(), made.moves()]).toEqual([["1 failed"], ["idle"]]);
  });

  it("is ok only once it has run for a while, after a restart too", async () => {
    const made = await givenUp();
    const seen = watched(made);
    await staggers(made, 7_000, 4_000, 10 * MINUTE);
    expect(seen).toEqual(["failed DEPLOY_FAILED not settled: idle stands still"]);
    const next = await made.restart("idle");
    const then = watched(next);
    await next.pass(5_000); // it is up for the moment
    await staggers(next, 7_000, 4_000, 5 * MINUTE);
    expect(then.filter((text) => text.startsWith("ok"))).toEqual([]);
    await next.pass(MINUTE);
    expect([next.shows(), next.verbs()]).toEqual(["ok idle", ["apply"]]);
  });
});

describe("a target that was held in the midst of a deploy", () => {
  it("is taken up anew when what held it is gone: head, job and fence, and then the write", async () => {
    const theirs = { intent: "theirs", generation: 7, epoch: 3, digest: "x", owner: "tarides" };
    let meddled = false;
    const made = deploying({
      dies: (point) => {
        if (point === "before apply" && !meddled) {
          meddled = true;
          made.world.byHand("web", { running: "theirs", receipt: theirs });
        }
        return false;
      },
    });
    made.input.set("new");
    await made.pass();
    expect([made.shows(), made.rows().map(({ state }) => state)]).toEqual([
      expect.stringMatching(/^failed HELD/),
      ["planned"],
    ]);
    made.world.remove("web");
    made.world.byHand("web", { running: "old" }); // made again, without a receipt
    await made.pass();
    expect([made.shows(), made.verbs()]).toEqual(["ok new", ["apply conflict", "fence", "apply"]]);
    expect([made.intents(), made.jobs().map(({ state }) => state)]).toEqual([["1 verified"], ["failed", "ok"]]);
  });
});
