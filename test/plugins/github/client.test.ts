// The client against a strict GitHub on this machine: what it sees, what it is allowed to, and what it does when things
// go wrong there.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Clock, createClock } from "../../../src/engine/clock.ts";
import { problem } from "../../../src/engine/errors.ts";
import type { Refs } from "../../../src/engine/refs.ts";
import { Secret } from "../../../src/engine/secret.ts";
import type { GitHub } from "../../../src/plugins/github/index.ts";
import { createGitHub } from "../../../src/plugins/github/index.ts";
import { failure, type Result, success } from "../../../src/term/output.ts";
import { FakeGitHub } from "../../../src/testing/index.ts";
import { clientOf, closeStrictly, startFake } from "../../support/github.ts";

const signal = new AbortController().signal;
let fake: FakeGitHub;
let github: GitHub;

beforeEach(async () => {
  fake = await startFake("acme/shop");
  github = client();
});

afterEach(() => closeStrictly(fake));

const client = (more: { readonly allowlist?: readonly string[]; readonly clock?: Clock } = {}): GitHub => {
  return clientOf(fake, more);
};

const refs = (repo: `${string}/${string}` = "acme/shop", id?: number): Promise<Result<Refs>> =>
  github.refs(repo, id === undefined ? {} : { id }, signal);

/** The value, or the failure's code. */
async function got<T>(asked: Promise<Result<T>>): Promise<T | string> {
  const answer = await asked;
  return answer.ok ? answer.value : answer.error.code;
}

async function seen(asked: Promise<Result<Refs>> = refs()): Promise<Refs> {
  const answer = await asked;
  if (!answer.ok) throw new Error(`${answer.error.code} ${answer.error.message}`);
  return answer.value;
}

describe("the branches and pull requests of a repository", () => {
  it("are all seen, with their repository's number, name and default branch", async () => {
    const live = fake.push("acme/shop", "live", { "a.txt": "1" });
    const number = fake.openPull("acme/shop", { by: "ann", files: { "b.txt": "1" }, branch: "idea" });
    const { id, name, defaultBranch, branches, pulls } = await seen();
    expect({ id, name, defaultBranch }).toEqual({
      id: fake.repository("acme/shop").id,
      name: "acme/shop",
      defaultBranch: "main",
    });
    expect([...branches.keys()].toSorted()).toEqual(["idea", "live", "main"]);
    expect(branches.get("live")).toEqual({ commit: live });
    const { commit } = fake.pull("acme/shop", number);
    const author = { id: fake.user("ann").id, login: "ann" };
    expect([...pulls.values()]).toEqual([{ number, commit, base: "main", branch: "idea", author }]);
  });

  it("tell forks, and forks that vanished", async () => {
    const fork = fake.fork("acme/shop", "bob");
    const gone = fake.fork("acme/shop", "eve");
    const forkId = fake.repository(fork).id;
    fake.openPull("acme/shop", { by: "bob", from: fork, files: { "b.txt": "1" }, branch: "idea" });
    fake.openPull("acme/shop", { by: "eve", from: gone, files: { "c.txt": "1" }, branch: "idea" });
    fake.deleteRepo(gone);
    const { pulls } = await seen();
    expect([...pulls.values()].map((pull) => pull.fork)).toEqual([{ id: forkId, name: "bob/shop" }, "gone"]);
  });

  it("are the same whatever is written in a pull request", async () => {
    fake.openPull("acme/shop", { by: "ann", files: { "b.txt": "1" }, title: "One", labels: ["x"], body: "<b>" });
    const { pulls } = await seen();
    expect(JSON.stringify([...pulls])).not.toMatch(/One|"x"|<b>/);
  });

  it("follow pushes, deletions and pushes back", async () => {
    const first = fake.push("acme/shop", "live", { "a.txt": "1" });
    expect((await seen()).branches.get("live")).toEqual({ commit: first });
    const second = fake.push("acme/shop", "live", { "a.txt": "2" });
    expect((await seen()).branches.get("live")).toEqual({ commit: second });
    fake.deleteBranch("acme/shop", "live");
    expect((await seen()).branches.has("live")).toBe(false);
  });

  it("tell how old they are when that is asked for, each commit once and all of them together", async () => {
    const live = fake.push("acme/shop", "live", { "a.txt": "1" });
    fake.push("acme/shop", "late", { "a.txt": "2" });
    const main = fake.repository("acme/shop").heads.branches.get("main") ?? "";
    const asked: (readonly string[])[] = [];
    let none = false;
    const read = async (commits: readonly string[]): Promise<Result<ReadonlyMap<string, number | undefined>>> => {
      asked.push(commits);
      if (none) return success(new Map(commits.map((commit) => [commit, undefined])));
      return success(new Map([[live, 8]])); // what is not told is asked for again
    };
    const dated = (): Promise<Refs> =>
      seen(github.refs("acme/shop", { dates: { known: new Map([[main, 7]]), read } }, signal));
    const { branches, outdated } = await dated();
    expect(["main", "live", "late"].map((name) => branches.get(name)?.committedMs)).toEqual([7, 8, undefined]);
    expect(outdated).toBeUndefined();
    const [late = ""] = [branches.get("late")?.commit];
    await dated();
    none = true;
    await dated();
    await dated(); // what says of itself that it has none is not asked for any more
    expect(asked.map((commits) => commits.toSorted())).toEqual([[live, late].toSorted(), [late], [late]]);
  });

  it("cost nothing when nothing has changed", async () => {
    await seen();
    const before = fake.requests.length;
    await seen();
    const again = fake.requests.slice(before);
    expect(again.map(({ status }) => status)).toEqual([304, 304, 304]);
  });
});

describe("many of them", () => {
  // thousands: test/pipeline/many-heads.test.ts
  it("are all seen, page by page", async () => {
    many(350, 250);
    const { branches, pulls } = await seen();
    expect(branches.size).toBe(350);
    expect(pulls.size).toBe(250);
  });

  it("are read again where something changed only", async () => {
    many(350, 0);
    await seen();
    const before = fake.requests.length;
    fake.push("acme/shop", "branch-0007", { "new.txt": "1" });
    expect((await seen()).branches.size).toBe(350);
    expect(fake.requests.slice(before).filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("are all seen, also those that slip to another page meanwhile", async () => {
    many(250, 0);
    let turned = 0;
    fake.before = ({ path, query }) => {
      if (!path.endsWith("/branches") || query.get("page") !== "2" || turned > 0) return;
      turned += 1;
      fake.deleteBranch("acme/shop", "branch-0000"); // what was first on page 2 is last on page 1 now
    };
    const { branches } = await seen();
    expect(turned).toBe(1);
    expect(branches.size).toBe(249);
    expect(branches.has("branch-0100")).toBe(true);
  });

  it("are all seen when a full last page gets a follower", async () => {
    many(100, 0);
    expect((await seen()).branches.size).toBe(100);
    fake.push("acme/shop", "zz", { "a.txt": "1" });
    expect((await seen()).branches.has("zz")).toBe(true);
  });
});

/** The machine's clock; `run` lets time pass at once, `set` puts back or forward what it shows. */
function movable() {
  const real = createClock();
  let [ranMs, wrongMs] = [0, 0];
  const clock = { ...real, now: () => real.now() + ranMs + wrongMs, elapsed: () => real.elapsed() + ranMs };
  const run = (ms: number): void => {
    ranMs += ms;
  };
  const set = (ms: number): void => {
    wrongMs += ms;
  };
  return { clock, run, set };
}

/** So many branches in all, and pull requests of them. */
function many(branches: number, pulls: number): void {
  const repository = fake.repository("acme/shop");
  const commit = repository.heads.branches.get("main") ?? "";
  const named = Array.from({ length: branches - 1 }, (_, n) => `branch-${String(n).padStart(4, "0")}`);
  const all = new Map([...named.map((name) => [name, commit] as const), ["main", commit] as const]);
  repository.heads = { ...repository.heads, branches: all };
  if (pulls === 0) return;
  const number = fake.openPull("acme/shop", { by: "ann", branch: "branch-0000" });
  const first = fake.pull("acme/shop", number);
  const copies = Array.from(
    { length: pulls },
    (_, n) => [n + 1, { ...first, id: first.id + n, number: n + 1 }] as const,
  );
  repository.heads = { ...repository.heads, pulls: new Map(copies) };
}

it.each([
  ["https://api.github.com", "https://github.com/acme/shop.git"],
  ["https://github.example/api/v3", "https://github.example/acme/shop.git"],
  ["https://api.github.example", "https://api.github.example/acme/shop.git"],
  ["https://api.acme.ghe.com", "https://acme.ghe.com/acme/shop.git"],
])("with the API at %s git fetches from %s", (api, url) => {
  const app = { id: 1, key: new Secret(fake.app.privateKey) };
  expect(createGitHub({ clock: createClock(), app, api: new URL(api) }).gitUrl("acme/shop")).toBe(url);
});

describe("what a name means", () => {
  it("is refused when the repository was renamed, and found under its new name", async () => {
    const { id } = await seen();
    fake.rename("acme/shop", "acme/store");
    expect(await got(refs("acme/shop", id))).toBe("REPO_MOVED");
    expect((await seen(refs("acme/store", id))).id).toBe(id);
  });

  it("is refused when the repository was given to somebody else", async () => {
    const { id } = await seen();
    fake.install("other");
    fake.rename("acme/shop", "other/shop");
    expect(["REPO_MOVED", "NO_INSTALLATION"]).toContain(await got(refs("acme/shop", id)));
  });

  it("is refused when somebody made another repository of that name", async () => {
    const { id } = await seen();
    fake.deleteRepo("acme/shop");
    expect(await got(refs("acme/shop", id))).toBe("NO_INSTALLATION");
    fake.repo("acme/shop");
    expect(await got(refs("acme/shop", id))).toBe("REPO_REPLACED");
    expect((await seen(refs("acme/shop"))).id).toBe(fake.repository("acme/shop").id);
  });

  it("is refused when the old name of a renamed repository is taken", async () => {
    const { id } = await seen();
    fake.rename("acme/shop", "acme/store");
    fake.repo("acme/shop");
    expect(await got(refs("acme/shop", id))).toBe("REPO_REPLACED");
  });
});

describe("the app's installations", () => {
  it("are found by account, whatever its case", async () => {
    expect((await seen(refs("ACME/shop"))).name).toBe("acme/shop");
  });

  it("are served when they are in the allow-list only", async () => {
    fake.repo("other/thing");
    fake.install("other");
    github = client({ allowlist: ["Other"] });
    expect(await got(refs("acme/shop"))).toBe("NO_INSTALLATION");
    expect((await seen(refs("other/thing"))).name).toBe("other/thing");
    expect(await got(github.installations(signal))).toMatchObject([{ account: "other" }]);
  });

  it("are looked for again when GitHub says that they changed", async () => {
    fake.repo("late/thing");
    expect(await got(refs("late/thing"))).toBe("NO_INSTALLATION");
    fake.install("late");
    expect(await got(refs("late/thing"))).toBe("NO_INSTALLATION"); // not asked for at every turn
    github.refresh();
    expect((await seen(refs("late/thing"))).name).toBe("late/thing");
  });

  it("that are suspended are looked for again within a minute, although nobody tells that they are back", async () => {
    const { clock, run } = movable();
    github = client({ clock });
    fake.suspend("acme");
    const refused = await refs();
    expect(refused).toMatchObject({ ok: false, error: { code: "NO_INSTALLATION" } });
    expect(refused.ok ? "" : refused.error.message).toContain("suspended");
    const asked = (): number => fake.requests.filter(({ path }) => path.endsWith("/app/installations")).length;
    fake.unsuspend("acme");
    expect(await got(refs())).toBe("NO_INSTALLATION"); // not asked for at every turn
    run(60_000);
    const before = asked();
    expect(await Promise.all([seen(), seen()])).toMatchObject([{ name: "acme/shop" }, { name: "acme/shop" }]);
    expect(asked() - before).toBe(1);
    fake.suspend("acme");
    expect((await refs()).ok).toBe(false);
    fake.unsuspend("acme");
    expect((await seen()).name).toBe("acme/shop");
  });

  it("that cannot be listed once more are served all the same, and asked for once a minute", async () => {
    const { clock, run } = movable();
    github = client({ clock });
    await seen();
    run(60_000);
    fake.mishap({ mishap: { does: "status", status: 502 }, on: "GET /app/installations", times: 99 });
    const asked = (): number => fake.requests.filter(({ path }) => path.endsWith("/app/installations")).length;
    expect(await got(refs("gone/thing"))).toBe("FORGE_UNREACHABLE");
    const before = asked();
    expect(await got(refs("gone/thing"))).toBe("FORGE_UNREACHABLE");
    expect((await seen()).name).toBe("acme/shop");
    github.refresh();
    expect((await seen()).name).toBe("acme/shop");
    expect(asked()).toBe(before);
    fake.heal();
    fake.repo("gone/thing");
    fake.install("gone");
    run(60_000);
    expect((await seen(refs("gone/thing"))).name).toBe("gone/thing");
  });

  it("that change while they are read are read once more", async () => {
    fake.mishap({ mishap: { does: "delay", delayMs: 100 }, on: "GET /app/installations" });
    const first = github.installations(signal);
    await vi.waitFor(() => expect(fake.requests).toHaveLength(1));
    fake.install("late");
    github.refresh();
    expect(await got(first)).toMatchObject([{ account: "acme" }]); // answered before it
    expect(await got(github.installations(signal))).toMatchObject([{ account: "acme" }, { account: "late" }]);
    expect(await got(github.installations(signal))).toHaveLength(2);
    expect(fake.requests).toHaveLength(2);
  });

  it("may leave a repository out", async () => {
    fake.repo("part/one", { private: true });
    fake.repo("part/two", { private: true });
    fake.install("part", { repositories: ["one"] });
    expect((await seen(refs("part/one"))).name).toBe("part/one");
    expect(await got(refs("part/two"))).toBe("NO_INSTALLATION");
  });

  it("say plainly when a permission is missing", async () => {
    fake.repo("bare/one");
    fake.install("bare", { permissions: { metadata: "read", contents: "read" } });
    fake.repo("none/one");
    fake.install("none", { permissions: { metadata: "read", pull_requests: "read" } });
    const { branches, outdated } = await seen(refs("bare/one")); // what is deployed waits for no pull requests
    expect([...branches.keys()]).toEqual(["main"]);
    expect(outdated).toMatchObject({ code: "FORGE_REFUSED", class: "failed" });
    expect(outdated?.message).toContain("permissions requested are not granted");
    expect(await refs("none/one")).toMatchObject({ ok: false, error: { code: "FORGE_REFUSED", class: "failed" } });
  });
});

describe("tokens", () => {
  it("are for one repository and for what is needed, and asked for once", async () => {
    await seen();
    await seen();
    const given = fake.requests.filter(({ path }) => path.endsWith("/access_tokens"));
    expect(given).toHaveLength(2);
    const may = (end: string) => fake.requests.find(({ path }) => path.endsWith(end))?.permissions;
    expect(may("/branches")).toEqual({ metadata: "read", contents: "read" });
    expect(may("/pulls")).toEqual({ metadata: "read", pull_requests: "read" });
  });

  it("are made anew when GitHub takes them no more", async () => {
    await seen();
    fake.expireTokens();
    expect((await seen()).name).toBe("acme/shop");
  });

  it("are made anew once for all who held a dead one, however late each is told so", async () => {
    const look = (): Promise<Result<unknown>> =>
      github.ask("acme/shop", "GET /repos/{owner}/{repo}/commits/{ref}", { ref: "main" }, signal);
    await look();
    fake.expireTokens();
    for (let n = 0; n < 5; n += 1)
      fake.mishap({ mishap: { does: "delay", delayMs: n * 60 }, on: "GET /repos/{owner}/{repo}/commits/{ref}" });
    const given = (): number => fake.requests.filter(({ path }) => path.endsWith("/access_tokens")).length;
    const before = given();
    const all = await Promise.all(Array.from({ length: 5 }, look));
    expect(all.map(({ ok }) => ok)).toEqual(Array.from({ length: 5 }, () => true));
    expect(given() - before).toBe(1);
  });

  it("that are refused even when new are given up", async () => {
    fake.mishap({ mishap: { does: "expired token" }, on: "GET /repos/{owner}/{repo}", times: 9 });
    expect(await got(refs())).toBe("FORGE_TOKEN");
    expect(fake.requests.filter(({ path }) => path.endsWith("/repos/acme/shop"))).toHaveLength(2);
  });

  it("let git fetch, and stay out of messages", async () => {
    const token = await github.gitAuth("acme/shop", signal);
    if (!token.ok || token.value === undefined) throw new Error("no token");
    expect(String(token.value)).toBe("‹secret›");
    expect(token.value.reveal()).toMatch(/^ghs_/);
  });
});

describe("what somebody may do", () => {
  it("is looked up by number", async () => {
    const { id } = fake.user("ann");
    fake.role("acme/shop", "ann", "write");
    expect(await got(github.permission("acme/shop", id, signal))).toBe("write");
    expect(await got(github.permission("acme/shop", fake.user("eve").id, signal))).toBe("read");
    expect(await got(github.permission("acme/shop", 987_654_321, signal))).toBe("none");
  });

  it("is nothing for accounts that are gone, and no token is made anew for each of them", async () => {
    for (let user = 90_001; user < 90_011; user += 1)
      expect(await got(github.permission("acme/shop", user, signal))).toBe("none");
    expect(fake.requests.filter(({ path }) => path.endsWith("/access_tokens"))).toHaveLength(1);
  });

  it("is nothing when the login went to somebody else in between", async () => {
    const ann = fake.user("ann");
    fake.role("acme/shop", "ann", "write");
    fake.before = ({ path }) => {
      if (path.endsWith("/permission")) [ann.login, fake.user("mal").login] = ["old-ann", "ann"];
    };
    expect(await got(github.permission("acme/shop", ann.id, signal))).toBe("none");
  });
});

describe("a request for a repository", () => {
  it("is made with just the permission that it needs", async () => {
    const { branches } = await seen();
    const head_sha = branches.get("main")?.commit ?? "";
    const made = await github.ask(
      "acme/shop",
      "POST /repos/{owner}/{repo}/check-runs",
      { name: "x", head_sha },
      signal,
    );
    expect(made).toMatchObject({ ok: true, value: { name: "x", head_sha } });
    expect(fake.requests.at(-1)?.permissions).toEqual({ metadata: "read", checks: "write" });
  });

  it("that changes something is not repeated when its answer was lost", async () => {
    const { branches } = await seen();
    const head_sha = branches.get("main")?.commit ?? "";
    const route = "POST /repos/{owner}/{repo}/check-runs";
    fake.mishap({ mishap: { does: "lose answer" }, on: route });
    expect(await got(github.ask("acme/shop", route, { name: "x", head_sha }, signal))).toBe("FORGE_UNREACHABLE");
    expect(fake.repository("acme/shop").checkRuns).toHaveLength(1);
  });
});

describe("when things go wrong at GitHub", () => {
  const repository = "GET /repos/{owner}/{repo}";

  it.each([
    ["an error", { does: "status", status: 502 }, "FORGE_UNREACHABLE"],
    ["a cut connection", { does: "cut" }, "FORGE_UNREACHABLE"],
    ["half an answer", { does: "truncate" }, "FORGE_FAULT"],
    ["an answer of another shape", { does: "error body" }, "FORGE_FAULT"],
    ["a redirect to another host", { does: "redirect", to: "http://127.0.0.2:1/" }, "FORGE_REFUSED"],
    ["a refusal", { does: "status", status: 403, message: "Forbidden" }, "FORGE_REFUSED"],
  ] as const)("%s is a failure of its class, never an empty list", async (_, mishap, code) => {
    fake.mishap({ mishap, on: repository, times: 99 });
    expect(await got(refs())).toBe(code);
    fake.heal();
    expect((await seen()).branches.size).toBe(1);
  });

  it("a next page at another host is not asked for", async () => {
    many(150, 0);
    fake.mishap({
      mishap: { does: "foreign link", to: "http://127.0.0.2:1/" },
      on: "GET /repos/{owner}/{repo}/branches",
    });
    expect(await got(refs())).toBe("FORGE_FAULT");
  });

  it.each(["pull requests", "dates"])(
    "%s that cannot be read alone keep no push from being seen: what they tell is as it was",
    async (what) => {
      const ms = Date.parse("2026-01-01");
      const number = fake.openPull("acme/shop", { by: "ann", branch: "idea", files: { "b.txt": "1" } });
      const first = await seen();
      const known = new Map([...first.branches.values()].map(({ commit }) => [commit, ms]));
      const away = failure(problem("FORGE_UNREACHABLE", "503"));
      let answer: Result<ReadonlyMap<string, number>> = what === "dates" ? away : success(new Map());
      const options = { pulls: first.pulls, dates: { known, read: async () => answer } };
      if (what !== "dates")
        fake.mishap({ mishap: { does: "status", status: 503 }, on: "GET /repos/{owner}/{repo}/pulls", times: 99 });
      const commit = fake.push("acme/shop", "main", { "a.txt": "1" });
      const during = await seen(github.refs("acme/shop", options, signal));
      expect(during.branches.get("main")).toMatchObject({ commit });
      expect(during.branches.get("idea")).toMatchObject({ committedMs: ms });
      expect([...during.pulls.keys()]).toEqual([number]);
      expect(during.outdated).toMatchObject({ code: "FORGE_UNREACHABLE" });
      fake.heal();
      answer = success(new Map());
      const after = await seen(github.refs("acme/shop", { ...options, pulls: during.pulls }, signal));
      expect(after.outdated).toBeUndefined();
    },
  );

  it("a read that is called off while pull requests are listed is none", async () => {
    const stop = new AbortController();
    fake.mishap({ mishap: { does: "hang" }, on: "GET /repos/{owner}/{repo}/pulls" });
    fake.before = ({ path }) => {
      if (path.endsWith("/pulls")) stop.abort("enough");
    };
    expect(await got(github.refs("acme/shop", {}, stop.signal))).toBe("CANCELLED");
  });

  it("one failed answer is asked for once more", async () => {
    fake.mishap({ mishap: { does: "status", status: 502 }, on: repository });
    expect((await seen()).name).toBe("acme/shop");
  });

  it("a late copy that shows the old head is not believed", async () => {
    github = client({ clock: { ...createClock(), sleep: () => Promise.resolve() } });
    await seen();
    const first = fake.push("acme/shop", "main", { "a.txt": "1" });
    await seen();
    const second = fake.push("acme/shop", "main", { "a.txt": "2" });
    expect((await seen()).branches.get("main")).toEqual({ commit: second });
    fake.mishap({ mishap: { does: "old heads" }, on: "GET /repos/{owner}/{repo}/branches" });
    expect(first).not.toBe(second);
    expect((await seen()).branches.get("main")).toEqual({ commit: second });
  });

  it("a copy that lags behind for a quarter of a minute is not believed either, and what was really undone is", async () => {
    await fake.close();
    const { clock, run } = movable();
    fake = await FakeGitHub.start({ clock });
    fake.repo("acme/shop");
    fake.install("acme");
    let slept = 0;
    const sleep = async (ms: number): Promise<void> => {
      slept += ms;
      run(ms);
    };
    github = client({ clock: { ...clock, sleep } });
    const first = (await seen()).branches.get("main")?.commit ?? "";
    run(60_000);
    const second = fake.push("acme/shop", "main", { "a.txt": "2" });
    expect((await seen()).branches.get("main")).toEqual({ commit: second });
    expect(slept).toBe(0);
    run(1_000);
    fake.mishap({ mishap: { does: "old heads", byMs: 14_000 }, on: "GET /repos/{owner}/{repo}/branches", times: 99 });
    expect((await seen()).branches.get("main")).toEqual({ commit: second });
    fake.heal();
    fake.setBranch("acme/shop", "main", first);
    expect((await seen()).branches.get("main")).toEqual({ commit: first });
    expect(slept).toBe(30_000);
  });

  it("pull requests that go back to how they were hold no branch up, and are believed once they stay so", async () => {
    const { clock, run } = movable();
    const sleep = (): Promise<void> => Promise.reject(new Error("the branches waited"));
    github = client({ clock: { ...clock, sleep } });
    const pulls = new Map((await seen()).pulls);
    run(60_000);
    const number = fake.openPull("acme/shop", { by: "ann", branch: "idea", files: { "b.txt": "1" } });
    const { pulls: open } = await seen(github.refs("acme/shop", { pulls }, signal));
    expect([...open.keys()]).toEqual([number]);
    fake.closePull("acme/shop", number);
    const commit = fake.push("acme/shop", "main", { "a.txt": "1" });
    for (let second = 0; second < 15; second += 5) {
      const during = await seen(github.refs("acme/shop", { pulls: open }, signal));
      expect(during.branches.get("main")).toEqual({ commit });
      expect([...during.pulls.keys()]).toEqual([number]);
      expect(during.outdated?.retryAtMs).toBeGreaterThan(clock.now());
      run(5_000);
    }
    const after = await seen(github.refs("acme/shop", { pulls: open }, signal));
    expect(after.pulls.size).toBe(0);
    expect(after.outdated).toBeUndefined();
  });

  it("an abort ends it at once", async () => {
    const stop = new AbortController();
    fake.mishap({ mishap: { does: "hang" }, on: repository });
    fake.before = ({ path }) => {
      if (path.endsWith("/repos/acme/shop")) stop.abort("enough");
    };
    expect(await got(github.refs("acme/shop", {}, stop.signal))).toBe("CANCELLED");
  });
});

describe("limits", () => {
  it("are known, and told when they change", async () => {
    let told = 0;
    github.changes.subscribe(() => {
      told += 1;
    });
    await seen();
    const [rate] = github.rates();
    expect(rate).toMatchObject({ account: "acme" });
    expect(rate?.remaining).toBeLessThan(rate?.limit ?? 0);
    expect(told).toBeGreaterThan(0);
  });

  it("that are reached are waited for, without asking again", async () => {
    await seen();
    const resetMs = Date.now() + 1_800_000;
    fake.mishap({ mishap: { does: "rate limit", resetMs }, on: "GET /repos/{owner}/{repo}" });
    const answer = await refs();
    expect(answer).toMatchObject({ ok: false, error: { code: "FORGE_RATE_LIMITED", class: "transient" } });
    expect(answer.ok ? 0 : (answer.error.retryAtMs ?? 0)).toBeGreaterThanOrEqual(Math.floor(resetMs / 1000) * 1000);
    const before = fake.requests.length;
    expect(await got(refs())).toBe("FORGE_RATE_LIMITED");
    expect(fake.requests).toHaveLength(before);
  });

  it("of haste are waited for as long as GitHub says", async () => {
    fake.mishap({ mishap: { does: "secondary limit", retryAfterSeconds: 77 }, on: "GET /repos/{owner}/{repo}" });
    const answer = await refs();
    expect(answer.ok ? 0 : ((answer.error.retryAtMs ?? 0) - Date.now()) / 1000).toBeGreaterThan(70);
  });

  it("are nearly reached, and a repository that is called `commits` is seen all the same", async () => {
    fake.repo("acme/commits");
    fake.rateLimits.installation = 60; // of the last three only the first two ranks have any
    await seen(refs("acme/commits"));
    const read = (): Promise<unknown> =>
      github.ask("acme/shop", "GET /repos/{owner}/{repo}/commits/{ref}", { ref: "main" }, signal);
    do await read();
    while ((github.rates()[0]?.remaining ?? 0) > 2);
    const commit = fake.push("acme/commits", "main", { "a.txt": "1" });
    expect((await seen(refs("acme/commits"))).branches.get("main")).toEqual({ commit });
  });

  it("that a server names wrongly hold nothing back for longer than an hour, nor does a clock that is put back", async () => {
    const { clock, run, set } = movable();
    github = client({ clock });
    await seen();
    for (const mishap of [
      { does: "secondary limit", retryAfterSeconds: 864_000 },
      { does: "rate limit", resetMs: clock.now() + 864_000_000 },
    ] as const) {
      fake.mishap({ mishap, on: "GET /repos/{owner}/{repo}" });
      const answer = await refs();
      const retryAtMs = answer.ok ? 0 : (answer.error.retryAtMs ?? 0);
      expect(retryAtMs - clock.now()).toBeLessThanOrEqual(3_600_000);
      expect(await got(refs())).toBe("FORGE_RATE_LIMITED");
      set(-864_000_000);
      run(3_620_000);
      fake.rateLimits.installation *= 2;
      await seen();
    }
  });

  it("that are nearly reached leave the rest to heads and deployments, and what is less to who may do what", async () => {
    const { branches } = await seen();
    const commit = branches.get("main")?.commit ?? "";
    const limit = 200;
    fake.rateLimits.installation = limit;
    const read = (): Promise<Result<unknown>> =>
      github.ask("acme/shop", "GET /repos/{owner}/{repo}/commits/{ref}", { ref: commit }, signal);
    const left = (): number => github.rates()[0]?.remaining ?? 0;
    do await read();
    while (left() > limit * 0.04);
    const check = { name: "x", head_sha: commit };
    expect(await got(github.ask("acme/shop", "POST /repos/{owner}/{repo}/check-runs", check, signal))).toBe(
      "FORGE_RATE_LIMITED",
    );
    const { id } = fake.user("ann");
    expect(await got(github.permission("acme/shop", id, signal))).toBe("read");
    while ((await read()).ok); // until the last four
    expect(left()).toBeLessThan(limit * 0.02);
    expect(await got(github.permission("acme/shop", id, signal))).toBe("FORGE_RATE_LIMITED");
    const deployment = { ref: commit, required_contexts: [] };
    expect(await github.ask("acme/shop", "POST /repos/{owner}/{repo}/deployments", deployment, signal)).toMatchObject({
      ok: true,
    });
    const pushed = fake.push("acme/shop", "main", { "a.txt": "1" });
    const after = await seen();
    expect(after.branches.get("main")).toEqual({ commit: pushed });
    expect(after.outdated).toMatchObject({ code: "FORGE_RATE_LIMITED" }); // pull requests wait
  });

  it("of haste let heads and deployments through before the others when they are over", async () => {
    const { clock, run } = movable();
    github = client({ clock });
    const { branches } = await seen();
    const head_sha = branches.get("main")?.commit ?? "";
    const route = "POST /repos/{owner}/{repo}/check-runs";
    const tell = (): Promise<Result<unknown>> => github.ask("acme/shop", route, { name: "x", head_sha }, signal);
    fake.mishap({ mishap: { does: "secondary limit", retryAfterSeconds: 60 }, on: route });
    const refused = await tell();
    const startMs = clock.now();
    const deploy = (): Promise<Result<unknown>> => {
      const params = { ref: head_sha, required_contexts: [] };
      return github.ask("acme/shop", "POST /repos/{owner}/{repo}/deployments", params, signal);
    };
    expect(await got(deploy())).toBe("FORGE_RATE_LIMITED");
    run(61_000);
    expect(await deploy()).toMatchObject({ ok: true });
    expect(await seen()).toMatchObject({ outdated: { code: "FORGE_RATE_LIMITED" } });
    expect(await got(tell())).toBe("FORGE_RATE_LIMITED");
    expect(refused.ok ? 0 : (refused.error.retryAtMs ?? 0) - startMs).toBeGreaterThan(65_000);
    run(10_000);
    expect(await tell()).toMatchObject({ ok: true });
    expect((await seen()).outdated).toBeUndefined();
  });
});
