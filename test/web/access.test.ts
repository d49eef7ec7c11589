// Who is signed in, and which tokens there are: the page of administrators.
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { Secret } from "../../src/engine/secret.ts";
import { TestClock } from "../../src/testing/index.ts";
import { FakeView } from "../support/view.ts";
import { BEARER, form, injectable, type SignedIn, signIn, TOKEN } from "../support/web.ts";

let app: FastifyInstance;
let access: Access;
let clock: TestClock;
let admin: SignedIn;
const notes: string[] = [];

beforeEach(async () => {
  clock = new TestClock();
  notes.length = 0;
  const audit = (...entry: readonly string[]): void => void notes.push(entry.join(" | "));
  access = new Access({ clock, token: new Secret(TOKEN), audit });
  ({ app } = await injectable(new FakeView(), clock, { access }));
  admin = await signIn(app);
  notes.length = 0;
});
afterEach(() => app.close());

const page = async (headers: Record<string, string> = { cookie: admin.cookie }): Promise<string> =>
  (await app.inject({ url: "/access", headers })).body;
const send = (path: string, fields: Record<string, string>) => {
  const headers = { cookie: admin.cookie };
  return app.inject({ method: "POST", url: `/access/${path}`, ...form({ _csrf: admin.csrf, ...fields }, headers) });
};

test("a token is shown with its role and its end, never itself, and revoked", async () => {
  expect(await page()).toContain("There are no tokens.");
  const made = await access.tokens.create({
    name: "ci",
    role: "builder",
    services: ["shop_web"],
    createdBy: "github:ann#7",
    lifeMs: 60_000,
  });
  const token = made.ok ? made.value.token : "none";
  const body = await page();
  expect(body).toContain("builder for shop_web · made by github:ann#7");
  expect(body).toMatch(/valid[^]*in 1 m 00[^]*Revoke the token ci/);
  expect(body).not.toContain(token);
  const revoked = await send("revoke", { name: "ci", why: "it leaked" });
  expect([revoked.statusCode, revoked.headers.location]).toEqual([303, "/access"]);
  expect(access.identityOfToken(token)).toBeUndefined();
  expect(notes).toEqual([expect.stringMatching(/^token \| token-revoke \| ci \| .*it leaked/)]);
  const after = await page();
  expect(after).toContain("The token ci is worth nothing any more.");
  expect(after).toContain("revoked");
  expect(after).not.toContain("Revoke the token ci");
  expect((await send("revoke", { name: "ci" })).statusCode).toBe(404);
});

test("a token whose time is up is over", async () => {
  await access.tokens.create({ name: "short", role: "viewer", createdBy: "token", lifeMs: 1_000 });
  await clock.advance(2_000);
  expect(await page()).toMatch(/<span>over<\/span>[^]*just now/);
});

test("sessions are shown by person, and ended together", async () => {
  const eve = { kind: "person", provider: "github", person: { id: 66, login: "eve" } } as const;
  const secrets = [1, 2].map(() => access.signIn(eve).secret);
  notes.length = 0;
  const body = await page();
  expect(body).toMatch(/github:eve#66<\/span><span class="about">2 sessions<\/span>/);
  expect(body).toMatch(/token<\/span><span class="about">1 session, this one too<\/span>/);
  expect((await send("end", { who: "github:eve#66" })).statusCode).toBe(303);
  expect(secrets.map((secret) => access.sessionOf(secret))).toEqual([undefined, undefined]);
  expect(notes).toEqual([expect.stringMatching(/^token \| sign-out \| github:eve#66 \| /)]);
  expect(await page()).toContain("2 sessions of github:eve#66 ended.");
});

test("whoever shows a token reads it, without the buttons", async () => {
  await access.tokens.create({ name: "ci", role: "viewer", createdBy: "token" });
  const body = await page(BEARER);
  expect(body).toContain('<span class="title">ci</span>');
  expect(body).not.toContain("<form");
});
