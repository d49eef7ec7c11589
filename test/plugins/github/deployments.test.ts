// Deployments and their statuses, at a strict GitHub on this machine.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sender } from "../../../src/engine/effects/sender.ts";
import type { Json } from "../../../src/engine/json.ts";
import { type DeploymentState, type DeploymentWant, shortened } from "../../../src/plugins/github/deployment-want.ts";
import { deploymentSender } from "../../../src/plugins/github/index.ts";
import type { FakeGitHub } from "../../../src/testing/index.ts";
import { clientOf, closeStrictly, startFake } from "../../support/github.ts";

const signal = new AbortController().signal;
const CREATE = "POST /repos/{owner}/{repo}/deployments";
const STATUS = "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses";
const LIST_STATUSES = "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses";

let fake: FakeGitHub;
let sender: Sender<DeploymentWant>;
let restart: (owner?: string) => void;
let kept: Json | undefined;
let unsure: boolean;
let commits: readonly string[];

beforeEach(async () => {
  fake = await startFake("acme/shop");
  commits = ["1", "2", "3"].map((text) => fake.push("acme/shop", "live", { "a.txt": text }));
  const github = clientOf(fake);
  restart = (owner = "demo") => (sender = deploymentSender(github, owner));
  restart();
  kept = undefined;
  unsure = false;
});

afterEach(() => closeStrictly(fake));

/** Sends as the outbox does. */
async function send(n: number, state: DeploymentState, term = "acme/shop/deploy"): Promise<string> {
  const want: DeploymentWant = {
    repo: "acme/shop",
    term,
    environment: "shop_web",
    commit: commits[n] ?? "",
    state,
    description: `It is ${state}`,
    logUrl: "https://deploy.example/job/1",
    environmentUrl: "https://shop.example",
  };
  const decoded = sender.want.decode(sender.want.encode(want));
  const result = await sender.send(decoded ?? want, kept, signal, unsure);
  if (result.ok) unsure = false;
  else unsure ||= result.error.class === "transient" && result.error.retryAtMs === undefined;
  if (result.ok) kept = result.value;
  return result.ok ? "ok" : result.error.code;
}

/** A line a deployment: which commit, then its states. */
const shown = (): readonly string[] =>
  fake
    .repository("acme/shop")
    .deployments.map(
      ({ commit, statuses }) => `${commits.indexOf(commit)}: ${statuses.map(({ state }) => state).join(" ")}`,
    );

describe("a place", () => {
  it("shows each commit as a deployment, with where it runs and its log", async () => {
    await send(0, "queued");
    await send(0, "in_progress");
    await send(0, "success");
    expect(shown()).toEqual(["0: queued in_progress success"]);
    const [deployment] = fake.repository("acme/shop").deployments;
    expect(deployment).toMatchObject({ environment: "shop_web", ref: commits[0] });
    expect(deployment?.statuses.at(-1)).toMatchObject({
      environmentUrl: "https://shop.example",
      logUrl: "https://deploy.example/job/1",
      description: "It is success",
    });
  });

  it("shows the earlier one as inactive once the newer one is live, not before", async () => {
    await send(0, "success");
    await send(1, "in_progress");
    expect(shown()).toEqual(["0: success", "1: in_progress"]);
    await send(1, "success");
    expect(shown()).toEqual(["0: success inactive", "1: in_progress success"]);
  });

  it("keeps what is live when a newer one fails, and the failure when yet a newer one comes", async () => {
    await send(0, "success");
    await send(1, "failure");
    await send(2, "success");
    expect(shown()).toEqual(["0: success inactive", "1: failure", "2: success"]);
  });

  it("ends what was never brought to its end", async () => {
    await send(0, "in_progress");
    await send(1, "success");
    expect(shown()).toEqual(["0: in_progress inactive", "1: success"]);
  });

  it("shows a commit that comes back as a new deployment", async () => {
    await send(0, "success");
    await send(1, "success");
    await send(0, "success");
    expect(shown()).toEqual(["0: success inactive", "1: success inactive", "0: success"]);
  });

  it("shows the same one failed and mended again", async () => {
    for (const state of ["success", "failure", "in_progress", "success"] as const) await send(0, state);
    expect(shown()).toEqual(["0: success failure in_progress success"]);
  });
});

describe("a place whose term is another one from now on, its branch being renamed say,", () => {
  it("shows what the earlier one left as inactive once the newer one is live, and nobody else's", async () => {
    await send(0, "success");
    fake
      .repository("acme/shop")
      .deployments.push(
        ...fake.repository("acme/shop").deployments.map((one) => ({ ...one, id: 5, payload: {}, statuses: [] })),
      );
    const before = kept;
    kept = undefined;
    restart();
    await send(1, "in_progress", "acme/shop/renamed");
    expect(shown()).toEqual(["0: success", "0: ", "1: in_progress"]);
    await send(1, "success", "acme/shop/renamed");
    expect(shown()).toEqual(["0: success inactive", "0: ", "1: in_progress success"]);
    kept = before; // and back again
    restart();
    await send(2, "success");
    expect(shown().filter((line) => line.endsWith("success"))).toEqual(["2: success"]);
  });

  it("shows what was told before the state was lost as inactive", async () => {
    await send(0, "success");
    kept = undefined;
    restart();
    await send(1, "success");
    expect(shown()).toEqual(["0: success inactive", "1: success"]);
  });

  it("leaves what another flavour deploys to a place of that name alone", async () => {
    await send(0, "success", "acme/shop/staging");
    kept = undefined;
    restart("production");
    unsure = true;
    await send(0, "success");
    await send(1, "success");
    expect(shown()).toEqual(["0: success", "0: success inactive", "1: success"]);
  });

  it("is looked through once a process, and again when that broke off", async () => {
    const lists = (): number =>
      fake.requests.filter(({ method, path }) => method === "GET" && path.endsWith("/deployments")).length;
    await send(0, "success", "acme/shop/earlier");
    kept = undefined;
    restart();
    fake.mishap({ mishap: { does: "status", status: 502 }, on: LIST_STATUSES, times: 9 });
    expect(await send(1, "success")).not.toBe("ok");
    fake.heal();
    const before = lists();
    await send(1, "success");
    await send(2, "success");
    expect(shown().filter((line) => line.endsWith("success"))).toEqual(["2: success"]);
    expect(lists()).toBeLessThanOrEqual(before + 2); // one for the answers that were lost
  });
});

describe("an answer that is lost", () => {
  it("of its creation makes no second deployment", async () => {
    await send(0, "success");
    fake.mishap({ mishap: { does: "lose answer" }, on: CREATE, times: 1 });
    fake.mishap({ mishap: { does: "cut" }, on: CREATE, times: 9 });
    expect(await send(1, "in_progress")).not.toBe("ok");
    fake.heal();
    await send(1, "success");
    expect(shown()).toEqual(["0: success inactive", "1: success"]);
  });

  it("leaves no deployment open that is not wanted any more", async () => {
    fake.mishap({ mishap: { does: "lose answer" }, on: CREATE, times: 1 });
    fake.mishap({ mishap: { does: "cut" }, on: CREATE, times: 9 });
    await send(0, "in_progress");
    fake.heal();
    await send(1, "success");
    expect(shown()).toEqual(["0: inactive", "1: success"]);
  });

  it("of the last status leaves all as it should be in the end", async () => {
    await send(0, "success");
    fake.mishap({ mishap: { does: "status", status: 502 }, on: STATUS, times: 9 });
    expect(await send(1, "success")).not.toBe("ok");
    fake.heal();
    await send(1, "success");
    expect(shown()).toEqual(["0: success inactive", "1: success"]);
  });
});

describe("a rate limit that comes in the middle", () => {
  const limited = { mishap: { does: "secondary limit", retryAfterSeconds: 0 }, on: STATUS, times: 9 } as const;

  it("makes no second deployment of the commit", async () => {
    fake.mishap(limited);
    expect(await send(0, "in_progress")).toBe("FORGE_RATE_LIMITED");
    fake.heal();
    await send(0, "success");
    expect(shown()).toEqual(["0: success"]);
  });

  it("leaves no deployment open that is not wanted any more", async () => {
    fake.mishap(limited);
    await send(0, "in_progress");
    fake.heal();
    await send(1, "success");
    expect(shown()).toEqual(["0: inactive", "1: success"]);
  });
});

it("of a commit that GitHub does not know yet, right after its push, is told again soon", async () => {
  fake.mishap({ mishap: { does: "status", status: 422, message: "No ref found for: c0ffee" }, on: CREATE, times: 2 });
  expect([await send(0, "queued"), await send(0, "queued"), await send(0, "queued")]).toEqual([
    "FORGE_FAULT",
    "FORGE_FAULT",
    "ok",
  ]);
  expect(shown()).toEqual(["0: queued"]);
});

it("cuts a description to what GitHub takes", () => {
  expect(shortened("x".repeat(140))).toHaveLength(140);
  expect(shortened("x".repeat(141))).toBe(`${"x".repeat(139)}…`);
});

it("a commit that GitHub does not know yet is told of again for each place, however many there are", async () => {
  const unknown = { does: "status", status: 422, message: "No commit found for SHA: c0ffee" } as const;
  fake.mishap({ mishap: unknown, on: CREATE, times: 80 });
  const places = Array.from({ length: 8 }, (_, n) => `acme/shop/${n}/deploy`);
  for (let times = 0; times < 8; times += 1)
    for (const place of places) expect(await send(0, "queued", place)).toBe("FORGE_FAULT");
  for (const place of places) expect(await send(0, "queued", place)).toBe("FORGE_REFUSED");
});
