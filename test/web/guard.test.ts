import type { FastifyInstance, InjectOptions } from "fastify";
import { VirtualTimeScheduler } from "rxjs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { busyDay, RUNNING } from "../support/scene.ts";
import type { FakeView } from "../support/view.ts";
import { BEARER, cookieOf, form, injectable, type SignedIn, signIn, TOKEN } from "../support/web.ts";

let view: FakeView;
let app: FastifyInstance;
let faults: unknown[];
let session: SignedIn;

beforeAll(async () => {
  view = busyDay(1_763_719_000_000);
  ({ app, faults } = await injectable(view));
  session = await signIn(app);
});
beforeEach(() => {
  view.actions.length = 0;
  view.isStorable = true;
});
afterAll(async () => {
  await app.close();
  if (faults.length > 0) throw faults[0];
});

const JOB = `/api/v1/jobs/${RUNNING}`;
const reads = [
  "/",
  "/jobs",
  "/query",
  "/approvals",
  `/job/${RUNNING}`,
  `/job/${RUNNING}/log.txt`,
  "/login",
  "/pipeline.svg",
  "/favicon/ok.svg",
  "/healthz",
  "/readyz",
  "/metrics",
  "/api/v1/graph",
  "/api/v1/jobs",
  JOB,
  `${JOB}/log`,
  "/api/v1/services",
  "/api/v1/history",
  "/api/v1/stats",
  "/api/v1/approvals",
  "/api/v1/banners",
  "/api/v1/confirm",
];

interface Act {
  readonly method: "POST" | "PUT";
  readonly url: string;
  readonly did: string;
  readonly json?: Record<string, string | number>;
  readonly fields?: Record<string, string>;
}
const acts: readonly Act[] = [
  { method: "POST", url: `${JOB}/rebuild`, did: "rebuild" },
  { method: "POST", url: `${JOB}/cancel`, did: "cancel" },
  { method: "POST", url: `${JOB}/cancel`, did: "cancel", json: { why: "wrong branch" } },
  { method: "POST", url: `${JOB}/start`, did: "start" },
  { method: "PUT", url: "/api/v1/confirm", did: "confirm", json: { threshold: "average" } },
  { method: "POST", url: "/api/v1/terms/adopt", did: "adopt", json: { term: "demo/hello/swarm" } },
  {
    method: "POST",
    url: "/api/v1/approvals",
    did: "approve",
    json: { repository: 5, pull: 7, commit: "e".repeat(40) },
  },
  { method: "POST", url: "/approve", did: "approve", fields: { repository: "5", pull: "7", commit: "e".repeat(40) } },
  { method: "POST", url: `/job/${RUNNING}/rebuild`, did: "rebuild", fields: {} },
  { method: "POST", url: `/job/${RUNNING}/cancel`, did: "cancel", fields: { why: "wrong branch" } },
  { method: "POST", url: `/job/${RUNNING}/start`, did: "start", fields: {} },
  { method: "POST", url: "/query", did: "rebuild", fields: { job: RUNNING } },
  { method: "POST", url: "/adopt", did: "adopt", fields: { term: "demo/hello/swarm" } },
  { method: "POST", url: "/confirm", did: "confirm", fields: { threshold: "harmless" } },
];

/** The request of a browser (form) or a program (JSON). */
function request(act: Act, headers: Record<string, string>, csrf?: string): InjectOptions {
  const { method, url } = act;
  if (act.fields !== undefined) {
    return { method, url, ...form({ ...act.fields, ...(csrf === undefined ? {} : { _csrf: csrf }) }, headers) };
  }
  const more = csrf === undefined ? headers : { ...headers, "x-csrf-token": csrf };
  return { method, url, headers: more, ...(act.json === undefined ? {} : { payload: act.json }) };
}

describe("route × role", () => {
  test.each(reads)("anybody may read %s", async (url) => {
    const reply = await app.inject({ url });
    expect(reply.statusCode).toBe(200);
  });

  test.each(acts)("$method $url: not for viewers", async (act) => {
    const reply = await app.inject(request(act, {}));
    expect(reply.statusCode).toBe(401);
    expect(view.actions).toEqual([]);
  });

  test.each(acts)("$method $url: not with a wrong token", async (act) => {
    const reply = await app.inject(request(act, { authorization: `Bearer ${TOKEN}x` }));
    expect([401, 429]).toContain(reply.statusCode);
    expect(view.actions).toEqual([]);
  });

  test.each(acts)("$method $url: with the token", async (act) => {
    const reply = await app.inject(request(act, BEARER));
    expect(reply.statusCode).toBeLessThan(400);
    expect(view.actions).toMatchObject([{ name: act.did, who: "token" }]);
  });

  test.each(acts)("$method $url: with a session and its form token", async (act) => {
    const reply = await app.inject(request(act, { cookie: session.cookie }, session.csrf));
    expect(reply.statusCode).toBeLessThan(400);
    expect(view.actions).toMatchObject([{ name: act.did, who: "token" }]);
  });

  test.each(acts)("$method $url: forged without the form token", async (act) => {
    const cookie = { cookie: session.cookie };
    expect((await app.inject(request(act, cookie))).statusCode).toBe(403);
    expect((await app.inject(request(act, cookie, "guess"))).statusCode).toBe(403);
    expect(view.actions).toEqual([]);
  });

  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost:9999" },
  ])("nothing is changed from another site: %j", async (headers) => {
    for (const act of acts) {
      const reply = await app.inject(request(act, { cookie: session.cookie, ...headers }, session.csrf));
      expect(reply.statusCode).toBe(403);
    }
    expect(view.actions).toEqual([]);
  });

  test.each(acts)("$method $url: 503 while nothing can be stored", async (act) => {
    view.isStorable = false;
    const reply = await app.inject(request(act, BEARER));
    expect(reply.statusCode).toBe(503);
    expect(reply.body).toContain("disk");
    expect(view.actions).toEqual([]);
  });

  test("the right origins pass", async () => {
    const [act] = acts;
    if (act === undefined) throw new Error("no act");
    for (const origin of ["http://localhost:8080", "http://millrace.test:81"]) {
      const headers = { cookie: session.cookie, origin, host: "millrace.test:81", "sec-fetch-site": "same-origin" };
      expect((await app.inject(request(act, headers, session.csrf))).statusCode).toBe(200);
    }
  });

  test("another site can neither read the API nor open its streams, but may link to it", async () => {
    const foreign = { "sec-fetch-site": "cross-site" };
    expect((await app.inject({ url: "/api/v1/events", headers: foreign })).statusCode).toBe(403);
    expect((await app.inject({ url: "/api/v1/graph", headers: { origin: "https://evil.example" } })).statusCode).toBe(
      403,
    );
    const link = { ...foreign, "sec-fetch-mode": "navigate" };
    expect((await app.inject({ url: "/api/v1/graph", headers: link })).statusCode).toBe(200);
    expect((await app.inject({ url: "/jobs", headers: link })).statusCode).toBe(200);
  });

  test("a form of plain text is not taken for JSON", async () => {
    const headers = { ...BEARER, "content-type": "text/plain" };
    const reply = await app.inject({ method: "PUT", url: "/api/v1/confirm", headers, payload: '{"threshold":"none"}' });
    expect(reply.statusCode).toBe(415);
  });
});

describe("headers", () => {
  test.each([...reads, "/nothing-here", "/api/v1/nothing", "/job/2026-11-21/101502-x-1"])("%s", async (url) => {
    const { headers } = await app.inject({ url });
    expect(headers["content-security-policy"]).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';" +
        "form-action 'self';frame-ancestors 'none';base-uri 'none'",
    );
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "same-origin",
      "x-frame-options": "DENY",
      "cache-control": "no-store",
    });
    expect(headers["set-cookie"]).toBeUndefined();
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("static files are kept for ever under an address that changes with them", async () => {
    const page = await app.inject({ url: "/" });
    const [href] = /\/static\/[0-9a-f]{16}\/app\.js/.exec(page.body) ?? [];
    const reply = await app.inject({ url: href ?? "" });
    expect(reply.headers["cache-control"]).toContain("immutable");
    expect(reply.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect((await app.inject({ url: `${href}/../../../server.ts` })).statusCode).toBe(404);
    expect((await app.inject({ url: href?.replace("app.js", "ansi.d.ts") ?? "" })).statusCode).toBe(404);
  });
});

const strange = [
  "..%2f..%2fetc%2fpasswd",
  "..%252f..%252fetc%252fpasswd",
  "%2e%2e%2f%2e%2e%2ftoken",
  "..%5c..%5ctoken",
  "....%2f%2ftoken",
  "%2fetc%2fpasswd",
  "101502-docker-build-4be1%00",
  "%00",
  "%c0%ae%c0%ae%2f",
  "%zz",
  "x".repeat(150),
  "x".repeat(5_000),
  ".hidden",
];

describe("ids from an address", () => {
  test.each(strange)("%s", async (id) => {
    for (const url of [`/job/2026-11-21/${id}`, `/job/${id}/x`, `/api/v1/jobs/2026-11-21/${id}`]) {
      for (const path of [url, `${url}/log`, `${url}/log.txt`, `${url}/log/stream`]) {
        expect((await app.inject({ url: path })).statusCode).toBe(404);
      }
    }
    const reply = await app.inject({ method: "POST", url: `${JOB.slice(0, -5)}${id}/rebuild`, headers: BEARER });
    expect(reply.statusCode).toBe(404);
    expect(view.actions).toEqual([]);
  });
});

describe("log-in", () => {
  test("the cookie is only for the server, and secure behind https", async () => {
    const reply = await app.inject({ method: "POST", url: "/login", ...form({ token: ` ${TOKEN}\n`, to: "/jobs" }) });
    expect(reply.headers["set-cookie"]).toMatch(/^millrace=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(reply).toMatchObject({ statusCode: 303, headers: { location: "/jobs" } });
    const secured = busyDay(1_763_719_000_000);
    secured.url = "https://deploy.example.org";
    const { app: https } = await injectable(secured);
    const other = await https.inject({ method: "POST", url: "/login", ...form({ token: TOKEN }) });
    expect(other.headers["set-cookie"]).toMatch(/^__Host-millrace=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(other.headers["strict-transport-security"]).toContain("max-age");
    await https.close();
  });

  test.each(["//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "javascript:alert(1)"])(
    "never goes on to %j",
    async (to) => {
      const reply = await app.inject({ method: "POST", url: "/login", ...form({ token: TOKEN, to }) });
      expect(reply.headers.location).toBe("/");
    },
  );

  test("a new id at each log-in; the old one and a planted one are worth nothing", async () => {
    const first = await signIn(app);
    const again = await app.inject({
      method: "POST",
      url: "/login",
      ...form({ token: TOKEN, _csrf: first.csrf }, { cookie: first.cookie }),
    });
    expect(cookieOf(again.headers["set-cookie"])).not.toBe(first.cookie);
    const old = await app.inject({ url: "/login", headers: { cookie: first.cookie } });
    expect(old.body).toContain('name="token"');
    const planted = await app.inject({ url: "/login", headers: { cookie: "millrace=planted" } });
    expect(planted.body).toContain('name="token"');
  });

  test("log-out revokes", async () => {
    const { cookie, csrf } = await signIn(app);
    expect((await app.inject({ method: "POST", url: "/logout", ...form({}, { cookie }) })).statusCode).toBe(403);
    await app.inject({ method: "POST", url: "/logout", ...form({ _csrf: csrf }, { cookie }) });
    const reply = await app.inject({
      method: "POST",
      url: `${JOB}/rebuild`,
      headers: { cookie, "x-csrf-token": csrf },
    });
    expect(reply.statusCode).toBe(401);
  });

  test("twelve hours, then no more; ten wrong tokens a minute, then none", async () => {
    const scheduler = new VirtualTimeScheduler();
    const { app: timed } = await injectable(busyDay(0), createClock(scheduler));
    const pass = (ms: number): void => {
      scheduler.schedule(() => {}, ms);
      scheduler.flush();
    };
    const { cookie, csrf } = await signIn(timed);
    const rebuild = () =>
      timed.inject({ method: "POST", url: `${JOB}/rebuild`, headers: { cookie, "x-csrf-token": csrf } });
    const login = (token: string) => timed.inject({ method: "POST", url: "/login", ...form({ token }) });
    for (let count = 0; count < 10; count++) expect((await login("wrong")).statusCode).toBe(403);
    expect((await login(TOKEN)).statusCode).toBe(429);
    expect((await timed.inject({ method: "POST", url: `${JOB}/rebuild`, headers: BEARER })).statusCode).toBe(200);
    pass(60_001);
    expect((await login(TOKEN)).statusCode).toBe(303);
    expect((await rebuild()).statusCode).toBe(200);
    pass(12 * 3_600_000);
    expect((await rebuild()).statusCode).toBe(401);
    await timed.close();
  });

  test("the token is on no page", async () => {
    for (const url of reads) {
      const reply = await app.inject({ url, headers: { cookie: session.cookie } });
      expect(reply.body).not.toContain(TOKEN);
      expect(reply.body).not.toContain(session.cookie.slice("millrace=".length));
    }
  });
});
