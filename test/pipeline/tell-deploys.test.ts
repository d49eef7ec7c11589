// What others are told of a deploy, from a real lane over a fake world.
import { describe, expect, it } from "vitest";
import { cached } from "../../src/engine/cache/cache.ts";
import { deploy } from "../../src/engine/effects/deploy.ts";
import { Outbox } from "../../src/engine/effects/outbox.ts";
import type { Sender } from "../../src/engine/effects/sender.ts";
import { problem } from "../../src/engine/errors.ts";
import type { Json } from "../../src/engine/json.ts";
import { Secret } from "../../src/engine/secret.ts";
import { tellDeploy } from "../../src/pipeline/tell-deploys.ts";
import { deploymentSender } from "../../src/plugins/github/index.ts";
import { type Ending, slackSender } from "../../src/plugins/messages/index.ts";
import { map } from "../../src/term/combinators.ts";
import { success } from "../../src/term/output.ts";
import type { Term } from "../../src/term/term.ts";
import { createRig, DummyBuilder, dummyInput, FakeWorld, type Rig } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";
import { type Deploying, deploying } from "../engine/effects/lane-support.ts";

/** A sender of the real kind whose sends are only written down. */
const deaf = <W>(sender: Sender<W>, line: (want: W) => string, heard: string[]): Sender<W> => ({
  ...sender,
  send: async (want) => success<Json>(heard.push(line(want))),
});

type Told = Pick<Deploying, "rig" | "term" | "lane">;

function told(made: Told, commit: Term<string>) {
  const heard = { github: [] as string[], slack: [] as string[] };
  const nothing = { ask: () => Promise.reject(new Error("nobody is asked")) };
  const github = deaf(
    deploymentSender(nothing, "demo"),
    ({ environment, commit, state, description, logUrl = "" }) =>
      `${environment} ${commit} ${state}: ${description}${logUrl.replace(/^.*\/job\//, " of ")}`,
    heard.github,
  );
  const slack: Sender<Ending> = deaf(
    slackSender(new Secret("https://chat.example/hook"), made.rig.clock, "https://deploy.example"),
    ({ place, commit, state, quiet, why }) => `${place} ${commit} ${state}${quiet ? " quiet" : ""} ${why ?? ""}`.trim(),
    heard.slack,
  );
  const outbox = new Outbox(made.rig.engine);
  const { engine } = made.rig;
  tellDeploy(
    engine,
    { outbox, site: "https://deploy.example", github, messages: [slack] },
    {
      about: { term: made.term.key, repo: "acme/shop", branch: "live", place: "shop_web" },
      commit,
      deployed: made.term,
      before: [],
      making: ["image"],
      rolledOut: (generation) => made.lane.rolledOut(generation),
      onGitHub: true,
      box: (verb) => box(`web/${verb}`),
    },
  );
  return { ...heard, outbox };
}

const toldOf = (made: Deploying) =>
  told(
    made,
    map(made.input.term, (value) => `c-${value}`),
  );

/** A branch whose image a builder makes, for a thing that runs `old`. */
function branch(rig: Rig = createRig(), world = new FakeWorld(rig.clock), head?: string) {
  const { engine } = rig;
  if (head === undefined) world.byHand("web", { running: "old" });
  const commit = dummyInput(engine, box("head"), ...(head === undefined ? [] : [head]));
  const builder = new DummyBuilder();
  const image = cached(engine, box("image"), builder, "here", commit.term);
  const options = { owner: "demo", drift: "report" as const, fresh: async () => success(undefined) };
  const { term, lane } = deploy(engine, box("web/deploy"), world.kind(rig), "web", image, options);
  const pass = (ms = 10 * 60_000): Promise<void> => rig.clock.advance(ms);
  return { rig, world, commit, builder, pass, ...told({ rig, term, lane }, commit.term) };
}

describe("a deploy", () => {
  it("is told to the forge as it goes on, and to people when it has ended", async () => {
    const made = deploying();
    const { github, slack, outbox } = toldOf(made);
    made.input.set("one");
    await made.pass();
    expect(github.at(0)).toMatch(/^shop_web c-one (queued|in_progress): /);
    expect(github.at(-1)).toMatch(/^shop_web c-one success: It runs\. of \S+$/);
    expect(slack).toEqual(["shop_web c-one ok"]);
    expect(outbox.unsent()).toEqual([]);
  });

  it("that fails is told with its reason, and stays the last word until something changes", async () => {
    const made = deploying();
    made.world.bad.add("bad");
    const { github, slack } = toldOf(made);
    made.input.set("bad");
    await made.pass(10 * 60_000);
    expect(github.at(-1)).toMatch(/^shop_web c-bad failure: ./);
    expect(slack).toHaveLength(1);
    expect(slack[0]).toMatch(/^shop_web c-bad failed ./);
  });

  it("that changes nothing is told as such, and people are not bothered", async () => {
    const made = deploying();
    const { github, slack } = toldOf(made);
    made.input.set("old");
    await made.pass();
    expect(github.at(-1)).toBe("shop_web c-old success: It ran already: the content is the same.");
    expect(slack).toEqual(["shop_web c-old ok quiet"]);
  });

  it("is not told again by the next process", async () => {
    const made = deploying({}, "one");
    toldOf(made);
    await made.pass();
    const next = await made.restart("one");
    const { github, slack } = toldOf(next);
    await next.pass(10 * 60_000);
    expect([github, slack]).toEqual([[], []]);
  });

  it("whose ending the process did not live to tell is told by the next", async () => {
    const made = deploying();
    const { outbox } = toldOf(made);
    made.rig.engine.confirm.set("above-average", "test"); // nothing is sent, and the deploy waits
    made.input.set("one");
    await made.pass();
    outbox.stop();
    const next = await made.restart("one");
    const { github, slack } = toldOf(next);
    await next.pass(10 * 60_000);
    expect(github.at(-1)).toMatch(/^shop_web c-one success: It runs\. of \S+$/);
    expect(slack).toEqual(["shop_web c-one ok"]);
  });

  it("whose image cannot be made is told with the job that says why, and not again by the next process", async () => {
    const { rig, world, commit, builder, pass, github, slack } = branch();
    commit.set("c-one");
    await pass();
    expect([github, slack]).toEqual([[], []]); // it is being built
    builder.runs.at(-1)?.fail(problem("BUILD_FAILED", "exit code: 3"));
    await pass();
    const job = builder.runs.at(-1)?.id;
    expect(github).toEqual([`shop_web c-one error: exit code: 3 of ${job}`]);
    expect(slack).toEqual([`shop_web c-one failed exit code: 3`]);
    const next = branch(await rig.restart(), world, "c-one");
    await next.pass();
    expect([next.github, next.slack]).toEqual([[], []]);
    next.commit.set("c-two");
    await next.pass();
    next.builder.runs.at(-1)?.succeed("two");
    await next.pass();
    expect(next.github.at(-1)).toMatch(/^shop_web c-two success: It runs. of ./);
    expect(next.slack).toEqual(["shop_web c-two ok"]);
  });

  it("whose image cannot be made right now is not told as failed: that is tried again", async () => {
    const { commit, builder, pass, github, slack } = branch();
    commit.set("c-one");
    await pass();
    builder.runs.at(-1)?.fail(problem("REGISTRY_UNREACHABLE", "no answer"));
    await pass(1_000);
    expect([github, slack]).toEqual([[], []]);
  });
});
