import { describe, expect, test } from "vitest";
import { memoryStore } from "../../../src/engine/store/open.ts";
import type { ResultRow } from "../../../src/engine/store/store.ts";
import { asJob, event, intentRow, jobRow } from "./support.ts";

const result = (key: string, more: Partial<ResultRow> = {}): ResultRow => ({
  op: "docker-build",
  key,
  job: asJob("2026-11-21/070000-docker-build-a"),
  value: { digest: "sha256:1" },
  error: null,
  finishedMs: 5,
  build: 1,
  rebuild: false,
  ...more,
});

describe("what is written is read back", () => {
  test("every kind of row, and a second put replaces the first", async () => {
    const store = memoryStore();
    const job = jobRow("2026-11-21/070000-docker-build-a", { events: [1, 2], pool: "build" });
    const ended = {
      ...job,
      state: "failed" as const,
      startedMs: 2,
      endedMs: 9,
      note: "why",
      error: { code: "TIMED_OUT", message: "too slow", class: "failed" as const, hint: "hurry" },
    };
    const input = { job: job.id, name: "commit", digest: "d", text: "9fceb02", changed: true };
    const outbox = {
      key: "status",
      want: { state: "ok" },
      confirmed: null,
      tries: 0,
      nextMs: 3,
      wantedMs: 2,
      waitsSinceMs: 1,
    };
    const audit = { id: 4, atMs: 1, who: "cli", what: "cancel", subject: job.id, detail: "" };
    await store.commit([
      { put: "event", row: event(1) },
      { put: "event", row: event(2) },
      { put: "job", row: job },
      { put: "jobInput", row: input },
      { put: "result", row: result("k1", { value: null, error: ended.error }) },
      { put: "head", row: { key: "acme/web main", value: "sha", generation: 3, seenMs: 8 } },
      { put: "intent", row: intentRow("i1", { before: "sha256:0", ref: { version: 7 } }) },
      { put: "outbox", row: outbox },
      { put: "setting", row: { name: "confirm", value: ["average", null] } },
      { put: "audit", row: audit },
    ]);
    await store.commit([
      { put: "job", row: ended },
      { put: "jobInput", row: { ...input, changed: false } },
      { put: "result", row: result("k1", { rebuild: true }) },
      { put: "outbox", row: { ...outbox, tries: 2 } },
    ]);
    const { queries } = store;
    expect(queries.job(job.id)).toEqual(ended);
    expect(queries.jobInputs(job.id)).toEqual([{ ...input, changed: false }]);
    expect(queries.results()).toEqual([result("k1", { rebuild: true })]);
    expect(queries.result("docker-build", "k1")).toEqual(result("k1", { rebuild: true }));
    expect(queries.result("docker-build", "k2")).toBeUndefined();
    expect(queries.result("docker-push", "k1")).toBeUndefined();
    expect(queries.heads()).toEqual([{ key: "acme/web main", value: "sha", generation: 3, seenMs: 8 }]);
    expect(queries.openIntents()).toEqual([intentRow("i1", { before: "sha256:0", ref: { version: 7 } })]);
    expect(queries.outbox()).toEqual([{ ...outbox, tries: 2 }]);
    expect(queries.openOutbox()).toEqual([{ ...outbox, tries: 2 }]);
    expect(queries.outboxOf("status")).toEqual({ ...outbox, tries: 2 });
    await store.commit([{ put: "outbox", row: { ...outbox, nextMs: 0 } }]);
    expect(queries.openOutbox()).toEqual([]);
    expect(queries.outboxOf("message")).toBeUndefined();
    expect(queries.setting("confirm")).toEqual(["average", null]);
    expect(queries.setting("other")).toBeUndefined();
    expect(queries.audit(10)).toEqual([audit]);
    expect(queries.lastAuditId()).toBe(4);
    expect(queries.events([2, 1, 99])).toEqual([event(1), event(2)]);
    expect(queries.lastEventId()).toBe(2);
  });

  test("sessions, tokens, and the audit log by who and what", async () => {
    const store = memoryStore();
    const session = { id: 1, hash: "h", identity: { kind: "state", bond: "b" }, openedMs: 1, expiresMs: 2 };
    const token = { name: "ci", hash: "h", role: "builder", services: ["web"], createdMs: 1, createdBy: "token" };
    const apiToken = { ...token, expiresMs: null, revokedMs: null };
    const entry = (id: number, who: string, what: string) => ({ id, atMs: id, who, what, subject: "s", detail: "" });
    const entries = [entry(1, "ann#7", "cancel"), entry(2, "annette#8", "cancel"), entry(3, "ann", "refused")];
    await store.commit([
      { put: "session", row: session },
      { put: "apiToken", row: apiToken },
      ...entries.map((row) => ({ put: "audit" as const, row })),
    ]);
    await store.commit([
      { put: "session", row: { ...session, hash: "" } },
      { put: "apiToken", row: { ...apiToken, revokedMs: 9 } },
    ]);
    const { queries } = store;
    expect(queries.sessions()).toEqual([{ ...session, hash: "" }]);
    expect(queries.apiTokens()).toEqual([{ ...apiToken, revokedMs: 9 }]);
    const ids = (...filter: Parameters<typeof queries.audit>): readonly number[] =>
      queries.audit(...filter).map(({ id }) => id);
    expect([ids(10), ids(2), ids(10, { what: "cancel", before: 2 })]).toEqual([[3, 2, 1], [3, 2], [1]]);
    expect([ids(10, { who: "ann" }), ids(10, { who: "ann#7" }), ids(10, { who: "a%" })]).toEqual([[3, 1], [1], []]);
  });

  test("an empty store has nothing and numbers begin at 0", () => {
    const { queries } = memoryStore();
    expect([queries.results(), queries.jobs({}), queries.operations(), queries.job("x")]).toEqual([
      [],
      [],
      [],
      undefined,
    ]);
    expect([queries.lastEventId(), queries.lastAuditId()]).toEqual([0, 0]);
  });
});

describe("jobs", () => {
  const ids = ["2026-11-20/235959-build-z", "2026-11-21/070000-build-b", "2026-11-21/070000-build-a"];
  const filled = async () => {
    const store = memoryStore();
    const [first, second, third] = ids.map((id) => jobRow(id));
    if (!first || !second || !third) throw new Error("unreachable");
    const error = { code: "COMMAND_FAILED", message: "exit 100%", class: "failed" as const };
    await store.commit([
      { put: "job", row: { ...first, op: "deploy", state: "ok", startedMs: 10, endedMs: 70 } },
      { put: "job", row: { ...second, state: "failed", startedMs: 20, endedMs: 90, error } },
      { put: "job", row: { ...third, state: "running", startedMs: 30 } },
      { put: "jobInput", row: { job: second.id, name: "commit", digest: "d1", text: "9fceb02", changed: true } },
      { put: "jobInput", row: { job: second.id, name: "base image", digest: "d2", text: "debian", changed: false } },
      { put: "result", row: result("k1", { job: second.id, rebuild: true }) },
    ]);
    return store.queries;
  };
  const found = async (filter: Parameters<Awaited<ReturnType<typeof filled>>["jobs"]>[0]) =>
    (await filled()).jobs(filter).map((job) => job.id);

  test("newest first in the order of their birth, also within one second", async () => {
    expect(await found({})).toEqual(ids.toReversed());
  });
  test.each([
    ["op", { op: "deploy" }, [0]],
    ["state", { state: "running" }, [2]],
    ["ended", { ended: true, op: "docker-build" }, [1]],
    ["date", { date: "2026-11-21" }, [2, 1]],
    ["term", { term: "another" }, []],
    ["text in the error", { text: "EXIT 100%" }, [1]],
    ["text is no pattern", { text: "1%0" }, []],
    ["rebuild", { rebuild: true }, [1]],
    ["no rebuild", { rebuild: false }, [2, 0]],
    ["limit", { limit: 1 }, [2]],
    ["paging", { before: ids[2] ?? "" }, [1, 0]],
    ["all at once", { op: "docker-build", date: "2026-11-21", state: "failed", rebuild: true }, [1]],
  ] as const)("filter by %s", async (_name, filter, expected) => {
    expect(await found(filter)).toEqual(expected.map((index) => ids[index]));
  });

  test("unfinished ones, oldest first", async () => {
    expect((await filled()).unfinishedJobs().map((job) => job.id)).toEqual([ids[2]]);
  });
  test("the newest finished run of a term, with the digests of its inputs", async () => {
    const queries = await filled();
    const { term } = jobRow("x");
    const failed = { id: ids[1], key: "k1", state: "failed", inputs: { commit: "d1", "base image": "d2" } };
    expect(queries.lastRun(term, "docker-build")).toEqual(failed);
    expect(queries.lastRun(term, "deploy")).toEqual({ id: ids[0], key: "k1", state: "ok", inputs: {} });
    expect(queries.lastRun("another", "deploy")).toBeUndefined();
  });
  test("operations and how long good runs took", async () => {
    const queries = await filled();
    expect(queries.operations()).toEqual(["deploy", "docker-build"]);
    expect(queries.durations(jobRow("x").term, "deploy", 5)).toEqual([60]);
    expect(queries.durations(jobRow("x").term, "docker-build", 5)).toEqual([]);
  });
});

test("intents by lane and by term, newest first", async () => {
  const { queries, commit } = bound(memoryStore());
  await commit([
    { put: "intent", row: intentRow("old", { state: "verified" }) },
    { put: "intent", row: intentRow("new", { state: "unknown" }) },
    { put: "intent", row: intentRow("elsewhere", { lane: "other", term: "t2" }) },
  ]);
  expect(queries.intents({ lane: "swarm:here/web" }).map((row) => row.id)).toEqual(["new", "old"]);
  expect(queries.intents({ term: "t2" }).map((row) => row.id)).toEqual(["elsewhere"]);
  expect(queries.intents({ limit: 2 }).map((row) => row.id)).toEqual(["elsewhere", "new"]);
  expect(queries.openIntents().map((row) => row.id)).toEqual(["new", "elsewhere"]);
});

function bound(store: ReturnType<typeof memoryStore>) {
  return { queries: store.queries, commit: store.commit.bind(store) };
}
