// What becomes of refusals in the audit log: each act that is refused, by whatever, once.
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { problem } from "../../src/engine/errors.ts";
import { Secret } from "../../src/engine/secret.ts";
import { TestClock } from "../../src/testing/index.ts";
import { busyDay, FAILED } from "../support/scene.ts";
import { FakeProvider } from "../support/sign-in.ts";
import { BEARER, form, injectable, TOKEN } from "../support/web.ts";

const clock = new TestClock();
const notes: string[] = [];
const view = busyDay(clock.now());
let app: FastifyInstance;
let viewer: string;

beforeAll(async () => {
  const provider = new FakeProvider();
  const audit = (...entry: readonly string[]): void => void notes.push(entry.join(" | "));
  const rules = { admins: [], builders: [] };
  const access = new Access({ clock, token: new Secret(TOKEN), rules, provider, audit });
  ({ app } = await injectable(view, clock, { access }));
  const made = await access.tokens.create({ name: "ci", role: "viewer", createdBy: "token" });
  viewer = made.ok ? made.value.token : "";
});
beforeEach(async () => {
  await clock.advance(60 * 60_000); // strangers are written down again
  await app.inject({ method: "POST", url: "/login", ...form({ token: TOKEN }) });
  notes.length = 0;
});
afterAll(() => app.close());

const json = (method: "POST" | "PUT", url: string, payload: object = {}) => ({
  method,
  url: `/api/v1/${url}`,
  headers: BEARER,
  payload,
});
const fields = (url: string, values: Readonly<Record<string, string>> = {}) => ({
  method: "POST" as const,
  url,
  ...form(values, BEARER),
});
const GONE = "2026-11-21/000000-none-0000";

test.each([
  ["a service that is none", 400, json("POST", "tokens", { name: "x", role: "builder", services: ["no"] }), "no"],
  ["a threshold that is none", 400, json("PUT", "confirm", { threshold: "high" }), "threshold"],
  ["the same by a form", 400, fields("/confirm", { threshold: "high" }), '"high" is neither a level nor "none"'],
  ["a job that is gone", 404, json("POST", `jobs/${GONE}/rebuild`), "there is no job with this id"],
  ["the same by a form", 404, fields(`/job/${GONE}/rebuild`), "there is nothing at this address"],
  ["no commit", 400, fields("/approve"), "names no commit"],
  ["a body that is no JSON", 400, { ...json("POST", "terms/adopt"), payload: "{" }, ""],
] as const)("%s: %i, and one entry", async (_what, status, request, why) => {
  const headers = { ...request.headers, ...(request.payload === "{" ? { "content-type": "application/json" } : {}) };
  const reply = await app.inject({ ...request, headers });
  expect([reply.statusCode, notes]).toEqual([status, [expect.stringContaining(why)]]);
  expect(notes[0]).toMatch(`token | refused | ${request.method} ${request.url} | `);
});

const none = 'refused: there is no token "nobody"; why: w';
test.each([
  [
    409,
    json("POST", "tokens", { name: "ci", role: "viewer", why: "w" }),
    'create | ci | refused: there is a token "ci"',
  ],
  [404, json("POST", "tokens/nobody/revoke", { why: "w" }), `revoke | nobody | ${none}`],
  [404, fields("/access/revoke", { name: "nobody", why: "w" }), `revoke | nobody | ${none}`],
])("a token that cannot be made or ended: %i, and one entry that names it", async (status, request, entry) => {
  const { statusCode } = await app.inject(request);
  expect([statusCode, notes]).toEqual([status, [expect.stringContaining(`token | token-${entry}`)]]);
});

test("what was refused by what acts is in the log already", async () => {
  view.refuseWith = problem("NOT_POSSIBLE", "it cannot be done now");
  const replies = [
    await app.inject(json("POST", `jobs/${FAILED}/rebuild`)),
    await app.inject(fields("/log-rules/remove", { pattern: "a" })),
  ];
  view.refuseWith = undefined;
  expect([replies.map(({ statusCode }) => statusCode), notes]).toEqual([[409, 409], []]);
});

test("wrong credentials and acts of strangers: one entry an hour for an address and kind", async () => {
  const bearer = { authorization: "Bearer wrong" };
  const from = { remoteAddress: "203.0.113.7" };
  for (let count = 0; count < 3; count += 1) {
    await app.inject({ ...json("PUT", "confirm"), headers: bearer, ...from });
    await app.inject({ url: "/audit", headers: bearer, ...from });
    await app.inject({ method: "POST", url: "/login", ...form({ token: "wrong" }), ...from });
    await app.inject({ method: "POST", url: `/api/v1/jobs/${FAILED}/rebuild`, ...from });
    await app.inject({ url: "/login/github/callback?state=1&code=2", ...from });
    await app.inject({ method: "POST", url: "/login", ...form({ token: "wrong" }), remoteAddress: "2001:db8::7" });
  }
  expect(notes).toEqual([
    "anonymous@203.0.113.7 | refused | PUT /api/v1/confirm | the token is wrong",
    `anonymous@203.0.113.7 | refused | POST /api/v1/jobs/${FAILED}/rebuild | only a builder can do this`,
    expect.stringContaining("anonymous@203.0.113.7 | refused | GET /login/github/callback | this sign-in was not"),
    "anonymous@2001:db8:0:0::/64 | refused | POST /login | the token is wrong",
  ]);
});

test("reading leaves nothing behind, unless somebody who is known may not", async () => {
  for (const url of ["/", "/audit", "/nowhere", "/login/gitlab", `/job/${GONE}`]) await app.inject({ url });
  await app.inject({ url: `/job/${GONE}`, headers: BEARER });
  expect(notes).toEqual([]);
  await app.inject({ url: "/audit?who=x", headers: { authorization: `Bearer ${viewer}` } });
  expect(notes).toEqual(["token:ci | refused | GET /audit | only a builder can do this; token:ci is a viewer"]);
});
