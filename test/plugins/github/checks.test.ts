// The check run of a commit, at a strict GitHub on this machine.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import type { Sender } from "../../../src/engine/effects/sender.ts";
import type { Json } from "../../../src/engine/json.ts";
import type { CheckWant } from "../../../src/plugins/github/check-want.ts";
import { checkSender } from "../../../src/plugins/github/index.ts";
import type { Result } from "../../../src/term/output.ts";
import type { FakeGitHub } from "../../../src/testing/index.ts";
import { clientOf, closeStrictly, startFake } from "../../support/github.ts";

const signal = new AbortController().signal;
let fake: FakeGitHub;
let sender: Sender<CheckWant>;
let commit: string;

beforeEach(async () => {
  fake = await startFake("acme/shop");
  commit = fake.push("acme/shop", "live", { "a.txt": "1" });
  sender = checkSender(clientOf(fake), fake.app.appId);
});

afterEach(() => closeStrictly(fake));

const want = (state: CheckWant["state"], more: Partial<CheckWant> = {}): CheckWant => ({
  repo: "acme/shop",
  repository: 1,
  commit,
  state,
  title: `It is ${state}`,
  summary: "",
  details: "https://deploy.example/job/1",
  job: "2026-01-02/1",
  rebuild: false,
  ...more,
});

const send = (value: CheckWant, kept?: Json, unsure = false): Promise<Result<Json>> =>
  sender.send(value, kept, signal, unsure);
const runs = () => fake.repository("acme/shop").checkRuns;

async function sent(value: CheckWant, kept?: Json, unsure = false): Promise<Json> {
  const result = await send(value, kept, unsure);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe("the check run of a commit", () => {
  it("is made once and then changed: queued, in progress, completed, and from the start again", async () => {
    let kept = await sent(want("queued"));
    for (const state of ["in_progress", "failure", "in_progress", "success"] as const)
      kept = await sent(want(state, { startedAt: "2026-01-02T03:04:05Z" }), kept);
    expect(runs().map(({ states }) => states)).toEqual([
      ["queued", "in_progress", "completed/failure", "in_progress", "completed/success"],
    ]);
    expect(runs()[0]?.fields).toMatchObject({
      name: "deployability",
      external_id: "2026-01-02/1",
      details_url: "https://deploy.example/job/1",
      output: { title: "It is success", summary: "It is success" },
    });
  });

  it("offers Rebuild when there is something to rebuild, and takes the offer back", async () => {
    const kept = await sent(want("failure", { rebuild: true, completedAt: "2026-01-02T03:04:05Z" }));
    expect(runs()[0]?.fields["actions"]).toEqual([
      { label: "Rebuild", description: "Run again what failed", identifier: "rebuild" },
    ]);
    await sent(want("success"), kept);
    expect(runs()[0]?.fields["actions"]).toEqual([]);
  });

  it("is not made twice when the answer to its creation was lost", async () => {
    fake.mishap({ mishap: { does: "lose answer" }, on: "POST /repos/{owner}/{repo}/check-runs", times: 9 });
    expect(await send(want("queued"))).toMatchObject({ ok: false, error: { class: "transient" } });
    fake.heal();
    const { length } = runs();
    await sent(want("success"), undefined, true);
    expect(runs()).toHaveLength(length);
    expect(runs().at(-1)?.states.at(-1)).toBe("completed/success");
  });

  it("is found again by a process that lost its memory of it, however it is called there", async () => {
    await sent(want("queued"));
    await sent(want("success"), { odd: true }, true);
    expect(runs()).toHaveLength(1);
  });

  it("is made anew when it is gone", async () => {
    await sent(want("success"), { id: 4_711 });
    expect(runs()).toHaveLength(1);
  });

  it("waits as long as GitHub asks for", async () => {
    fake.mishap({ mishap: { does: "secondary limit", retryAfterSeconds: 30 }, times: 9 });
    const limited = await send(want("success"));
    const inSec = limited.ok ? 0 : Math.round(((limited.error.retryAtMs ?? 0) - createClock().now()) / 10_000) * 10;
    expect([limited.ok ? "" : limited.error.code, inSec]).toEqual(["FORGE_RATE_LIMITED", 30]);
  });
});

describe("a commit that GitHub does not know yet, right after its push,", () => {
  const unknown = { does: "status", status: 422, message: "No commit found for SHA: c0ffee" } as const;
  const CREATE = "POST /repos/{owner}/{repo}/check-runs";
  const problemOf = (result: Result<Json>): readonly unknown[] =>
    result.ok ? [] : [result.error.class, result.error.retryAtMs];

  it("is told of again soon, and known not to have been told of", async () => {
    fake.mishap({ mishap: unknown, on: CREATE, times: 3 });
    for (let times = 0; times < 3; times += 1) expect(problemOf(await send(want("queued")))).toEqual(["transient", 0]);
    await sent(want("queued"));
    expect(runs().map(({ states }) => states)).toEqual([["queued"]]);
  });

  it("is told of as often to each repository that has it, such as a mirror", async () => {
    fake.repo("acme/mirror");
    const gone = "0".repeat(40);
    const repos = [
      want("queued", { commit: gone }),
      want("queued", { commit: gone, repo: "acme/mirror", repository: 2 }),
    ];
    for (let times = 0; times < 8; times += 1)
      for (const one of repos) expect(problemOf(await send(one))).toEqual(["transient", 0]);
    for (const one of repos) expect(problemOf(await send(one))).toEqual(["failed", undefined]);
  });

  it("is refused when that goes on, and any other refusal at once", async () => {
    const answers: unknown[] = [];
    const gone = want("queued", { commit: "0".repeat(40) });
    for (let times = 0; times < 9; times += 1) answers.push(...problemOf(await send(gone)));
    expect(answers.filter((one) => one === "transient")).toHaveLength(8);
    expect(answers.slice(-2)).toEqual(["failed", undefined]);
    fake.mishap({ mishap: { ...unknown, message: "Validation Failed" }, on: CREATE });
    expect(problemOf(await send(want("queued", { commit: "other" })))).toEqual(["failed", undefined]);
  });
});
