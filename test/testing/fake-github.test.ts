import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeGitHub } from "../../src/testing/index.ts";

let fake: FakeGitHub;
beforeEach(async () => {
  fake = await FakeGitHub.start();
});
afterEach(() => fake.close());

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function jwt(claims: { readonly iss?: number; readonly iat?: number; readonly exp?: number } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const body = `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url({ iss: fake.app.appId, iat: now - 30, exp: now + 540, ...claims })}`;
  return `${body}.${createSign("RSA-SHA256").update(body).sign(fake.app.privateKey, "base64url")}`;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: unknown;
}

async function ask(method: string, path: string, token?: string, body?: unknown, headers = {}): Promise<Answer> {
  const auth = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${fake.apiUrl}${path}`, {
    method,
    headers: { "user-agent": "test", ...auth, ...headers },
    redirect: "manual",
    ...json,
  });
  const text = await answer.text();
  const parsed: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: answer.status, headers: answer.headers, json: parsed };
}

/** A field of an answer's JSON, as text. */
function field({ json }: Answer, name: string): string {
  if (typeof json !== "object" || json === null || !(name in json)) throw new Error(`no ${name}: ${String(json)}`);
  return String(Reflect.get(json, name));
}

async function tokenFor(login: string, body?: unknown): Promise<string> {
  const found = await ask("GET", `/orgs/${login}/installation`, jwt());
  const given = await ask("POST", `/app/installations/${field(found, "id")}/access_tokens`, jwt(), body);
  expect(given.status).toBe(201);
  return field(given, "token");
}

/** The rows of a table of doc/github.md, below its header. */
function rowsOf(header: string): readonly (readonly string[])[] {
  const [, rest = ""] = readFileSync("doc/github.md", "utf8").split(header);
  const [, , ...lines] = rest.split("\n");
  return lines.slice(0, lines.indexOf("")).map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

describe("the app that a newcomer makes", () => {
  test("has what doc/github.md tells them to give it, and no more", async () => {
    const levels = new Map([
      ["read", "read"],
      ["read and write", "write"],
    ]);
    const named = (text = ""): string => text.toLowerCase().replaceAll(" ", "_");
    const documented = rowsOf("| permission | access | why |").map(([name, level = ""]) => [
      named(name),
      levels.get(level),
    ]);
    expect(documented.length).toBeGreaterThan(4);
    const { permissions } = fake.install("acme");
    expect(permissions).toEqual({ ...Object.fromEntries(documented), members: "read" });
    const events = rowsOf("| event | what it is for |").flatMap(([names = ""]) => names.split(", ").map(named));
    expect([...fake.webhooks.events].toSorted()).toEqual(events.toSorted());
    const shown = await ask("GET", "/app", jwt());
    expect(shown.json).toMatchObject({ permissions, events: [...fake.webhooks.events] });
    expect(fake.violations).toEqual([]);
  });
});

describe("an app", () => {
  beforeEach(() => {
    fake.repo("acme/web", { private: true });
    fake.repo("acme/api", { private: true });
    fake.install("acme");
  });

  test("gets tokens that do what they were asked for, and no more", async () => {
    const token = await tokenFor("acme", { repositories: ["web"], permissions: { contents: "read" } });
    expect((await ask("GET", "/repos/acme/web/branches", token)).json).toMatchObject([{ name: "main" }]);
    expect((await ask("GET", "/repos/acme/api/branches", token)).status).toBe(404);
    const head_sha = fake.repository("acme/web").heads.branches.get("main");
    const refused = await ask("POST", "/repos/acme/web/check-runs", token, { name: "deployability", head_sha });
    expect(refused).toMatchObject({ status: 403, json: { message: "Resource not accessible by integration" } });
    expect(fake.requests.at(-1)).toMatchObject({ who: "installation", permissions: { contents: "read" } });
    expect(fake.violations).toEqual([]);
  });

  test("is told when it asks for more than it was given", async () => {
    const id = field(await ask("GET", "/repos/acme/web/installation", jwt()), "id");
    const more = { permissions: { administration: "write" } };
    expect((await ask("POST", `/app/installations/${id}/access_tokens`, jwt(), more)).status).toBe(422);
    const other = { repositories: ["nosuch"] };
    expect((await ask("POST", `/app/installations/${id}/access_tokens`, jwt(), other)).status).toBe(422);
  });

  test.each([
    ["of another app", () => jwt({ iss: 5 }), 404],
    ["expired", () => jwt({ exp: 1_000_000_000 }), 401],
    ["for too long", () => jwt({ exp: Math.floor(Date.now() / 1000) + 3_600 }), 401],
    ["signed by nobody", () => `${jwt().slice(0, -8)}AAAAAAAA`, 401],
  ])("is not believed with a web token %s", async (_, token, status) => {
    expect((await ask("GET", "/app", token())).status).toBe(status);
  });

  test("runs checks: queued, in progress, completed; the newest of a name is shown", async () => {
    const token = await tokenFor("acme");
    const head_sha = fake.push("acme/web", "live", { Dockerfile: "FROM x\n" });
    const run = { name: "deployability", head_sha, external_id: "job/1", details_url: "https://m.example/job/1" };
    const made = await ask("POST", "/repos/acme/web/check-runs", token, run);
    expect(made).toMatchObject({ status: 201, json: { status: "queued", conclusion: null, external_id: "job/1" } });
    const path = `/repos/acme/web/check-runs/${field(made, "id")}`;
    const output = { title: "Deployable", summary: "| a | b |" };
    const actions = [{ label: "Rebuild", description: "Once more", identifier: "rebuild" }];
    await ask("PATCH", path, token, { status: "in_progress" });
    const done = await ask("PATCH", path, token, { conclusion: "success", output, actions });
    expect(done.json).toMatchObject({ status: "completed", conclusion: "success", output });
    await ask("POST", "/repos/acme/web/check-runs", token, { ...run, status: "in_progress" });
    const shown = await ask("GET", `/repos/acme/web/commits/${head_sha}/check-runs`, token);
    expect(shown.json).toMatchObject({ total_count: 1, check_runs: [{ status: "in_progress" }] });
    expect(fake.repository("acme/web").checkRuns[0]?.states).toEqual(["queued", "in_progress", "completed/success"]);
    expect(fake.violations).toEqual([]);
  });

  test("is told that a check is wanted again: the suite is queued then, the run stays until the app writes it", async () => {
    const token = await tokenFor("acme");
    const head_sha = fake.push("acme/web", "live", { Dockerfile: "FROM x\n" });
    const made = await ask("POST", "/repos/acme/web/check-runs", token, { name: "x", head_sha, conclusion: "failure" });
    const [suite] = fake.repository("acme/web").suites;
    const now = async (): Promise<unknown> => [
      (await ask("GET", `/repos/acme/web/check-suites/${suite?.id}`, token)).json,
      (await ask("GET", `/repos/acme/web/check-runs/${field(made, "id")}`, token)).json,
    ];
    const failed = { status: "completed", conclusion: "failure" };
    expect(await now()).toMatchObject([failed, failed]);
    for (const press of [
      () => fake.pressCheckRun("acme/web", Number(field(made, "id")), "alice"),
      () => fake.pressCheckSuite("acme/web", head_sha, "alice"),
    ]) {
      press();
      expect(await now()).toMatchObject([{ status: "queued", conclusion: null }, failed]);
      await ask("PATCH", `/repos/acme/web/check-runs/${field(made, "id")}`, token, { conclusion: "failure" });
      expect(await now()).toMatchObject([failed, failed]);
    }
    expect(fake.violations).toEqual([]);
  });

  test("makes deployments and their statuses; the one before becomes inactive", async () => {
    const token = await tokenFor("acme");
    const deploy = { ref: "main", environment: "live", auto_merge: false, required_contexts: [] };
    const [first, second] = [
      await ask("POST", "/repos/acme/web/deployments", token, deploy),
      await ask("POST", "/repos/acme/web/deployments", token, deploy),
    ];
    const status = { state: "success", environment_url: "https://web.example", log_url: "https://m.example/job/1" };
    await ask("POST", `/repos/acme/web/deployments/${field(first, "id")}/statuses`, token, status);
    await ask("POST", `/repos/acme/web/deployments/${field(second, "id")}/statuses`, token, status);
    const states = await ask("GET", `/repos/acme/web/deployments/${field(first, "id")}/statuses`, token);
    expect(states.json).toMatchObject([{ state: "inactive" }, { state: "success" }]);
    expect((await ask("POST", "/repos/acme/web/deployments", token, { ...deploy, ref: "nosuch" })).status).toBe(422);
    expect(fake.violations).toEqual([]);
  });
});

describe("strictness", () => {
  beforeEach(() => void fake.repo("acme/web"));

  test.each([
    ["GET", "/repos/acme/web/nosuch", undefined, "an unknown route"],
    ["GET", "/repos/acme/web/pulls?state=opened", undefined, "state:"],
    ["GET", "/repos/acme/web/pulls?staet=open", undefined, "the unknown parameter staet"],
  ])("%s %s is a violation", async (method, path, body, said) => {
    await ask(method, path, undefined, body);
    expect(fake.violations).toHaveLength(1);
    expect(fake.violations[0]).toContain(said);
  });

  test("bodies are held to the schema: unknown fields, wrong values, texts that are too long", async () => {
    fake.install("acme");
    const token = await tokenFor("acme");
    const head_sha = fake.repository("acme/web").heads.branches.get("main");
    const right = { name: "deployability", head_sha };
    const post = (body: unknown): Promise<Answer> => ask("POST", "/repos/acme/web/check-runs", token, body);
    expect((await post({ ...right, sumary: "x" })).status).toBe(201);
    expect((await post({ ...right, status: "runing" })).status).toBe(422);
    expect((await post({ ...right, output: { title: "t", summary: "x".repeat(65_536) } })).status).toBe(422);
    expect((await post({ ...right, head_sha: "0".repeat(40) })).status).toBe(422);
    const said = fake.violations.join("\n");
    expect(said).toContain("the unknown field /sumary");
    expect(said).toMatch(/\/status .*\n(.*\n)?.*\/output\/summary /);
  });
});

describe("reading", () => {
  test("pages with links, conditional requests that cost nothing, limits by the hour", async () => {
    fake.repo("acme/web");
    fake.install("acme");
    fake.fill("acme/web", { branches: 150, pulls: 120 });
    const token = await tokenFor("acme");
    const first = await ask("GET", "/repos/acme/web/pulls?per_page=100", token);
    expect(first.json).toHaveLength(100);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(next).toBe(`${fake.apiUrl}/repos/acme/web/pulls?per_page=100&page=2`);
    const second = await ask("GET", next.slice(fake.apiUrl.length), token);
    expect(second.json).toHaveLength(20);
    const left = Number(second.headers.get("x-ratelimit-remaining"));
    const etag = second.headers.get("etag");
    const again = await ask("GET", next.slice(fake.apiUrl.length), token, undefined, { "if-none-match": etag });
    expect([again.status, Number(again.headers.get("x-ratelimit-remaining"))]).toEqual([304, left]);
    const refs = await ask("GET", "/repos/acme/web/git/matching-refs/heads/", token);
    expect(refs.json).toHaveLength(151);
    fake.rateLimits.nobody = 1;
    const statuses = [await ask("GET", "/repos/acme/web"), await ask("GET", "/repos/acme/web")].map(
      (one) => one.status,
    );
    expect(statuses).toEqual([200, 403]);
    expect(fake.violations).toEqual([]);
  });

  test("a renamed repository is found by its old name until somebody takes that name", async () => {
    const { id } = fake.repo("acme/web");
    fake.rename("acme/web", "acme/site");
    const moved = await ask("GET", "/repos/acme/web/branches?per_page=5");
    expect([moved.status, moved.headers.get("location")]).toEqual([
      301,
      `${fake.apiUrl}/repositories/${id}/branches?per_page=5`,
    ]);
    expect((await ask("GET", `/repositories/${id}/branches`)).json).toHaveLength(1);
    fake.repo("acme/web", { files: null });
    expect(field(await ask("GET", "/repos/acme/web"), "id")).not.toBe(String(id));
  });

  test("pull requests: from the repository, from a fork, from a fork that is gone", async () => {
    fake.repo("acme/web");
    const own = fake.openPull("acme/web", { by: "alice", files: { a: "1" } });
    const from = fake.fork("acme/web", "mallory");
    const forked = fake.openPull("acme/web", { by: "mallory", from, files: { b: "1" } });
    const commit = fake.pushPull("acme/web", forked, { b: "2" });
    const read = await ask("GET", "/repos/acme/web/pulls");
    expect(read.json).toMatchObject([
      { number: forked, head: { sha: commit, repo: { full_name: "mallory/web", fork: true } } },
      { number: own, head: { repo: { full_name: "acme/web" } }, user: { login: "alice" } },
    ]);
    fake.deleteRepo("mallory/web");
    expect((await ask("GET", `/repos/acme/web/pulls/${forked}`)).json).toMatchObject({
      head: { repo: null, sha: commit },
    });
    expect(fake.violations).toEqual([]);
  });

  test("what somebody may do, by name; who somebody is, by number", async () => {
    fake.repo("acme/web", { private: true });
    fake.install("acme");
    fake.role("acme/web", "alice", "maintain");
    const mallory = fake.user("mallory");
    const token = await tokenFor("acme");
    const permission = async (login: string): Promise<string> =>
      field(await ask("GET", `/repos/acme/web/collaborators/${login}/permission`, token), "permission");
    expect([await permission("alice"), await permission("mallory")]).toEqual(["write", "none"]);
    expect((await ask("GET", `/user/${mallory.id}`, token)).json).toMatchObject({ login: "mallory" });
    expect(fake.violations).toEqual([]);
  });
});
