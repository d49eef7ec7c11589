import { describe, expect, test } from "vitest";
import type { Identity } from "../../../src/engine/access/identity.ts";
import { Sessions } from "../../../src/engine/access/sessions.ts";
import { memoryStore } from "../../../src/engine/store/open.ts";
import { TestClock } from "../../../src/testing/index.ts";

const HOUR = 3_600_000;
const ann: Identity = { kind: "person", provider: "github", person: { id: 7, login: "ann" } };
const bob: Identity = { kind: "person", provider: "github", person: { id: 8, login: "bob" } };
const ci: Identity = { kind: "token", name: "ci", createdMs: 5 };

function kept() {
  const clock = new TestClock();
  const store = memoryStore({ clock });
  const open = () =>
    new Sessions(clock, {
      load: () => store.queries.sessions(),
      put: (row) => store.commit([{ put: "session", row }]),
    });
  return { clock, store, open };
}

describe("sessions", () => {
  test("outlive the process, and only their hashes are kept", async () => {
    const { store, open } = kept();
    const made = [ann, bob, ci].map((identity) => open().open(identity));
    await store.flush();
    expect(new Set(made.map(({ secret }) => secret)).size).toBe(3);
    const first = open();
    const mine = first.open(ann);
    await store.flush();
    const later = open();
    expect(later.find(mine.secret)).toEqual(mine.session);
    expect(JSON.stringify(store.queries.sessions())).not.toContain(mine.secret);
    expect(later.find(mine.session.hash)).toBeUndefined();
    expect(later.find("planted")).toBeUndefined();
  });

  test("a closed one is gone for good, and its row is used again", async () => {
    const { store, open } = kept();
    const sessions = open();
    const one = sessions.open(ann);
    const other = sessions.open(bob);
    await sessions.close(one.session);
    expect(sessions.find(one.secret)).toBeUndefined();
    expect(open().find(one.secret)).toBeUndefined();
    expect(open().find(other.secret)?.identity).toEqual(bob);
    for (let count = 0; count < 20; count += 1) await sessions.close(sessions.open(ann).session);
    await store.flush();
    expect(store.queries.sessions()).toHaveLength(2);
    const restarted = open();
    const third = restarted.open(ci);
    await store.flush();
    expect(store.queries.sessions()).toHaveLength(2);
    expect(open().find(third.secret)?.identity).toEqual(ci);
    expect(open().find(other.secret)?.identity).toEqual(bob);
  });

  test("signing in again ends the one before", () => {
    const sessions = kept().open();
    const planted = sessions.open(ann);
    const mine = sessions.open(ann, planted.session);
    expect(sessions.find(planted.secret)).toBeUndefined();
    expect(sessions.find(mine.secret)?.csrf).not.toBe(planted.session.csrf);
  });

  test("a person's lasts seven days, a token's twelve hours, also over restarts", async () => {
    const { clock, store, open } = kept();
    const [person, token] = [open().open(ann), open().open(ci)];
    await store.flush();
    void person;
    const sessions = open();
    const [mine, its] = [sessions.open(ann), sessions.open(ci)];
    await store.flush();
    await clock.advance(12 * HOUR - 1);
    expect(sessions.find(its.secret)).toBeDefined();
    await clock.advance(1);
    expect([sessions.find(its.secret), open().find(its.secret)]).toEqual([undefined, undefined]);
    await clock.advance(6.5 * 24 * HOUR - 1);
    expect(open().find(mine.secret)).toBeDefined();
    await clock.advance(1);
    expect([sessions.find(mine.secret), open().find(mine.secret)]).toEqual([undefined, undefined]);
    expect(token.secret).not.toBe(person.secret);
  });

  test("a script that never signs out cannot fill the store; nobody else's list is touched", async () => {
    const { store, open } = kept();
    const sessions = open();
    for (let count = 0; count < 1_050; count += 1) sessions.open(ci);
    await store.flush();
    expect(sessions.list()).toHaveLength(1_000);
    expect(store.queries.sessions()).toHaveLength(1_000);
    expect([sessions.of("token:ci").length, sessions.of("github:ann").length]).toEqual([1_000, 0]);
  });

  test("one person's many sessions end none of another's", () => {
    const sessions = kept().open();
    const admin = sessions.open(bob);
    const other = sessions.open(ci);
    for (let count = 0; count < 2_100; count += 1) sessions.open(ann);
    expect([sessions.find(admin.secret), sessions.find(other.secret)]).toEqual([admin.session, other.session]);
    expect([sessions.of("github:ann").length, sessions.list().length]).toEqual([998, 1_000]);
  });

  test("a row of an odd shape is nobody's session", async () => {
    const { clock, store, open } = kept();
    const mine = open().open(ann);
    const [row] = (await store.flush(), store.queries.sessions());
    if (row === undefined) throw new Error("no row");
    for (const identity of [null, 7, {}, { kind: "person", provider: "github", person: { id: "7", login: "ann" } }]) {
      await store.commit([{ put: "session", row: { ...row, identity } }]);
      expect(open().find(mine.secret)).toBeUndefined();
    }
    await store.commit([{ put: "session", row }]);
    expect(open().find(mine.secret)).toBeDefined();
    expect(clock.now()).toBeGreaterThan(0);
  });
});
