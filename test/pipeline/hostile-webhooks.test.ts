// From the bytes of a delivery to what is asked of GitHub: the real door, inbox, monitor and client, in virtual time.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { Inbox } from "../../src/engine/inbox.ts";
import type { Refs } from "../../src/engine/refs.ts";
import { Secret } from "../../src/engine/secret.ts";
import { watchGitHub } from "../../src/pipeline/github.ts";
import type { WatchPorts } from "../../src/pipeline/watched.ts";
import { createGitHub, type GitHub, githubDoor } from "../../src/plugins/github/index.ts";
import { success } from "../../src/term/output.ts";
import { createRig, type FakeGitHub, type Rig } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";
import { noGit } from "../support/checking.ts";
import { clientOf, closeStrictly, startFake } from "../support/github.ts";

const REPO = "acme/shop";
const KEY = "a webhook's secret";
const soon = (look: () => void): Promise<void> => vi.waitFor(look, { timeout: 10_000, interval: 10 });

/** A door, and deliveries through it that are signed as GitHub signs them. */
function opened(rig: Rig) {
  const inbox = new Inbox(rig.engine);
  inbox.start();
  const door = githubDoor({ secret: new Secret(KEY), inbox, appId: 1, clock: rig.clock });
  let number = 0;
  const send = (event: string, payload: unknown, id = `d-${(number += 1)}`) => {
    const body = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
    const signature = `sha256=${createHmac("sha256", KEY).update(body).digest("hex")}`;
    return door.receive({ "x-github-delivery": id, "x-github-event": event, "x-hub-signature-256": signature }, body);
  };
  return { inbox, send };
}

describe("a delivery about a repository", () => {
  let fake: FakeGitHub;
  beforeEach(async () => {
    fake = await startFake(REPO, "acme/other");
  });
  afterEach(() => closeStrictly(fake));

  async function scene() {
    const rig = createRig();
    const { inbox, send } = opened(rig);
    // A head that goes back is asked for again, in case it was a late answer: at once here.
    const clock = { ...createClock(), sleep: () => Promise.resolve() };
    const github = clientOf(fake, { clock });
    const { heads, monitor } = watchGitHub(
      { engine: rig.engine, heads: noGit, forge: { github, hints: inbox } },
      REPO,
      box("heads"),
    );
    const causes: string[] = [];
    rig.engine.steps.subscribe(({ events }) => void causes.push(...events.map(({ kind }) => kind)));
    rig.engine.change(undefined, () => {});
    const seen = (): Readonly<Record<string, string>> =>
      heads.output.state === "ok" ? Object.fromEntries(heads.output.value) : {};
    await soon(() => expect(seen()).toHaveProperty("main"));
    causes.length = 0;
    const { id } = fake.repository(REPO);
    const repository = { id, full_name: REPO };
    /** So long, and until what was asked meanwhile is answered. */
    const pass = async (ms: number): Promise<void> => {
      await rig.clock.advance(ms);
      await soon(() => expect(monitor.reading).toBe(false));
    };
    const reads = (): number => fake.requests.filter(({ path }) => path.endsWith("/branches")).length;
    return { rig, send, seen, causes, repository, pass, reads };
  }

  it("that somebody caught and sends again under new names makes GitHub be asked every two seconds at most", async () => {
    const { send, causes, repository, pass, reads } = await scene();
    const body = JSON.stringify({ ref: "refs/heads/main", repository });
    for (let count = 0; count < 100; count += 1) {
      expect(await send("push", body, `replayed-${count}`)).toMatchObject({ status: 202, note: "taken" });
      await pass(100);
    }
    expect(reads()).toBeLessThanOrEqual(1 + 6);
    expect(causes).toEqual([]); // the heads are where they were: nothing follows
  });

  it("that comes late says nothing: what GitHub shows now is what counts", async () => {
    const { send, seen, causes, repository, pass } = await scene();
    const older = fake.push(REPO, "live", { "a.txt": "N" });
    const newer = fake.push(REPO, "live", { "a.txt": "N+1" });
    await send("push", { ref: "refs/heads/live", before: older, after: newer, repository });
    await soon(() => expect(seen()).toMatchObject({ live: newer }));
    await send("push", { ref: "refs/heads/live", before: "0".repeat(40), after: older, repository });
    await pass(2_500);
    expect(seen()).toMatchObject({ live: newer });
    expect(causes).toEqual(["webhook"]);
  });

  it("that is not in the pipeline, or of another app, asks GitHub nothing", async () => {
    const { send, repository, pass } = await scene();
    const before = fake.requests.length;
    const run = { head_sha: "a".repeat(40), app: { id: 666 } };
    const deliveries: readonly (readonly [string, object])[] = [
      ["push", { repository: { id: fake.repository("acme/other").id, full_name: "acme/other" } }],
      ["push", { repository: { id: 987_654, full_name: "evil/shop" }, installation: { id: 666 } }],
      ["check_run", { action: "rerequested", check_run: run, repository }],
      ["star", { repository }],
    ];
    for (const [event, payload] of deliveries) expect(await send(event, payload)).toMatchObject({ status: 202 });
    await pass(3_000);
    expect(fake.requests.length).toBe(before);
  });

  it("names no address that is asked for anything", async () => {
    const asked: string[] = [];
    const evil = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end();
    });
    await new Promise<void>((resolve) => void evil.listen(0, "127.0.0.1", resolve));
    const address = evil.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/latest/meta-data`;
    const { send, repository, pass, reads } = await scene();
    const named = { url, clone_url: url, git_url: url, ssh_url: `ext::curl ${url}`, branches_url: url, hooks_url: url };
    await send("push", { repository: { ...repository, ...named }, compare: url, head_commit: { url }, hook: { url } });
    await soon(() => expect(reads()).toBe(2));
    await pass(3_000);
    expect(asked).toEqual([]);
    evil.close();
  });

  it("may name any ref: it is not looked at, and a branch is called what GitHub calls it", async () => {
    const { send, seen, repository, pass } = await scene();
    fake.tag(REPO, "live", fake.repository(REPO).heads.branches.get("main") ?? "");
    const odd = [
      "Live",
      "LIVE",
      "l\u0456ve",
      "live2",
      "-live",
      "x/live",
      "refs/heads/live",
      "refs/tags/live",
      "x".repeat(9_000),
    ];
    for (const name of odd) fake.push(REPO, name, { "a.txt": name });
    const refs = ["refs/heads/live\u0000", "refs/heads/live/../x", "refs/tags/live", "refs/pull/1/head", "live", "-x"];
    for (const ref of [...refs, `refs/heads/${"y".repeat(10_000)}`])
      expect(await send("push", { ref, after: "a".repeat(40), repository })).toMatchObject({ status: 202 });
    await soon(() => expect(seen()).toHaveProperty("Live"));
    await pass(3_000);
    expect(Object.keys(seen()).toSorted()).toEqual([...odd, "main"].toSorted());
    expect(seen()["live"]).toBeUndefined();
  });

  it("of a branch that goes, comes back elsewhere and is pushed back is each time what GitHub shows", async () => {
    const { rig, send, seen, repository } = await scene();
    const told = async (wanted: string | undefined): Promise<void> => {
      await rig.clock.advance(2_000);
      await send("push", { ref: "refs/heads/live", repository });
      await soon(() => expect(seen()["live"]).toBe(wanted));
    };
    const first = fake.push(REPO, "live", { "a.txt": "1" });
    await told(first);
    fake.deleteBranch(REPO, "live");
    await told(undefined);
    const second = fake.push(REPO, "live", { "a.txt": "2" });
    await told(second);
    fake.setBranch(REPO, "live", first); // by force
    await told(first);
    expect(first).not.toBe(second);
  });
});

describe("ten thousand deliveries in ten seconds, about fifty repositories", () => {
  it("are all confirmed, and each repository is looked at every two seconds at most", async () => {
    const rig = createRig();
    const { inbox, send } = opened(rig);
    const asked = new Map<string, number[]>();
    const names = Array.from({ length: 50 }, (_, at) => `acme/repo-${at}` as const);
    const refsOf = (name: string): Refs => ({
      id: 1 + names.findIndex((one) => one === name),
      name,
      defaultBranch: "main",
      branches: new Map([["main", { commit: "a".repeat(40) }]]),
      pulls: new Map(),
    });
    const github: GitHub = createGitHub({ clock: rig.clock, app: { id: 1, key: new Secret("never used") } });
    github.refs = async (name) => {
      asked.set(name, [...(asked.get(name) ?? []), rig.clock.elapsed()]);
      return success(refsOf(name));
    };
    const ports: WatchPorts = { engine: rig.engine, heads: noGit, forge: { github, hints: inbox } };
    for (const name of names) watchGitHub(ports, name, box(name));
    rig.engine.change(undefined, () => {});
    await rig.clock.settle();
    const notes = new Map<string, number>();
    for (let slice = 0; slice < 100; slice += 1) {
      const answers = Array.from({ length: 100 }, (_, at) => {
        const { id, name } = refsOf(names[at % 50] ?? "");
        return send("push", { ref: "refs/heads/main", repository: { id, full_name: name } });
      });
      for (const { status, note } of await Promise.all(answers))
        notes.set(`${status} ${note}`, (notes.get(`${status} ${note}`) ?? 0) + 1);
      await rig.clock.advance(100);
    }
    await rig.clock.advance(2_000);
    expect([...notes]).toEqual([["202 taken", 10_000]]);
    expect(inbox.open).toBe(0);
    for (const name of names) {
      const times = asked.get(name) ?? [];
      const apart = times.slice(2).map((atMs, at) => atMs - (times[at + 1] ?? 0));
      expect({ name, soonest: Math.min(...apart) }).toMatchObject({ name, soonest: 2_000 });
      expect(times.length).toBeLessThanOrEqual(8);
    }
  });
});
