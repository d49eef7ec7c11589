import { describe, expect, it } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import { approveByComment } from "../../src/pipeline/approve-comments.ts";
import type { Reread } from "../../src/pipeline/reread.ts";
import { failure, ok, type Result, success } from "../../src/term/output.ts";
import { createRig } from "../../src/testing/index.ts";

const nothing = { output: ok(undefined), metadata: {} };
const COMMIT = "e".repeat(40);
const ALICE = { id: 1, login: "alice" };
const MALLORY = { id: 66, login: "mallory" };

/** A commit of pull request 7 that waits, and what becomes of comments there. */
async function scene(mayWrite: (user: number) => Result<boolean> = (user) => success(user === ALICE.id)) {
  const rig = createRig();
  const { engine } = rig;
  const ask = {
    repository: 5,
    name: "acme/web",
    pull: 7,
    commit: COMMIT,
    author: MALLORY,
    fork: "mallory/web",
  } as const;
  const push = (commit: string): void =>
    engine.change(
      undefined,
      () => void engine.approvals.ask({ ...ask, commit, term: "acme/web/pr:7/head" }, () => nothing),
    );
  push(COMMIT);
  const asked: number[] = [];
  const writers = {
    mayWrite: async (_repo: string, user: number) => {
      asked.push(user);
      return mayWrite(user);
    },
  };
  /** What reading the repository anew comes to. */
  const forge = { reads: 0, read: (): Result<void> => success(undefined) };
  const reread: Reread = {
    nameOf: (repository) => (repository === 5 ? "acme/web" : undefined),
    read: async (repository) => {
      if (repository !== 5) return success(undefined);
      forge.reads += 1;
      return forge.read();
    },
  };
  const handle = approveByComment(engine, writers, "github", reread);
  const say = async (body: string, author = ALICE, more: object = {}) => {
    const handled = handle({ kind: "comment", repository: 5, pull: 7, comment: 1, author, body, ...more });
    await rig.clock.settle();
    const result = await handled;
    const waits = engine.approvals.waiting().length > 0;
    const open = !result.ok && result.error.class === "transient";
    return {
      waits,
      ...(open ? { open } : {}),
      audit: engine.store.queries.audit(10).map(({ who, detail }) => `${who} ${detail}`),
    };
  };
  return { say, asked, rig, push, forge };
}

describe("a comment that approves", () => {
  it("names the very commit, by somebody who may write there", async () => {
    const { say, asked } = await scene();
    expect(await say(`/approve ${COMMIT}\nLooks good.`)).toEqual({
      waits: false,
      audit: ["github:alice#1 by a comment"],
    });
    expect(asked).toEqual([1]);
  });

  it.each([
    ["of a stranger", `/approve ${COMMIT}`, MALLORY, "mallory may not write to acme/web"],
    ["of somebody with a maintainer's name", `/approve ${COMMIT}`, { id: 99, login: "alice" }, "alice may not write"],
    ["without a commit", "/approve", ALICE, "full name of a commit"],
    ["with a short name, which can be hit on purpose", `/approve ${COMMIT.slice(0, 12)}`, ALICE, "full name"],
    ["of an older commit", `/approve ${"d".repeat(40)}`, ALICE, "is at eeee"],
  ])("%s is refused, and written down", async (_what, body, author, why) => {
    const { say } = await scene();
    const { waits, audit } = await say(body, author);
    expect(waits).toBe(true);
    expect(audit).toHaveLength(1);
    expect(audit[0]).toContain(why);
  });

  it("of a stranger is written down once an hour, however many there are; others' are", async () => {
    const { say, rig } = await scene();
    for (let count = 0; count < 5; count += 1) await say(`/approve ${COMMIT}`, MALLORY);
    expect((await say("/approve", ALICE)).audit).toHaveLength(2);
    expect((await say(`/approve ${"x".repeat(900)}`, ALICE)).audit).toHaveLength(3);
    await rig.clock.advance(60 * 60_000);
    const { audit } = await say(`/approve ${COMMIT}`, MALLORY);
    expect(audit).toHaveLength(5);
    expect(audit).toContain("github:mallory#66 4 more within the hour");
    expect(await say(`/approve ${COMMIT}`)).toMatchObject({ waits: false });
  });

  it("is tried again where the forge does not say who may write", async () => {
    const { say } = await scene(() => failure(problem("REPO_UNREACHABLE", "502")));
    expect(await say(`/approve ${COMMIT}`)).toEqual({ waits: true, open: true, audit: [] });
  });

  it.each([
    `please /approve ${COMMIT}`,
    `> /approve ${COMMIT}`,
    `/approved ${COMMIT}`,
    `/approve ${COMMIT} and more`,
    "",
  ])("is not %j", async (body) => {
    const { say, asked } = await scene();
    expect(await say(body)).toEqual({ waits: true, audit: [] });
    expect(asked).toEqual([]);
  });

  it("on another repository changes nothing, and on a pull request where nothing waits is refused", async () => {
    const { say, asked } = await scene();
    expect(await say(`/approve ${COMMIT}`, ALICE, { repository: 6 })).toEqual({ waits: true, audit: [] });
    expect(asked).toEqual([]);
    const { waits, audit } = await say(`/approve ${COMMIT}`, ALICE, { pull: 8 });
    expect([waits, audit]).toMatchObject([true, [expect.stringContaining("no pull request #8")]]);
  });

  it("that comes before its push was seen is heard: the repository is read anew before it is refused", async () => {
    const { say, push, forge, rig } = await scene();
    const newer = "f".repeat(40);
    forge.read = () => failure(problem("FORGE_UNREACHABLE", "502"));
    await rig.clock.advance(20 * 60_000); // however long it runs already
    expect(await say(`/approve ${newer}`)).toEqual({ waits: true, open: true, audit: [] });
    forge.read = () => {
      push(newer);
      return success(undefined);
    };
    expect(await say(`/approve ${newer}`)).toEqual({ waits: false, audit: ["github:alice#1 by a comment"] });
    expect(forge.reads).toBe(2);
  });

  it("makes nobody read anything for whoever may not write, or for what is no commit's name", async () => {
    const { say, forge } = await scene();
    await say(`/approve ${"d".repeat(40)}`, MALLORY);
    await say("/approve main", ALICE);
    expect(forge.reads).toBe(0);
  });
});
