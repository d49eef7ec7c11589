// Every route × every kind of asker × who may read: who gets in, who is told to sign in, who is refused before any work
// is done.
import type { FastifyInstance, InjectOptions } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { type Readers, readers, roles, type Standing, suffices } from "../../src/engine/access/identity.ts";
import type { Door } from "../../src/engine/inbound.ts";
import { Secret } from "../../src/engine/secret.ts";
import { TestClock } from "../../src/testing/index.ts";
import { busyDay, RUNNING } from "../support/scene.ts";
import { FakeProvider } from "../support/sign-in.ts";
import { type FakeView, makeJob, makeNode } from "../support/view.ts";
import { form, injectable, TOKEN } from "../support/web.ts";

/** Written down by hand, as a second opinion on what each route says of itself. "none": open, whoever may read. */
const table: Readonly<Record<string, Standing>> = {
  "GET /": "viewer",
  "GET /checks": "viewer",
  "GET /history": "viewer",
  "GET /jobs": "viewer",
  "GET /query": "viewer",
  "GET /approvals": "viewer",
  "GET /log-rules": "viewer",
  "GET /log-rules/rules.csv": "viewer",
  "GET /job/:date/:id": "viewer",
  "GET /job/:date/:id/log.txt": "viewer",
  "GET /pipeline.svg": "viewer",
  "GET /favicon/:look": "none",
  "GET /static/:hash/:name": "none",
  "GET /healthz": "none",
  "GET /readyz": "none",
  "GET /metrics": "viewer",
  "GET /login": "none",
  "POST /login": "none",
  "GET /login/:provider": "none",
  "GET /login/:provider/callback": "none",
  "POST /logout": "none",
  "POST /logout/everywhere": "none",
  "POST /webhooks/github": "none", // signed by the forge
  "GET /api/v1/openapi.json": "viewer",
  "GET /api/v1/graph": "viewer",
  "GET /api/v1/approvals": "viewer",
  "GET /api/v1/log-rules": "viewer",
  "GET /api/v1/jobs": "viewer",
  "GET /api/v1/jobs/:date/:id": "viewer",
  "GET /api/v1/jobs/:date/:id/log": "viewer",
  "GET /api/v1/services": "viewer",
  "GET /api/v1/history": "viewer",
  "GET /api/v1/stats": "viewer",
  "GET /api/v1/banners": "viewer",
  "GET /api/v1/operations": "viewer",
  "GET /api/v1/confirm": "viewer",
  "GET /api/v1/events": "viewer",
  "GET /api/v1/jobs/:date/:id/log/stream": "viewer",
  "GET /audit": "builder",
  "POST /query": "builder",
  "POST /job/:date/:id/rebuild": "builder",
  "POST /job/:date/:id/cancel": "builder",
  "GET /api/v1/audit": "builder",
  "POST /api/v1/jobs/:date/:id/rebuild": "builder",
  "POST /api/v1/jobs/:date/:id/cancel": "builder",
  "POST /job/:date/:id/start": "admin",
  "GET /access": "admin",
  "POST /access/revoke": "admin",
  "POST /access/end": "admin",
  "POST /confirm": "admin",
  "POST /adopt": "admin",
  "POST /approve": "admin",
  "POST /log-rules": "admin",
  "POST /log-rules/remove": "admin",
  "POST /log-rules/import": "admin",
  "POST /log-rules/test": "admin",
  "PUT /api/v1/log-rules": "admin",
  "POST /api/v1/log-rules/remove": "admin",
  "POST /api/v1/log-rules/import": "admin",
  "POST /api/v1/log-rules/test": "admin",
  "POST /api/v1/jobs/:date/:id/start": "admin",
  "PUT /api/v1/confirm": "admin",
  "GET /approvals/:repository/:pull/:commit": "admin",
  "GET /api/v1/approvals/:repository/:pull/:commit": "admin",
  "POST /api/v1/approvals": "admin",
  "POST /api/v1/terms/adopt": "admin",
  "GET /api/v1/tokens": "admin",
  "POST /api/v1/tokens": "admin",
  "POST /api/v1/tokens/:name/revoke": "admin",
  "GET /api/v1/sessions": "admin",
  "POST /api/v1/sessions/end": "admin",
};

/** Routes whose answer does not end by itself, unless it is a refusal. */
const endless = ["GET /api/v1/events", "GET /api/v1/jobs/:date/:id/log/stream"];

const CLOCK = new TestClock();
const notes: string[] = [];
const provider = new FakeProvider();
const rules = { admins: ["github:admin"], builders: [{ who: "github:builder" }], viewers: ["github:viewer"] };
const taken = { status: 202, note: "taken" } as const;
const door: Door = { forge: "github", bytesMax: 1_000, refuses: () => undefined, receive: async () => taken };
const accessFor = (who: Readers): Access =>
  new Access({
    clock: CLOCK,
    token: new Secret(TOKEN),
    provider,
    rules,
    readers: who,
    audit: (...entry) => void notes.push(entry.join(" | ")),
  });
const access = accessFor("anyone");
let view: FakeView;
let app: FastifyInstance;
const tokens = new Map<string, string>();
/** The same site, for each choice of who may read. */
const sites = new Map<Readers, { readonly app: FastifyInstance; readonly access: Access }>();

/** The demo's graph, and a branch that moves two services. */
function scene(): FakeView {
  const made = busyDay(1_763_719_000_000);
  made.nodes = [...made.nodes, ...["shop/build", "shop/web", "shop/api"].map((key) => makeNode(key))];
  made.edges = [...made.edges, { from: "shop/build", to: "shop/web" }, { from: "shop/build", to: "shop/api" }];
  const service = { kind: "swarm", host: "here", source: "shop/shop live", state: "ok", detail: "" } as const;
  const more = { drift: "report", adoptable: false } as const;
  for (const name of ["web", "api"])
    made.targets.push({ ...service, ...more, term: `shop/${name}`, name: `shop_${name}`, place: `shop_${name}` });
  made.put(makeJob("2026-11-21/090000-docker-build-5a5a", { term: "shop/build" }));
  made.put(makeJob("2026-11-21/090100-deploy-5b5b", { term: "shop/web", op: "deploy" }));
  made.put(makeJob("2026-11-21/090200-gone-5c5c", { term: "shop/gone" }));
  return made;
}

beforeAll(async () => {
  view = scene();
  for (const who of readers) {
    const its = who === "anyone" ? access : accessFor(who);
    sites.set(who, { access: its, app: (await injectable(view, CLOCK, { access: its, doors: [door] })).app });
    for (const role of roles) {
      const made = await its.tokens.create({ name: role, role, createdBy: "test" });
      if (made.ok) tokens.set(`${role} ${who}`, made.value.token);
    }
  }
  ({ app } = siteFor("anyone"));
  const limited = await access.tokens.create({
    name: "web",
    role: "builder",
    services: ["shop_web"],
    createdBy: "test",
  });
  if (limited.ok) tokens.set("web", limited.value.token);
});
beforeEach(async () => {
  await CLOCK.advance(60 * 60_000); // what is written of one person in an hour has its bound
  view.actions.length = 0;
  notes.length = 0;
});
afterAll(() => Promise.all([...sites.values()].map((site) => site.app.close())));

function siteFor(who: Readers): { readonly app: FastifyInstance; readonly access: Access } {
  const site = sites.get(who);
  if (site === undefined) throw new Error(`no site for ${who}`);
  return site;
}

const bearer = (name: string, who: Readers = "anyone") => ({
  authorization: `Bearer ${tokens.get(name) ?? tokens.get(`${name} ${who}`) ?? ""}`,
});
const knownRoutes = () => app.routeRoles.filter(({ method }) => method !== "HEAD");
const nameOf = ({ method, url }: { readonly method: string; readonly url: string }): string =>
  `${method} ${url.replace(/^\/static\/[0-9a-f]{16}/, "/static/:hash")}`;

/** A request of the route that is all right but for who asks. */
function requestOf(name: string, headers: Readonly<Record<string, string>>): InjectOptions {
  const [method = "", path = ""] = name.split(" ");
  const asset = knownRoutes().find(({ url }) => url.startsWith("/static/"))?.url ?? "";
  const [date = "", id = ""] = RUNNING.split("/");
  const url = path
    .replace("/static/:hash/:name", asset.replace(":name", "app.js"))
    .replace(":date", date)
    .replace(":id", id)
    .replace(":look", "ok.svg")
    .replace(":name", "nobody")
    .replace(":provider", "github");
  if (method === "GET") return { method, url, headers };
  if (url.startsWith("/api/"))
    return { method: method === "PUT" ? "PUT" : "POST", url, headers, payload: bodies[name] ?? {} };
  return { method: "POST", url, ...form(fields[name] ?? {}, headers) };
}

async function outcomeOf(name: string, role: string, who: Readers): Promise<string> {
  const wrong = role === "wrong" ? { authorization: "Bearer millrace_wrong" } : bearer(role, who);
  view.actions.length = 0;
  const reply = await siteFor(who).app.inject(requestOf(name, role === "nobody" ? {} : wrong));
  const codes = /SIGN_IN_REFUSED|not begun in this browser/.test(reply.body) ? [] : [401, 403, 429]; // a page of its own
  if (!codes.includes(reply.statusCode)) return "let in";
  const written = notes
    .splice(0)
    .filter((note) => note.startsWith(`token:${role} | refused | ${name.split(" ")[0] ?? ""} `));
  const done = view.actions.length === 0 ? "nothing done" : "done all the same";
  const word = reply.statusCode === 403 ? "refused" : "sign in first";
  return `${word}; ${done}, ${written.length === 1 ? "written" : "nothing written"}`;
}

const bodies: Readonly<Record<string, Record<string, unknown>>> = {
  "PUT /api/v1/confirm": { threshold: "average" },
  "POST /api/v1/terms/adopt": { term: "demo/hello/swarm" },
  "POST /api/v1/tokens": { name: "made-by-the-matrix", role: "viewer" },
  "POST /api/v1/sessions/end": { who: "github:nobody" },
  "PUT /api/v1/log-rules": { pattern: "a", score: 1 },
  "POST /api/v1/log-rules/remove": { pattern: "a" },
  "POST /api/v1/log-rules/import": { csv: "" },
  "POST /api/v1/log-rules/test": { pattern: "a" },
  "POST /api/v1/approvals": { repository: 1, pull: 7, commit: "0123456789012345678901234567890123456789" },
};
const fields: Readonly<Record<string, Record<string, string>>> = {
  "POST /login": { token: TOKEN },
  "POST /query": { job: RUNNING },
  "POST /confirm": { threshold: "average" },
  "POST /log-rules": { pattern: "a", score: "1" },
  "POST /log-rules/remove": { pattern: "a" },
  "POST /log-rules/import": { csv: "x" },
  "POST /log-rules/test": { pattern: "a" },
  "POST /adopt": { term: "demo/hello/swarm" },
  "POST /approve": { repository: "1", pull: "7", commit: "0123456789012345678901234567890123456789" },
};

test("every route is in the table, with its role", () => {
  const found = Object.fromEntries(knownRoutes().map((route) => [nameOf(route), route.role]));
  expect(found).toEqual(table);
});

describe("route × role × who may read", () => {
  test.each(Object.entries(table))("%s is for %s", async (name, needed) => {
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const who of readers) {
      for (const role of ["nobody", "wrong", ...roles]) {
        const held = roles.find((known) => known === role);
        const isLetIn = suffices(held ?? (who === "anyone" ? "viewer" : "none"), needed);
        if (isLetIn && endless.includes(name)) continue;
        const refused =
          held === undefined ? "sign in first; nothing done, nothing written" : "refused; nothing done, written";
        found[`${role}, ${who}`] = await outcomeOf(name, role, who);
        expected[`${role}, ${who}`] = isLetIn ? "let in" : refused;
      }
    }
    expect(found).toEqual(expected);
  });

  test("who may read, of those who signed in", async () => {
    const found: Record<string, string> = {};
    for (const who of readers) {
      const statuses: number[] = [];
      for (const login of ["admin", "builder", "viewer", "eve"]) {
        const person = { id: login.length, login };
        const { secret } = siteFor(who).access.signIn({ kind: "person", provider: "github", person });
        const headers = { cookie: `millrace=${secret}` };
        statuses.push((await siteFor(who).app.inject({ url: "/jobs", headers })).statusCode);
      }
      found[who] = statuses.join(" ");
    }
    expect(found).toEqual({ anyone: "200 200 200 200", "signed-in": "200 200 200 200", named: "200 200 200 403" });
  });

  test("what is not there is refused like what is, where not everybody may read", async () => {
    const statuses = async (url: string) =>
      Promise.all(readers.map(async (who) => (await siteFor(who).app.inject({ url })).statusCode));
    expect(await statuses("/job/2026-11-21/000000-none-0000")).toEqual([404, 401, 401]);
    expect(await statuses("/nothing")).toEqual([404, 401, 401]);
  });

  test("a session of a person is held to the same", async () => {
    for (const login of ["admin", "builder", "eve"]) {
      const { secret, session } = access.signIn({
        kind: "person",
        provider: "github",
        person: { id: login.length, login },
      });
      const headers = { cookie: `millrace=${secret}`, "x-csrf-token": session.csrf };
      const statuses: number[] = [];
      for (const act of ["rebuild", "start"]) {
        const reply = await app.inject({ method: "POST", url: `/api/v1/jobs/${RUNNING}/${act}`, headers });
        statuses.push(reply.statusCode);
      }
      expect([login, ...statuses]).toEqual(
        { admin: [login, 200, 200], builder: [login, 200, 403], eve: [login, 403, 403] }[login],
      );
    }
    expect(view.actions.map(({ name, who }) => `${who} ${name}`)).toEqual([
      "github:admin#5 rebuild",
      "github:admin#5 start",
      "github:builder#7 rebuild",
    ]);
  });
});

describe("forged requests", () => {
  const changing = Object.keys(table).filter((name) => !name.startsWith("GET ") && !name.includes("/webhooks/"));
  const admin = () => access.signIn({ kind: "person", provider: "github", person: { id: 5, login: "admin" } });

  test.each(changing)("%s: not without the form's token, and not from another site", async (name) => {
    const { secret, session } = admin();
    const cookie = `millrace=${secret}`;
    const forged = [
      { cookie },
      { cookie, "x-csrf-token": "guess" },
      { cookie, "x-csrf-token": session.csrf, origin: "https://evil.example" },
      { cookie, "x-csrf-token": session.csrf, "sec-fetch-site": "same-site" },
    ];
    const statuses: number[] = [];
    for (const headers of forged) statuses.push((await app.inject(requestOf(name, headers))).statusCode);
    expect([statuses, view.actions, access.sessionOf(secret)?.hash]).toEqual([[403, 403, 403, 403], [], session.hash]);
  });

  test("reading changes nothing, whoever reads", async () => {
    const { secret } = admin();
    for (const name of Object.keys(table).filter((one) => one.startsWith("GET ") && !endless.includes(one)))
      await app.inject(requestOf(name, { cookie: `millrace=${secret}` }));
    expect([view.actions, access.sessionOf(secret) === undefined]).toEqual([[], false]);
  });
});

describe("a builder of some services", () => {
  const jobs = {
    build: "2026-11-21/090000-docker-build-5a5a",
    web: "2026-11-21/090100-deploy-5b5b",
    gone: "2026-11-21/090200-gone-5c5c",
  };
  test.each([
    ["web", 200, "what moves only theirs"],
    ["build", 403, "what moves another one too"],
    ["gone", 403, "what moves nothing that is known"],
  ] as const)("%s: %i, %s", async (...[which, status]) => {
    const id = jobs[which];
    for (const url of [`/api/v1/jobs/${id}/rebuild`, `/api/v1/jobs/${id}/cancel`]) {
      const reply = await app.inject({ method: "POST", url, headers: bearer("web") });
      expect(reply.statusCode).toBe(status);
    }
    const page = await app.inject({ method: "POST", url: `/job/${id}/rebuild`, ...form({}, bearer("web")) });
    expect(page.statusCode).toBe(status === 200 ? 303 : 403);
    expect(view.actions).toHaveLength(status === 200 ? 3 : 0);
    expect(notes.filter((note) => note.startsWith("token:web | refused | "))).toHaveLength(status === 200 ? 0 : 3);
  });

  test("of many jobs that are selected, only theirs run again", async () => {
    const payload = Object.values(jobs)
      .map((id) => `job=${encodeURIComponent(id)}`)
      .join("&");
    const headers = { ...bearer("web"), "content-type": "application/x-www-form-urlencoded" };
    const reply = await app.inject({ method: "POST", url: "/query", headers, payload });
    expect(reply.statusCode).toBe(303);
    expect(view.actions).toMatchObject([{ name: "rebuild", subject: jobs.web, who: "token:web" }]);
    expect(notes.filter((note) => note.startsWith("token:web | refused | "))).toHaveLength(2);
  });

  test("a service of that name on another machine is another one", async () => {
    const elsewhere = scene();
    for (const [at, target] of elsewhere.targets.entries())
      if (target.name === "shop_web") elsewhere.targets[at] = { ...target, host: "east", place: "shop_web@east" };
    const { app: other } = await injectable(elsewhere, CLOCK, { access });
    const statuses: number[] = [];
    const post = async (url: string, token: string, payload: object = {}) => {
      const reply = await other.inject({ method: "POST", url, headers: { authorization: `Bearer ${token}` }, payload });
      statuses.push(reply.statusCode);
      return reply;
    };
    const here = await access.tokens.create({ name: "here", role: "builder", services: ["shop_web"], createdBy: "t" });
    await post(`/api/v1/jobs/${jobs.web}/rebuild`, here.ok ? here.value.token : "");
    const admin = tokens.get("admin anyone") ?? "";
    const wish = { name: "east", role: "builder", services: ["shop_web"] };
    expect((await post("/api/v1/tokens", admin, wish)).body).toMatch(/known are .*shop_web@east/);
    const made: { token: string } = (
      await post("/api/v1/tokens", admin, { ...wish, services: ["shop_web@east"] })
    ).json();
    await post(`/api/v1/jobs/${jobs.web}/rebuild`, made.token);
    expect(statuses).toEqual([403, 400, 200, 200]);
    await other.close();
  });

  test("a tag counts only where nothing runs it", async () => {
    const tagged = scene();
    const tag = { kind: "tag", host: "registry", source: "shop/shop live", state: "ok", detail: "" } as const;
    const more = { drift: "report", adoptable: false } as const;
    tagged.nodes = [...tagged.nodes, makeNode("shop/tag", { kind: "tag" }), makeNode("lone/tag", { kind: "tag" })];
    tagged.edges = [...tagged.edges, { from: "shop/tag", to: "shop/web", dashed: true }];
    for (const key of ["shop", "lone"])
      tagged.targets.push({ ...tag, ...more, term: `${key}/tag`, name: `${key}:live`, place: `${key}:live` });
    tagged.put(makeJob("2026-11-21/091000-tag-5d5d", { term: "shop/tag" }));
    tagged.put(makeJob("2026-11-21/091100-tag-5e5e", { term: "lone/tag" }));
    const { app: other } = await injectable(tagged, CLOCK, { access });
    const statuses: number[] = [];
    for (const id of ["091000-tag-5d5d", "091100-tag-5e5e"]) {
      const url = `/api/v1/jobs/2026-11-21/${id}/rebuild`;
      statuses.push((await other.inject({ method: "POST", url, headers: bearer("web") })).statusCode);
    }
    expect(statuses).toEqual([200, 403]);
    await other.close();
  });
});

test("buttons and pages of the menu are shown to those who may use them", async () => {
  const shown: Record<string, readonly boolean[]> = {};
  for (const login of ["admin", "builder", "eve"]) {
    const { secret } = access.signIn({ kind: "person", provider: "github", person: { id: login.length, login } });
    const headers = { cookie: `millrace=${secret}` };
    const page = async (url: string): Promise<string> => (await app.inject({ url, headers })).body;
    const [home, job, query] = [await page("/"), await page(`/job/${RUNNING}`), await page("/query")];
    shown[login] = [
      home.includes('action="/confirm"'),
      home.includes('href="/audit"'),
      job.includes("/cancel"),
      query.includes("Rebuild selected"),
    ];
  }
  expect(shown).toEqual({
    admin: [true, true, true, true],
    builder: [false, true, true, true],
    eve: [false, false, false, false],
  });
});
