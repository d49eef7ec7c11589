import { describe, expect, test } from "vitest";
import { ApiTokens, type NewToken } from "../../../src/engine/access/api-tokens.ts";
import { memoryStore } from "../../../src/engine/store/open.ts";
import { TestClock } from "../../../src/testing/index.ts";

const wish: NewToken = { name: "ci", role: "builder", createdBy: "github:ann" };

function kept() {
  const clock = new TestClock();
  const store = memoryStore({ clock });
  const open = () =>
    new ApiTokens(clock, {
      load: () => store.queries.apiTokens(),
      put: (row) => store.commit([{ put: "apiToken", row }]),
    });
  return { clock, store, open };
}

const made = async (tokens: ApiTokens, more: Partial<NewToken> = {}): Promise<string> => {
  const token = await tokens.create({ ...wish, ...more });
  if (!token.ok) throw new Error(token.error.message);
  return token.value.token;
};

describe("tokens for programs", () => {
  test("are shown once and kept as hashes, also over restarts", async () => {
    const { store, open } = kept();
    const token = await made(open(), { services: ["shop_web"] });
    expect(token).toMatch(/^millrace_[\w-]{32}$/);
    expect(JSON.stringify(store.queries.apiTokens())).not.toContain(token.slice("millrace_".length));
    const later = open();
    const identity = later.identityOf(token);
    expect(identity).toMatchObject({ kind: "token", name: "ci" });
    if (identity?.kind !== "token") throw new Error("no identity");
    expect(later.find(identity)).toMatchObject({ role: "builder", services: ["shop_web"], createdBy: "github:ann" });
    expect(JSON.stringify(later.list())).not.toContain("hash");
    for (const wrong of [`${token}x`, token.slice(0, -1), "millrace_", ""])
      expect(later.identityOf(wrong)).toBeUndefined();
  });

  test("a revoked one is worth nothing, for good; its name may be given again, to another token", async () => {
    const { clock, open } = kept();
    const tokens = open();
    const old = await made(tokens);
    const before = tokens.identityOf(old);
    expect(await tokens.create(wish)).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
    expect(await tokens.revoke("ci")).toMatchObject({ ok: true });
    expect(await tokens.revoke("ci")).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    expect(open().identityOf(old)).toBeUndefined();
    await clock.advance(1);
    const young = await made(tokens, { role: "admin" });
    if (before?.kind !== "token") throw new Error("no identity");
    expect([tokens.identityOf(old), tokens.find(before)]).toEqual([undefined, undefined]);
    expect([tokens.identityOf(young), open().identityOf(young)]).toMatchObject([{ name: "ci" }, { name: "ci" }]);
  });

  test("one with a time of life ends by itself, and gives its name free", async () => {
    const { clock, open } = kept();
    const tokens = open();
    const token = await made(tokens, { lifeMs: 1_000 });
    await clock.advance(999);
    expect(tokens.identityOf(token)).toBeDefined();
    await clock.advance(1);
    expect([tokens.identityOf(token), open().identityOf(token)]).toEqual([undefined, undefined]);
    await made(tokens);
  });

  test.each([
    [{ name: "" }, "name"],
    [{ name: "../x" }, "name"],
    [{ name: "UPPER" }, "name"],
    [{ name: "x".repeat(64) }, "name"],
    [{ role: "admin", services: ["shop_web"] }, "limited"],
    [{ role: "viewer", services: ["shop_web"] }, "limited"],
  ] as const)("refuses %j", async (more, word) => {
    const refused = await kept()
      .open()
      .create({ ...wish, ...more });
    expect(refused).toMatchObject({ ok: false, error: { code: "BAD_REQUEST" } });
    expect(refused.ok ? "" : refused.error.message).toContain(word);
  });

  test("a row with a role that this program does not know is nobody's token", async () => {
    const { store, open } = kept();
    const token = await made(open());
    const [row] = store.queries.apiTokens();
    if (row === undefined) throw new Error("no row");
    for (const odd of [{ role: "root" }, { services: "all" }, { services: [7] }]) {
      await store.commit([{ put: "apiToken", row: { ...row, ...odd } }]);
      expect(open().identityOf(token)).toBeUndefined();
    }
  });
});
