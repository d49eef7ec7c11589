import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { Secret } from "../../src/engine/secret.ts";
import { TestClock } from "../../src/testing/index.ts";
import { busyDay, RUNNING } from "../support/scene.ts";
import { FakeProvider } from "../support/sign-in.ts";
import { form, injectable, TOKEN } from "../support/web.ts";

const START_MS = 1_763_719_000_000;
const ann = { id: 7, login: "ann" };
const eve = { id: 66, login: "eve" };

let app: FastifyInstance;
let clock: TestClock;
let provider: FakeProvider;
let access: Access;
const notes: string[] = [];

async function open(url = "http://localhost:8080"): Promise<void> {
  clock = new TestClock();
  provider = new FakeProvider();
  notes.length = 0;
  access = new Access({
    clock,
    token: new Secret(TOKEN),
    provider,
    rules: { admins: ["github:ann", "github:acme/ops"], builders: [] },
    audit: (...entry) => void notes.push(entry.join(" | ")),
  });
  const view = busyDay(START_MS);
  view.url = url;
  ({ app } = await injectable(view, clock, { access }));
}

beforeEach(() => open());
afterEach(() => app.close());

/** A browser, as far as cookies go. */
class Jar {
  readonly cookies = new Map<string, string>();
  async get(url: string, headers: Readonly<Record<string, string>> = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const reply = await app.inject({ url, headers: { ...headers, ...(cookie === "" ? {} : { cookie }) } });
    for (const { name, value } of reply.cookies) {
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return reply;
  }
  /** To the provider; the address that the browser is sent to. */
  async begin(to = "/jobs"): Promise<string> {
    const reply = await this.get(`/login/github?to=${encodeURIComponent(to)}`);
    if (reply.statusCode !== 303) throw new Error(`not sent to the provider: ${reply.statusCode}`);
    return String(reply.headers.location);
  }
  async signIn(person = ann, to = "/jobs") {
    return this.get(back(provider.agree(await this.begin(to), person)));
  }
  async who(): Promise<string> {
    return /signed in as ([^<]+)</.exec((await this.get("/")).body)?.[1] ?? "nobody";
  }
}

const back = (fields: Readonly<Record<string, string>>): string =>
  `/login/github/callback?${new URLSearchParams(fields).toString()}`;

describe("signing in with a provider", () => {
  test("leads back to where one came from, with a session that acts under one's own name", async () => {
    const jar = new Jar();
    expect((await jar.get("/login?to=/jobs")).body).toContain('href="/login/github?to=%2Fjobs"');
    const reply = await jar.signIn();
    expect([reply.statusCode, reply.headers.location]).toEqual([303, "/jobs"]);
    expect(await jar.who()).toBe("github:ann");
    expect([...jar.cookies.keys()]).toEqual(["millrace"]);
    expect(notes).toEqual(["github:ann#7 | sign-in | github:ann#7 | "]);
    expect((await jar.get("/audit")).statusCode).toBe(200);
  });

  test("whoever is named nowhere may look, and is told what is missing", async () => {
    const jar = new Jar();
    await jar.signIn(eve);
    expect(await jar.who()).toBe("github:eve");
    const audit = await jar.get("/audit");
    expect([audit.statusCode, audit.body.includes("github:eve is a viewer")]).toEqual([403, true]);
    expect(notes.at(-1)).toMatch(/^github:eve#66 \| refused \| GET \/audit \| /);
  });

  test("what teams would add is looked up, and said when it cannot be", async () => {
    const jar = new Jar();
    provider.teams.add("acme/ops eve");
    await jar.signIn(eve);
    expect((await jar.get("/audit")).statusCode).toBe(200);
    provider.teams.clear();
    await clock.advance(60_000);
    expect((await jar.get("/audit")).statusCode).toBe(403);
    provider.reachable = false;
    await clock.advance(60_000);
    expect((await jar.get("/audit")).body).toContain("GitHub does not answer");
    expect((await jar.get("/jobs")).body).toMatch(
      /not known: GitHub does not answer.*href="\/login\/github\?to=%2Fjobs"/,
    );
  });

  test("behind https its cookies are bound to this very host", async () => {
    await app.close();
    await open("https://deploy.example.org");
    const reply = await app.inject({
      url: "/login/github",
      headers: { host: "evil.example", "x-forwarded-host": "evil.example" },
    });
    expect(reply.headers["set-cookie"]).toMatch(
      /^__Host-millrace-sign-in=[\w.%-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const fields = new URL(String(reply.headers.location)).searchParams;
    expect(fields.get("returnTo")).toBe("https://deploy.example.org/login/github/callback");
    expect(fields.get("challenge")).toMatch(/^[\w-]{43}$/);
  });
});

describe("a callback that is not right opens nothing", () => {
  /** What became of it, and whether anybody was asked, let in or written down (but as refused). */
  const outcomeOf = async (jar: Jar, url: string): Promise<string> => {
    const before = provider.exchanges;
    const reply = await jar.get(url);
    const traces = [
      ...(jar.cookies.has("millrace") ? ["let in"] : []),
      ...(provider.exchanges === before ? [] : ["the provider was asked"]),
      ...notes.filter((note) => !note.startsWith("anonymous@127.0.0.1 | refused | ")),
    ];
    return [reply.statusCode, ...(reply.body.includes("Sign in") ? ["leads to signing in"] : []), ...traces].join(", ");
  };
  const REFUSED = "403, leads to signing in";

  test("without state, with another one, without what was begun", async () => {
    const jar = new Jar();
    const { code, state } = provider.agree(await jar.begin(), ann);
    expect(await outcomeOf(jar, back({ code }))).toBe(REFUSED);
    expect(await outcomeOf(jar, back({ code, state: "" }))).toBe(REFUSED);
    expect(await outcomeOf(jar, back({ code, state: `${state}x` }))).toBe(REFUSED);
    expect(await outcomeOf(new Jar(), back({ code, state }))).toBe(REFUSED);
    const planted = new Jar();
    planted.cookies.set("millrace-sign-in", "bm90aGluZw.AAAA");
    expect(await outcomeOf(planted, back({ code, state }))).toBe(REFUSED);
  });

  test("another person's callback in one's own browser", async () => {
    const [theirs, mine] = [new Jar(), new Jar()];
    const answer = provider.agree(await theirs.begin(), eve);
    await mine.begin();
    expect(await outcomeOf(mine, back(answer))).toBe(REFUSED);
  });

  test("after ten minutes", async () => {
    const jar = new Jar();
    const answer = provider.agree(await jar.begin(), ann);
    await clock.advance(600_000);
    expect(await outcomeOf(jar, back(answer))).toBe(REFUSED);
  });

  test("a second time, with the same code or another", async () => {
    const jar = new Jar();
    const sealed = await jar.begin();
    const begun = new Map(jar.cookies);
    const first = provider.agree(sealed, ann);
    expect((await jar.get(back(first))).statusCode).toBe(303);
    notes.length = 0;
    const again = new Jar();
    for (const [name, value] of begun) again.cookies.set(name, value);
    expect(await outcomeOf(again, back(first))).toBe(REFUSED);
    expect(await outcomeOf(again, back(provider.agree(sealed, eve)))).toBe(REFUSED);
  });

  test("when the provider declines, or does not answer", async () => {
    const jar = new Jar();
    const { state } = provider.agree(await jar.begin(), ann);
    expect(await outcomeOf(jar, back({ error: "access_denied", state }))).toBe(REFUSED);
    const other = new Jar();
    const answer = provider.agree(await other.begin(), ann);
    provider.reachable = false;
    expect((await other.get(back(answer))).statusCode).toBe(503);
    expect(other.cookies.has("millrace")).toBe(false);
  });

  test("a code of another sign-in does not fit the verifier", async () => {
    const [one, two] = [new Jar(), new Jar()];
    const { code } = provider.agree(await one.begin(), eve);
    const { state } = provider.agree(await two.begin(), ann);
    expect((await two.get(back({ code, state }))).statusCode).toBe(403);
    expect(two.cookies.has("millrace")).toBe(false);
  });

  test.each(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])(
    "never goes on to %j",
    async (to) => {
      const reply = await new Jar().signIn(ann, to);
      expect([reply.statusCode, reply.headers.location]).toEqual([303, "/"]);
    },
  );

  test("there is no other provider, and without any there is no such page", async () => {
    for (const path of ["/login/gitlab", "/login/gitlab/callback?code=1&state=2", "/login/__proto__"]) {
      expect((await app.inject({ url: path })).statusCode).toBe(404);
    }
    const { app: without } = await injectable(busyDay(START_MS), clock);
    for (const path of ["/login/github", "/login/github/callback?code=1&state=2"]) {
      expect((await without.inject({ url: path })).statusCode).toBe(404);
    }
    expect((await without.inject({ url: "/login" })).body).not.toContain("Sign in with");
    await without.close();
  });
});

describe("codes that are no good", () => {
  /** Comes back from a sign-in that was begun here, with a code of one's own making. */
  async function bogus(remoteAddress: string): Promise<number> {
    const begun = await app.inject({ url: "/login/github", remoteAddress });
    const cookie = begun.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const state = new URL(String(begun.headers.location)).searchParams.get("state") ?? "";
    const url = back({ code: "made-up", state });
    return (await app.inject({ url, remoteAddress, headers: { cookie } })).statusCode;
  }
  const office = "203.0.113.7";

  test("cost ten requests a minute of one address, and hold nobody else up", async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 13; count += 1) statuses.push(await bogus(office));
    expect([provider.exchanges, statuses.slice(-4)]).toEqual([10, [403, 429, 429, 429]]);
    expect((await new Jar().signIn()).statusCode).toBe(303);
    await clock.advance(60_000);
    expect(await bogus(office)).toBe(403);
  });

  test("cost a hundred a minute in all; then a token still lets in", async () => {
    for (let count = 0; count < 110; count += 1) await bogus(`2001:db8:0:${count.toString(16)}::1`);
    expect(provider.exchanges).toBe(100);
    const refused = await new Jar().signIn();
    expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([429, "60"]);
    expect(refused.body).toContain("Wait a minute and begin again on /login; a token lets you in now.");
    expect((await app.inject({ method: "POST", url: "/login", ...form({ token: TOKEN }) })).statusCode).toBe(303);
    await clock.advance(60_000);
    expect((await new Jar().signIn()).statusCode).toBe(303);
  });

  test("are what is counted, not people who sign in", async () => {
    for (let count = 0; count < 15; count += 1) expect((await new Jar().signIn()).statusCode).toBe(303);
    expect(await bogus("127.0.0.1")).toBe(403);
  });

  test("of one network of IPv6 are those of one caller, and questions on their way count", async () => {
    const all = Array.from({ length: 15 }, (_, index) => bogus(`2001:db8:0:1::${index}`));
    expect((await Promise.all(all)).toSorted((a, b) => a - b)).toEqual([
      ...Array<number>(10).fill(403),
      ...Array<number>(5).fill(429),
    ]);
    expect(provider.exchanges).toBe(10);
  });
});

describe("sessions", () => {
  test("each sign-in has a new id, and the one before is worth nothing", async () => {
    const jar = new Jar();
    await jar.signIn(eve);
    const old = jar.cookies.get("millrace") ?? "";
    await jar.signIn(ann);
    const stolen = new Jar();
    stolen.cookies.set("millrace", old);
    expect([await jar.who(), await stolen.who()]).toEqual(["github:ann", "nobody"]);
  });

  test("a stolen one acts no longer than its owner may: a role is gone within a minute, the session with signing out", async () => {
    const dan = { id: 8, login: "dan" };
    provider.teams.add("acme/ops dan");
    const owner = new Jar();
    await owner.signIn(dan);
    const csrf = /name="_csrf" value="([^"]+)"/.exec((await owner.get("/login")).body)?.[1] ?? "";
    const cookie = `millrace=${owner.cookies.get("millrace") ?? ""}`;
    const thief = { cookie, "x-csrf-token": csrf };
    const payload = { threshold: "average" };
    const act = async (): Promise<number> =>
      (await app.inject({ method: "PUT", url: "/api/v1/confirm", headers: thief, payload })).statusCode;
    expect(await act()).toBe(200);
    provider.teams.clear();
    await clock.advance(60_000);
    expect(await act()).toBe(403);
    provider.teams.add("acme/ops dan");
    await clock.advance(60_000);
    expect(await act()).toBe(200);
    await app.inject({ method: "POST", url: "/logout", ...form({ _csrf: csrf }, { cookie }) });
    expect(await act()).toBe(401);
  });

  test("visits of strangers leave nothing behind", async () => {
    for (let count = 0; count < 20; count += 1) {
      await app.inject({ url: "/" });
      await app.inject({ url: "/login/github", headers: { cookie: `millrace=planted-${count}` } });
      await app.inject({ url: "/login/github/callback?code=1&state=2" });
    }
    expect(access.sessions.list()).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("GET /login/github/callback")]); // one an hour
  });

  test("signing out everywhere ends all of one's own and no others", async () => {
    const jars = [new Jar(), new Jar(), new Jar()];
    for (const [index, jar] of jars.entries()) await jar.signIn(index < 2 ? ann : eve);
    const [mine, phone, others] = jars;
    if (mine === undefined || phone === undefined || others === undefined) throw new Error("no jar");
    const csrf = /name="_csrf" value="([^"]+)"/.exec((await mine.get("/login")).body)?.[1] ?? "";
    const cookie = `millrace=${mine.cookies.get("millrace") ?? ""}`;
    const forged = await app.inject({ method: "POST", url: "/logout/everywhere", ...form({}, { cookie }) });
    expect([forged.statusCode, await phone.who()]).toEqual([403, "github:ann"]);
    await app.inject({ method: "POST", url: "/logout/everywhere", ...form({ _csrf: csrf }, { cookie }) });
    expect([await mine.who(), await phone.who(), await others.who()]).toEqual(["nobody", "nobody", "github:eve"]);
  });

  test("an administrator ends those of somebody else, and both are written down", async () => {
    const jar = new Jar();
    await jar.signIn(eve);
    const ended = await app.inject({
      method: "POST",
      url: "/api/v1/sessions/end",
      headers: { authorization: `Bearer ${TOKEN}` },
      payload: { who: "github:eve" },
    });
    expect([ended.statusCode, ended.json(), await jar.who()]).toEqual([200, { ended: 1 }, "nobody"]);
    expect(notes).toEqual([
      "github:eve#66 | sign-in | github:eve#66 | ",
      "token | sign-out | github:eve | all sessions ended: 1",
    ]);
  });

  test("a token for programs opens a session with its own role, as long as it lives", async () => {
    const made = await access.tokens.create({ name: "ci", role: "builder", createdBy: "token" });
    const token = made.ok ? made.value.token : "";
    const reply = await app.inject({ method: "POST", url: "/login", ...form({ token }) });
    const jar = new Jar();
    jar.cookies.set("millrace", reply.cookies[0]?.value ?? "");
    expect(await jar.who()).toBe("token:ci");
    expect((await jar.get("/audit")).statusCode).toBe(200);
    expect((await jar.get("/api/v1/tokens")).statusCode).toBe(403);
    await access.tokens.revoke("ci");
    expect([await jar.who(), (await jar.get(`/job/${RUNNING}`)).body.includes("/cancel")]).toEqual(["nobody", false]);
  });
});
