import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { FakeGitHub, TestClock } from "../../src/testing/index.ts";

let fake: FakeGitHub;
beforeEach(async () => {
  fake = await FakeGitHub.start();
});
afterEach(() => fake.close());

const read = (path: string): Promise<Response> =>
  fetch(`${fake.apiUrl}${path}`, { headers: { "user-agent": "test" }, redirect: "manual" });

describe("git over HTTP", () => {
  const dir = mkdtempSync(join(tmpdir(), "millrace-test-"));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const git = async (...args: readonly string[]): Promise<string> => {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" };
    const { stdout } = await promisify(execFile)("git", [...args], { env });
    return stdout.trim();
  };
  const as = (token: string): readonly string[] => {
    const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
    return ["-c", `http.extraHeader=Authorization: Basic ${basic}`];
  };

  test("a public repository is fetched by anybody: branches, pull requests, folders; what is pushed later too", async () => {
    fake.repo("acme/web", { files: { Dockerfile: "FROM x\n", "src/a/b.txt": "b\n", "src-a": "c\n" } });
    const number = fake.openPull("acme/web", {
      by: "mallory",
      from: fake.fork("acme/web", "mallory"),
      files: { x: "1" },
    });
    const url = `${fake.url}/acme/web.git`;
    await git("clone", "--quiet", url, dir);
    expect(await git("-C", dir, "ls-tree", "-r", "--name-only", "HEAD")).toBe("Dockerfile\nsrc-a\nsrc/a/b.txt");
    await git("-C", dir, "fetch", "--quiet", "origin", `refs/pull/${number}/head`);
    expect(await git("-C", dir, "rev-parse", "FETCH_HEAD")).toBe(fake.pull("acme/web", number).commit);
    const commit = fake.push("acme/web", "main", { Dockerfile: "FROM y\n" });
    await git("-C", dir, "fetch", "--quiet", "--depth=1", "origin", commit);
    expect(await git("-C", dir, "show", `${commit}:Dockerfile`)).toBe("FROM y");
    expect(await git("-C", dir, "fsck", "--strict", "--no-dangling")).toBe("");
  });

  test("a private one only with a token; one that ended is refused", async () => {
    fake.repo("acme/web", { private: true });
    fake.role("acme/web", "alice", "read");
    const url = `${fake.url}/acme/web.git`;
    await expect(git("ls-remote", url)).rejects.toThrow(/terminal prompts disabled/);
    expect(await git(...as(fake.userToken("alice")), "ls-remote", url)).toContain("refs/heads/main");
    await expect(git(...as(fake.userToken("mallory")), "ls-remote", url)).rejects.toThrow(/not found/);
    await expect(git(...as("ghs_wrong"), "ls-remote", url)).rejects.toThrow(/terminal prompts disabled/);
  });
});

describe("webhooks", () => {
  interface Got {
    readonly event: string;
    readonly id: string;
    readonly text: string;
    readonly signature: string;
  }
  let got: Got[];
  let server: Server;
  beforeEach(async () => {
    got = [];
    server = createServer((message, response) => {
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => {
        const { "x-github-event": event, "x-github-delivery": id, "x-hub-signature-256": signature } = message.headers;
        const text = Buffer.concat(chunks).toString("utf8");
        got.push({ event: String(event), id: String(id), text, signature: String(signature) });
        response.writeHead(202).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    fake.repo("acme/web");
    fake.install("acme");
    fake.webhooks.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/webhooks/github`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const events = (): readonly string[] => got.map(({ event }) => event);

  test("follow from what happens, and are signed over their bytes", async () => {
    const commit = fake.push("acme/web", "main", { a: "1" });
    await fake.webhooks.idle();
    expect(events()).toEqual(["push"]);
    const [{ text, signature } = { text: "", signature: "" }] = got;
    const hash = createHmac("sha256", fake.app.webhookSecret).update(text).digest("hex");
    expect(signature).toBe(`sha256=${hash}`);
    expect(JSON.parse(text)).toMatchObject({ ref: "refs/heads/main", after: commit, forced: false, created: false });
    expect(fake.webhooks.deliveries.at(-1)?.answers).toEqual([202]);
  });

  test("tell of all that people do", async () => {
    fake.webhooks.mode = "hold";
    const number = fake.openPull("acme/web", { by: "alice", files: { a: "1" } });
    fake.pushPull("acme/web", number, { a: "2" });
    fake.editComment("acme/web", fake.comment("acme/web", number, "bob", "/approve"), "/approve it");
    fake.closePull("acme/web", number, "merged");
    fake.deleteBranch("acme/web", `change-${number}`);
    fake.rename("acme/web", "acme/site");
    fake.uninstall("acme");
    await fake.webhooks.release();
    const said = got.map(({ event, text }) => `${event} ${/"action":"([^"]+)"/.exec(text)?.[1] ?? ""}`.trim());
    expect(said.join(", ")).toBe(
      "create, push, pull_request opened, push, pull_request synchronize, issue_comment created, " +
        "issue_comment edited, push, pull_request closed, delete, push, repository renamed, installation deleted",
    );
    expect(fake.violations).toEqual([]);
  });

  test("come to an app that may see what they tell of, that has ticked them, and that is not suspended", async () => {
    fake.repo("bare/web");
    fake.install("bare", { permissions: { metadata: "read", contents: "read" } });
    const number = fake.openPull("bare/web", { by: "alice", branch: "main" });
    fake.comment("bare/web", number, "bob", "/approve"); // neither issues nor pull requests
    fake.webhooks.events.delete("push");
    fake.push("acme/web", "main", { a: "1" });
    fake.comment("acme/web", fake.openPull("acme/web", { by: "alice", branch: "main" }), "bob", "hello");
    fake.suspend("acme");
    fake.comment("acme/web", 1, "bob", "hello?");
    fake.unsuspend("acme");
    await fake.webhooks.idle();
    const told = fake.webhooks.deliveries.map(({ event, body }) => `${event} ${/"action":"(\w+)"/.exec(body)?.[1]}`);
    expect(told).toEqual([
      "installation created",
      "installation created",
      "pull_request opened",
      "issue_comment created",
      "installation suspend",
      "installation unsuspend",
    ]);
    expect(fake.violations).toEqual([]);
  });

  test("get lost, come late, come twice, come in another order, and are sent again by hand", async () => {
    fake.webhooks.mode = "drop";
    fake.push("acme/web", "main", { a: "1" });
    fake.webhooks.mode = "hold";
    const [second, third] = [fake.push("acme/web", "main", { a: "2" }), fake.push("acme/web", "main", { a: "3" })];
    expect(got).toEqual([]);
    fake.webhooks.times = 2;
    await fake.webhooks.release("reversed");
    expect(got.map(({ text }) => /"after":"(\w+)"/.exec(text)?.[1])).toEqual([third, third, second, second]);
    expect(new Set(got.map(({ id }) => id)).size).toBe(2);
    const lost = fake.webhooks.deliveries.find(({ answers }) => answers.length === 0);
    expect(await fake.webhooks.redeliver(lost?.id ?? "")).toBe(202);
  });

  test("can be anything a test wants", async () => {
    const status = await fake.webhooks.deliver("push", "{}", {
      secret: "wrong",
      id: "one",
      headers: { "x-other": "1" },
    });
    expect(status).toBe(202);
    expect(got).toMatchObject([{ event: "push", id: "one", text: "{}" }]);
    expect(got[0]?.signature).not.toBe(
      `sha256=${createHmac("sha256", fake.app.webhookSecret).update("{}").digest("hex")}`,
    );
  });
});

describe("mishaps", () => {
  beforeEach(() => void fake.repo("acme/web"));

  test("of status, body and connection happen as often as planned, and only to what is meant", async () => {
    fake.mishap({ mishap: { does: "status", status: 502 }, on: "GET /repos/{owner}/{repo}/pulls", times: 2 });
    const statuses = [];
    for (const path of ["/repos/acme/web", ...Array.from({ length: 3 }, () => "/repos/acme/web/pulls")])
      statuses.push((await read(path)).status);
    expect(statuses).toEqual([200, 502, 502, 200]);
    fake.mishap({ mishap: { does: "truncate" } });
    await expect((await read("/repos/acme/web")).json()).rejects.toThrow(SyntaxError);
    fake.mishap({ mishap: { does: "error body" } });
    expect(await (await read("/repos/acme/web")).json()).toEqual({ message: "Server Error" });
    for (const does of ["cut", "lose answer"] as const) {
      fake.mishap({ mishap: { does } });
      await expect(read("/repos/acme/web")).rejects.toThrow("fetch failed");
    }
  });

  test("of limits, tokens, redirects and links", async () => {
    fake.mishap({ mishap: { does: "secondary limit", retryAfterSeconds: 7 } });
    expect((await read("/repos/acme/web")).headers.get("retry-after")).toBe("7");
    fake.mishap({ mishap: { does: "expired token" } });
    expect((await read("/repos/acme/web")).status).toBe(401);
    fake.mishap({ mishap: { does: "redirect", to: "http://evil.example/x" } });
    expect((await read("/repos/acme/web")).headers.get("location")).toBe("http://evil.example/x");
    fake.fill("acme/web", { pulls: 40 });
    fake.mishap({ mishap: { does: "foreign link", to: "http://evil.example" } });
    expect((await read("/repos/acme/web/pulls")).headers.get("link")).toContain("<http://evil.example/repos/acme");
    fake.mishap({ mishap: { does: "rate limit", resetMs: Date.now() + 60_000 } });
    const limited = await read("/repos/acme/web");
    expect([limited.status, limited.headers.get("x-ratelimit-remaining")]).toEqual([403, "0"]);
    expect((await read("/repos/acme/web")).status).toBe(403);
  });

  test("old heads come after new ones", async () => {
    const [first, second] = [fake.push("acme/web", "live", { a: "1" }), fake.push("acme/web", "live", { a: "2" })];
    const head = async (): Promise<string> =>
      /"sha":"(\w+)"/.exec(await (await read("/repos/acme/web/git/ref/heads/live")).text())?.[1] ?? "";
    expect(await head()).toBe(second);
    fake.mishap({ mishap: { does: "old heads" } });
    expect([await head(), await head()]).toEqual([first, second]);
  });

  test("heads are those of a copy that lags behind by so long, for as long as it does", async () => {
    let ranMs = 0;
    await fake.close();
    fake = await FakeGitHub.start({ clock: { ...createClock(), now: () => ranMs } });
    fake.repo("acme/web");
    const head = async (): Promise<string> =>
      /"sha":"(\w+)"/.exec(await (await read("/repos/acme/web/git/ref/heads/live")).text())?.[1] ?? "none";
    const commits = ["1", "2", "3"].map((text) => {
      ranMs += 10_000;
      return fake.push("acme/web", "live", { a: text });
    });
    fake.mishap({ mishap: { does: "old heads", byMs: 15_000 }, times: 9 });
    const seen: string[] = [];
    for (; ranMs < 60_000; ranMs += 5_000) seen.push(await head());
    expect(new Set(seen)).toEqual(new Set(commits));
    expect(seen.slice(0, 4)).toEqual([commits[0], commits[1], commits[1], commits[2]]);
  });

  test("a push between two pages", async () => {
    fake.fill("acme/web", { branches: 40 });
    let asked = 0;
    fake.before = () => {
      asked += 1;
      if (asked === 2) fake.deleteBranch("acme/web", "branch-1");
    };
    const names = [...(await (await read("/repos/acme/web/branches")).text()).matchAll(/"name":"([^"]+)"/g)];
    const more = [...(await (await read("/repos/acme/web/branches?page=2")).text()).matchAll(/"name":"([^"]+)"/g)];
    expect(names.length + more.length).toBe(40); // 41 before, 40 after: one is in neither page
    expect(fake.violations).toEqual([]);
  });
});

describe("signing in", () => {
  const authorize = (more: Readonly<Record<string, string>>): Promise<Response> => {
    const query = new URLSearchParams({ client_id: fake.app.clientId, redirect_uri: "http://m.example/back", ...more });
    return fetch(`${fake.url}/login/oauth/authorize?${query.toString()}`, { redirect: "manual" });
  };
  const exchange = async (fields: Readonly<Record<string, string>>): Promise<string> => {
    const { clientId: client_id, clientSecret: client_secret } = fake.app;
    const body = new URLSearchParams({ client_id, client_secret, ...fields });
    const answer = await fetch(`${fake.url}/login/oauth/access_token`, {
      method: "POST",
      headers: { accept: "application/json" },
      body,
    });
    return answer.text();
  };
  const codeOf = (answer: Response): string =>
    new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";

  test("gives a code that is good once, for who knows the verifier", async () => {
    fake.oauth.person = fake.user("alice");
    const verifier = "v".repeat(43);
    const challenge = { code_challenge: "NONE", code_challenge_method: "S256" };
    const wrong = codeOf(await authorize({ state: "s", ...challenge }));
    expect(await exchange({ code: wrong, code_verifier: verifier })).toContain("bad_verification_code");
    const { createHash } = await import("node:crypto");
    challenge.code_challenge = createHash("sha256").update(verifier).digest("base64url");
    const back = await authorize({ state: "s", ...challenge });
    expect(back.headers.get("location")).toMatch(/^http:\/\/m\.example\/back\?state=s&code=\w+$/);
    const answer = await exchange({ code: codeOf(back), code_verifier: verifier });
    const token = /"access_token":"(\w+)"/.exec(answer)?.[1] ?? "";
    expect(await exchange({ code: codeOf(back), code_verifier: verifier })).toContain("bad_verification_code");
    fake.team("acme/devs", ["alice"]);
    const ask = (path: string): Promise<string> =>
      fetch(`${fake.apiUrl}${path}`, { headers: { authorization: `Bearer ${token}`, "user-agent": "test" } }).then(
        (one) => one.text(),
      );
    expect(await ask("/user")).toContain('"login":"alice"');
    expect(await ask("/user/orgs")).toContain('"login":"acme"');
    expect(await ask("/user/teams")).toContain('"slug":"devs"');
    fake.invite("acme/devs", "bob");
    expect(await ask("/orgs/acme/teams/devs/memberships/alice")).toContain('"state":"active"');
    expect(await ask("/orgs/acme/teams/devs/memberships/bob")).toContain('"state":"pending"');
    expect(await ask("/orgs/acme/teams/devs/memberships/acme")).toContain('"Not Found"');
    expect(fake.violations).toEqual([]);
  });

  test("can be refused, and wants a state", async () => {
    const back = await authorize({ state: "s" });
    expect(back.headers.get("location")).toContain("state=s&error=access_denied");
    await authorize({});
    expect(fake.violations).toEqual(["GET /login/oauth/authorize: a sign-in without state"]);
  });
});

test("time is the test's own: tokens end after an hour of it", async () => {
  const clock = new TestClock();
  const own = await FakeGitHub.start({ clock });
  own.repo("acme/web");
  own.mishap({ mishap: { does: "delay", delayMs: 60_000 } });
  const answer = fetch(`${own.apiUrl}/repos/acme/web`, { headers: { "user-agent": "test" } });
  await expect.poll(() => own.requests.length).toBe(1);
  await clock.advance(60_000);
  expect((await answer).status).toBe(200);
  await own.close();
});
