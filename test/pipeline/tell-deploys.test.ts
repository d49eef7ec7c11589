// What others are told of a deploy, from a real lane over a fake world.
import { describe, expect, it } from "vitest";
import { Outbox } from "../../src/engine/effects/outbox.ts";
import type { Sender } from "../../src/engine/effects/sender.ts";
import type { Json } from "../../src/engine/json.ts";
import { Secret } from "../../src/engine/secret.ts";
import { tellDeploy } from "../../src/pipeline/tell-deploys.ts";
import { deploymentSender } from "../../src/plugins/github/index.ts";
import { type Ending, slackSender } from "../../src/plugins/messages/index.ts";
import { map } from "../../src/term/combinators.ts";
import { success } from "../../src/term/output.ts";
import { box } from "../engine/cache/support.ts";
import { type Deploying, deploying } from "../engine/effects/lane-support.ts";

/** A sender of the real kind whose sends are only written down. */
const deaf = <W>(sender: Sender<W>, line: (want: W) => string, heard: string[]): Sender<W> => ({
  ...sender,
  send: async (want) => success<Json>(heard.push(line(want))),
});

function told(made: Deploying) {
  const heard = { github: [] as string[], slack: [] as string[] };
  const nothing = { ask: () => Promise.reject(new Error("nobody is asked")) };
  const github = deaf(
    deploymentSender(nothing),
    ({ environment, commit, state, description }) => `${environment} ${commit} ${state}: ${description}`,
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
      commit: map(made.input.term, (value) => `c-${value}`),
      deployed: made.term,
      before: [],
      rolledOut: (generation) => made.lane.rolledOut(generation),
      onGitHub: true,
      box: (verb) => box(`web/${verb}`),
    },
  );
  return { ...heard, outbox };
}

describe("a deploy", () => {
  it("is told to the forge as it goes on, and to people when it has ended", async () => {
    const made = deploying();
    const { github, slack, outbox } = told(made);
    made.input.set("one");
    await made.pass();
    expect(github.at(0)).toMatch(/^shop_web c-one (queued|in_progress): /);
    expect(github.at(-1)).toBe("shop_web c-one success: It runs.");
    expect(slack).toEqual(["shop_web c-one ok"]);
    expect(outbox.unsent()).toEqual([]);
  });

  it("that fails is told with its reason, and stays the last word until something changes", async () => {
    const made = deploying();
    made.world.bad.add("bad");
    const { github, slack } = told(made);
    made.input.set("bad");
    await made.pass(10 * 60_000);
    expect(github.at(-1)).toMatch(/^shop_web c-bad failure: ./);
    expect(slack).toHaveLength(1);
    expect(slack[0]).toMatch(/^shop_web c-bad failed ./);
  });

  it("that changes nothing is told as such, and people are not bothered", async () => {
    const made = deploying();
    const { github, slack } = told(made);
    made.input.set("old");
    await made.pass();
    expect(github.at(-1)).toBe("shop_web c-old success: It ran already: the content is the same.");
    expect(slack).toEqual(["shop_web c-old ok quiet"]);
  });

  it("is not told again by the next process", async () => {
    const made = deploying({}, "one");
    told(made);
    await made.pass();
    const next = await made.restart("one");
    const { github, slack } = told(next);
    await next.pass(10 * 60_000);
    expect([github, slack]).toEqual([[], []]);
  });

  it("whose ending the process did not live to tell is told by the next", async () => {
    const made = deploying();
    const { outbox } = told(made);
    made.rig.engine.confirm.set("above-average", "test"); // nothing is sent, and the deploy waits
    made.input.set("one");
    await made.pass();
    outbox.stop();
    const next = await made.restart("one");
    const { github, slack } = told(next);
    await next.pass(10 * 60_000);
    expect(github.at(-1)).toBe("shop_web c-one success: It runs.");
    expect(slack).toEqual(["shop_web c-one ok"]);
  });
});
