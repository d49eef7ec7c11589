// What those see who may not read, where not everybody may.
import type { FastifyInstance } from "fastify";
import { VirtualTimeScheduler } from "rxjs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import type { Readers } from "../../src/engine/access/identity.ts";
import { createClock } from "../../src/engine/clock.ts";
import { Secret } from "../../src/engine/secret.ts";
import { busyDay, RUNNING } from "../support/scene.ts";
import { FakeProvider } from "../support/sign-in.ts";
import { readEvents } from "../support/sse.ts";
import { BEARER, injectable, listening, TOKEN } from "../support/web.ts";

let app: FastifyInstance | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

function accessFor(readers: Readers, clock = createClock(), provider?: FakeProvider): Access {
  const rules = { admins: [], builders: [], viewers: ["github:ann"] };
  return new Access({
    clock,
    token: new Secret(TOKEN),
    rules,
    readers,
    ...(provider === undefined ? {} : { provider }),
  });
}

async function open(readers: Readers, provider?: FakeProvider) {
  const access = accessFor(readers, createClock(), provider);
  const view = busyDay(1_763_719_000_000);
  view.notices = [{ code: "NO_DELIVERIES", level: "warning", text: "No webhook of acme/secret has come in." }];
  const made = (await injectable(view, createClock(), { access })).app;
  app = made;
  const as = (login: string) => {
    const { secret } = access.signIn({ kind: "person", provider: "github", person: { id: login.length, login } });
    return { cookie: `millrace=${secret}` };
  };
  return { as, get: (url: string, headers = {}) => made.inject({ url, headers }) };
}

describe("a reader who is not signed in", () => {
  test("gets a page with the way in, and back to where they wanted to go", async () => {
    const { get } = await open("signed-in", new FakeProvider());
    const { statusCode, body } = await get(`/job/${RUNNING}?from=1`);
    expect(statusCode).toBe(401);
    expect(body).toContain("Sign in first: only those who are signed in may read here.");
    const to = encodeURIComponent(`/job/${RUNNING}?from=1`);
    expect(body).toContain(`href="/login/github?to=${to}">Sign in with GitHub</a>`);
  });

  test("learns nothing of what goes on from any page that is open", async () => {
    const { get } = await open("signed-in", new FakeProvider());
    for (const url of ["/", "/login", "/nothing", "/login/github/callback?code=1&state=2"]) {
      const { body } = await get(url);
      expect(body).not.toMatch(/acme\/secret|hello|app\.js|href="\/(jobs|metrics|pipeline\.svg)/);
      expect(body).toMatch(/data-look="ready"[^]*Sign in/);
    }
  });

  test("without a provider is told of tokens", async () => {
    const { get } = await open("named");
    const { body } = await get("/");
    expect(body).toContain("only those whom pipeline.ts names may read here");
    expect(body).toContain("To read and act, show a token");
  });

  test("of the API gets a problem that says what to do, and a token lets in", async () => {
    const { get } = await open("signed-in");
    for (const url of ["/api/v1/graph", "/api/v1/events", "/metrics"]) {
      const reply = await get(url);
      expect([reply.statusCode, reply.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="millrace"']);
      expect(reply.json()).toMatchObject({ status: 401, code: "LOGIN_NEEDED", title: "Sign in first" });
    }
    for (const url of ["/api/v1/graph", "/metrics"]) expect((await get(url, BEARER)).statusCode).toBe(200);
  });
});

test("somebody whom nobody names is told so, on a page that lets them out again", async () => {
  const { get, as } = await open("named", new FakeProvider());
  expect((await get("/", as("ann"))).statusCode).toBe(200);
  const eve = as("eve");
  const { statusCode, body } = await get("/", eve);
  expect(statusCode).toBe(403);
  expect(body).toContain(
    "only those whom pipeline.ts names may read here; github:eve is nobody that pipeline.ts names",
  );
  expect(body).toContain("Ask whoever looks after pipeline.ts to name you, or a team of yours, among its viewers.");
  expect(body).toContain("Sign out");
  expect(body).not.toMatch(/href="\/jobs"|acme\/secret|app\.js/);
  expect((await get("/login", eve)).body).toContain("You may not read here yet.");
});

test.each([
  ["signed-in", true],
  ["anyone", false],
] as const)("where %s may read, a stream ends with the session that opened it: %s", async (readers, ends) => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 20_000;
  const clock = createClock(scheduler);
  const access = accessFor(readers, clock);
  const made = await access.tokens.create({ name: "ci", role: "viewer", createdBy: "test" });
  const web = await listening(busyDay(1_763_719_000_000), clock, 0, { access });
  const headers = { authorization: `Bearer ${made.ok ? made.value.token : ""}` };
  const reader = await readEvents(`${web.url}/api/v1/events`, headers);
  await reader.next("snapshot");
  let isOver = false;
  void reader.ended.then(() => (isOver = true));
  await access.tokens.revoke("ci");
  scheduler.flush();
  await vi.waitFor(() => expect([reader.comments, isOver]).toEqual([1, ends]));
  reader.close();
  await web.close();
});
