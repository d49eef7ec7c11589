// The page and the API of log rules on the real rules.
import type { FastifyInstance } from "fastify";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { problem } from "../../src/engine/errors.ts";
import { builtIn } from "../../src/engine/log-rules/built-in.ts";
import { deskOf } from "../../src/engine/log-rules/desk.ts";
import { inlineSearch } from "../../src/engine/log-rules/search.ts";
import { memoryStore } from "../../src/engine/store/open.ts";
import { MemoryLogs, TestClock } from "../../src/testing/index.ts";
import { FakeView, makeJob } from "../support/view.ts";
import { BEARER, form, injectable, type SignedIn, signIn } from "../support/web.ts";

const API = "/api/v1/log-rules";
let app: FastifyInstance;
let engine: Engine;
let session: SignedIn;

async function start(dry = false): Promise<void> {
  const clock = new TestClock();
  engine = new Engine({ clock, store: memoryStore({ clock }), logs: new MemoryLogs(clock), search: inlineSearch });
  const view = new FakeView();
  const { logRules: rules, audit } = engine;
  Object.assign(view, { logRules: deskOf({ rules, audit, dry }) });
  view.put(
    makeJob("2026-11-21/090000-docker-build-5a5a", { state: "failed", headline: 'error: <script>alert("x")</script>' }),
  );
  ({ app } = await injectable(view));
  session = await signIn(app);
}

const send = (url: string, fields: Readonly<Record<string, string>>) =>
  app.inject({ method: "POST", url, ...form({ _csrf: session.csrf, ...fields }, { cookie: session.cookie }) });
const page = async (): Promise<string> =>
  (await app.inject({ url: "/log-rules", headers: { cookie: session.cookie } })).body;
const audit = () =>
  engine.store.queries.audit(10).map(({ what, subject, detail }) => `${what} | ${subject} | ${detail}`);
const patterns = () => engine.logRules.list().map(({ pattern }) => pattern);

beforeEach(async () => {
  await app?.close();
  await start();
});
afterAll(() => app.close());

describe("on the page", () => {
  test("anybody reads the rules; nobody but an admin is offered a form", async () => {
    const { body } = await app.inject({ url: "/log-rules" });
    expect(body).toContain("no space left on device");
    expect(body).not.toContain("<textarea");
    expect(await page()).toContain("<textarea");
  });

  test("a rule is kept, shown as text, and removed; who did it is written down", async () => {
    const pattern = '^<b>"x" & .*';
    expect((await send("/log-rules", { pattern, report: "$0", score: "70" })).statusCode).toBe(303);
    expect(await page()).toContain("<code>^&lt;b&gt;&quot;x&quot; &amp; .*</code>");
    expect((await send("/log-rules/remove", { pattern })).statusCode).toBe(303);
    expect(patterns()).not.toContain(pattern);
    expect(audit()).toEqual([`log-rule-remove | ${pattern} | `, `log-rule | ${pattern} | score 70, report "$0"`]);
  });

  test("a wrong rule is refused with why, and that is written down too", async () => {
    const wrong = await send("/log-rules", { pattern: "(a", score: "1" });
    expect([wrong.statusCode, wrong.body]).toEqual([400, expect.stringContaining("missing closing )")]);
    expect((await send("/log-rules", { pattern: "a", score: "many" })).statusCode).toBe(400);
    expect(patterns()).toHaveLength(builtIn.length);
    expect(audit()[1]).toContain("refused: ");
  });

  test("a rule is tried before it is kept", async () => {
    const job = engine.jobs.create({
      op: "build",
      term: "t",
      key: "k",
      description: "build <t>",
      level: "harmless",
      inputs: {},
      build: 1,
    });
    job.write("the moon is full\n");
    await job.end(problem("BUILD_FAILED", "exit 1"));
    const { body } = await send("/log-rules/test", { pattern: "the (\\w+) is", report: "$1!", score: "7" });
    expect(body).toContain("Found in 1 log, of 1 log of failed jobs.");
    expect(body).toContain(`<a href="/job/${job.id}">build &lt;t&gt;</a> <code>moon!</code>`);
    expect(body).toContain('value="the (\\w+) is"'); // still in the form
    expect(patterns()).toHaveLength(builtIn.length);
  });

  test("what is downloaded can be imported, also when it is long", async () => {
    const many = Array.from({ length: 400 }, (_, number) => `^rule number ${number},"told, of ${number}",3\n`).join("");
    const sent = await send("/log-rules/import", { csv: `pattern,report,score\n${many}` });
    expect(sent.statusCode).toBe(303);
    expect(patterns()).toHaveLength(builtIn.length + 400);
    const file = await app.inject({ url: "/log-rules/rules.csv" });
    expect(file.headers["content-type"]).toContain("text/csv");
    const again = await app.inject({
      method: "POST",
      url: `${API}/import`,
      headers: BEARER,
      payload: { csv: file.body },
    });
    expect(again.json()).toEqual({ imported: builtIn.length + 400 });
    expect((await send("/log-rules/import", { csv: "pattern,report,score\n(a,,1\n" })).body).toContain("line 2");
  });

  test("as many rules as there may be can be imported, of nearly any length, and longer files are refused in words", async () => {
    const csv = (length: number) =>
      `pattern,report,score\n${Array.from({ length: 500 - builtIn.length }, (_, n) => `${n}${" é".repeat(length)},,1\n`).join("")}`;
    expect((await send("/log-rules/import", { csv: csv(300) })).statusCode).toBe(303);
    expect(patterns()).toHaveLength(500);
    const { statusCode, body } = await send("/log-rules/import", { csv: csv(1_200) });
    expect([statusCode, patterns().length]).toEqual([413, 500]);
    expect(body).toMatch(/nothing was imported: the CSV has \d{7} characters, and at most 1000000 are taken/);
  });

  test("a job shows its headline as text", async () => {
    const { body } = await app.inject({ url: "/job/2026-11-21/090000-docker-build-5a5a" });
    expect(body).toContain("error: &lt;script&gt;");
    expect(body).not.toContain("<script>alert");
  });
});

describe("through the API", () => {
  test("rules are listed, put, tried and removed", async () => {
    const put = await app.inject({ method: "PUT", url: API, headers: BEARER, payload: { pattern: "^x", score: 900 } });
    expect([put.statusCode, put.json()]).toEqual([200, {}]);
    const [first] = (await app.inject({ url: API })).json<readonly unknown[]>();
    expect(first).toEqual({ pattern: "^x", report: "", score: 900 });
    const post = (path: string, payload: Readonly<Record<string, string>>) =>
      app.inject({ method: "POST", url: `${API}/${path}`, headers: BEARER, payload });
    expect((await post("test", { pattern: "x" })).json()).toEqual({ logs: 0, cut: false, matches: [] });
    expect((await post("remove", { pattern: "^x" })).statusCode).toBe(200);
    expect((await post("remove", { pattern: "^x" })).json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });

  test.each([
    ["a megabyte", { pattern: "a".repeat(1_000_000), score: 1 }, [400, 413]],
    ["4 kB", { pattern: "a".repeat(4_000), score: 1 }, [400]],
    ["a back-reference", { pattern: "(a)\\1", score: 1 }, [400]],
    ["a zero byte", { pattern: "a\u0000", score: 1 }, [400]],
    ["a score that is no number", { pattern: "a", score: "high" }, [400]],
  ])("%s is refused", async (_, payload, statuses) => {
    const { statusCode } = await app.inject({ method: "PUT", url: API, headers: BEARER, payload });
    expect(statuses).toContain(statusCode);
    expect(patterns()).toHaveLength(builtIn.length);
  });

  test.each([
    [10_000, "", 400, "at most 500"],
    [1_000, "x".repeat(1_000), 413, "characters, and at most 1000000 are taken"],
    [5_000, "x".repeat(1_000), 413, "the body of the request has more than 4194304 bytes"],
  ])("%i rules are refused", async (number, more, status, why) => {
    const csv = `pattern,report,score\n${Array.from({ length: number }, (_, n) => `a${n}${more},,1\n`).join("")}`;
    const reply = await app.inject({ method: "POST", url: `${API}/import`, headers: BEARER, payload: { csv } });
    expect([reply.statusCode, reply.body]).toEqual([status, expect.stringContaining(why)]);
    expect(patterns()).toHaveLength(builtIn.length);
  });

  test("a dry run changes nothing", async () => {
    await app.close();
    await start(true);
    const payload = { pattern: "^x", score: 1 };
    const reply = await app.inject({ method: "PUT", url: API, headers: BEARER, payload });
    expect(reply.json()).toMatchObject({ code: "DRY_RUN" });
    expect(patterns()).toHaveLength(builtIn.length);
  });
});
