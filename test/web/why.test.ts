// Whoever changes something can say why: by every route, and in the forms that people have.
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { createClock } from "../../src/engine/clock.ts";
import { Secret } from "../../src/engine/secret.ts";
import { busyDay, FAILED, RUNNING, WAITING } from "../support/scene.ts";
import { BEARER, form, injectable, signIn, TOKEN } from "../support/web.ts";

const clock = createClock();
const notes: string[] = [];
const view = busyDay(1_763_719_000_000);
let app: FastifyInstance;

beforeAll(async () => {
  const audit = (...entry: readonly string[]): void => void notes.push(entry.join(" | "));
  const access = new Access({ clock, token: new Secret(TOKEN), audit });
  ({ app } = await injectable(view, clock, { access }));
  await access.tokens.create({ name: "ci", role: "viewer", createdBy: "token" });
});
beforeEach(() => {
  view.actions.length = 0;
  notes.length = 0;
});
afterAll(() => app.close());

const why = "the mirror is back";
const commit = "0".repeat(40);

test.each([
  ["POST", `jobs/${FAILED}/rebuild`, {}],
  ["POST", `jobs/${RUNNING}/cancel`, {}],
  ["POST", `jobs/${WAITING}/start`, {}],
  ["PUT", "confirm", { threshold: "average" }],
  ["POST", "terms/adopt", { term: "demo/hello/swarm" }],
  ["POST", "approvals", { repository: 1, pull: 7, commit }],
  ["PUT", "log-rules", { pattern: "a", score: 1 }],
  ["POST", "log-rules/remove", { pattern: "a" }],
  ["POST", "log-rules/import", { csv: "x" }],
] as const)("%s %s", async (method, path, body) => {
  const send = (payload: object) => app.inject({ method, url: `/api/v1/${path}`, headers: BEARER, payload });
  expect((await send({ ...body, why })).statusCode).toBe(200);
  expect((await send(body)).statusCode).toBe(200);
  expect((await send({ ...body, why: "x".repeat(501) })).statusCode).toBe(400);
  const [said, silent] = view.actions;
  expect([said?.why, view.actions.length]).toEqual([why, 2]);
  expect(silent?.why ?? "").not.toBe(why);
  expect(view.rules.some((rule) => "why" in rule)).toBe(false);
});

test.each([
  [`/job/${FAILED}/rebuild`, {}],
  [`/job/${RUNNING}/cancel`, {}],
  [`/job/${WAITING}/start`, {}],
  ["/query", { job: FAILED }],
  ["/confirm", { threshold: "average" }],
  ["/adopt", { term: "demo/hello/swarm" }],
  ["/approve", { repository: "1", pull: "7", commit }],
  ["/log-rules", { pattern: "a", score: "1" }],
  ["/log-rules/remove", { pattern: "a" }],
  ["/log-rules/import", { csv: "x" }],
])("the form of %s", async (url, fields) => {
  const reply = await app.inject({ method: "POST", url, ...form({ ...fields, why: ` ${why} ` }, BEARER) });
  expect([reply.statusCode, view.actions.map((action) => action.why)]).toEqual([303, [why]]);
});

test("tokens and sessions", async () => {
  const send = (path: string, payload: object) =>
    app.inject({ method: "POST", url: `/api/v1/${path}`, headers: BEARER, payload });
  await send("tokens", { name: "new", role: "viewer", why });
  await send("tokens/ci/revoke", { why });
  await send("tokens/new/revoke", {});
  await send("sessions/end", { who: "github:eve", why });
  expect(notes).toEqual([
    `token | token-create | new | role viewer; why: ${why}`,
    `token | token-revoke | ci | why: ${why}`,
    "token | token-revoke | new | ",
    `token | sign-out | github:eve | all sessions ended: 0; why: ${why}`,
  ]);
});

test("no route that changes something is without it", async () => {
  const { paths } = (await app.inject({ url: "/api/v1/openapi.json", headers: BEARER })).json<{
    readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  }>();
  const without = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method, operation]) => method !== "get" && !JSON.stringify(operation).includes('"why"'))
      .map(([method]) => `${method} ${path}`),
  );
  expect(without).toEqual(["post /api/v1/log-rules/test"]); // it changes nothing
});

test("the field is there for those who may act, and pressing Enter in it starts nothing", async () => {
  const { cookie } = await signIn(app);
  await app.inject({
    method: "POST",
    url: "/api/v1/tokens",
    headers: BEARER,
    payload: { name: "lasting", role: "viewer" },
  });
  const page = async (url: string, headers = { cookie }) => (await app.inject({ url, headers })).body;
  for (const url of [`/job/${FAILED}`, `/job/${WAITING}`, "/", "/query", "/log-rules", "/access"]) {
    const forms = (await page(url)).match(/<form method="post"[^]*?<\/form>/g) ?? [];
    const acting = forms.filter((one) => !/action="\/log(-rules\/test|out)"/.test(one));
    expect(acting.length).toBeGreaterThan(0);
    expect(acting.filter((one) => !one.includes('name="why"'))).toEqual([]);
    expect(await page(url, { cookie: "" })).not.toContain('name="why"');
  }
  expect(await page(`/job/${WAITING}`)).toMatch(/class="actions"><button disabled hidden><\/button>/);
});
