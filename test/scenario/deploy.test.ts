// The main job: a push to a live branch, and the service runs the new commit.
import { chromium } from "playwright-core";
import { type Static, Type } from "typebox";
import { Check } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { need, programOf } from "../support/need.ts";
import { hasParts, type Pushed, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import type { Job, Told } from "./server.ts";

const REQUESTS_MIN = 1_000;
const REQUESTS_MAX = 30_000;
const CLIENTS = 3;
const PROMISED_START_MS = 1_000;

describe.skipIf(!hasParts)("a push to a live branch", () => {
  let world: World;
  /** The pushes so far, and how long each build took to begin. */
  const pushes: Pushed[] = [];
  const startsMs: number[] = [];

  beforeAll(async () => {
    world = await startWorld();
    await world.serve();
  });
  afterAll(() => world.close());

  /** Pushes, and gives the jobs that it led to once everything is as declared. */
  async function push(version: string, more: Record<string, string> = {}, to?: string): Promise<readonly Job[]> {
    const known = new Set((await world.server.jobs()).map(({ id }) => id));
    const pushed = world.push({ ...(await sample(version)), ...more }, to === undefined ? {} : { to });
    const { jobs } = await world.server.rolledOut(pushed.commit);
    const own = jobs.filter(({ id }) => !known.has(id));
    pushes.push(pushed);
    const build = own.find(({ op }) => op === "docker-build");
    if (build?.started !== undefined) startsMs.push(Date.parse(build.started) - pushed.atMs);
    return own;
  }

  it("is one build, one push, one tag, one update of the service", async () => {
    const before = await world.now();
    const jobs = await push("1");
    const after = await world.now();

    expect(opsOf(jobs)).toEqual(["docker-build", "docker-push", "git-fetch", "registry-tag", "swarm"]);
    expect(jobs.every(({ state }) => state === "ok")).toBe(true);
    expect(await world.request()).toEqual({ status: 200, text: "version=1\n" });
    expect(after.labels).toMatchObject({ "kept.by": "hand", "millrace.generation": "1", "millrace.owner": "test" });
    expect(before.update).toBeUndefined();
    expect(after.update).toBe("completed");
    expect((await replaced()).length).toBe(4);
    const [deploy] = await deploys("swarm");
    expect(deploy).toMatchObject({ state: "verified", generation: 1 });
    const causes = (await world.server.job(deploy?.job ?? "")).because.map(({ kind, detail }) => `${kind}: ${detail}`);
    expect(causes[0]).toBe(`watch: live none → ${pushes[0]?.commit.slice(0, 8)}`);
    expect(causes.slice(1, 4)).toEqual(["job: git-fetch ok", "job: docker-build ok", "job: docker-push ok"]);
    expect(causes[4]).toMatch(/^job: deploy verified: .*:live is sha256:/);
    expect(await deploys("swarm")).toHaveLength(1);
  });

  it("rolls out without a single failed request", async () => {
    const load = startLoad();
    await push("2");
    const { failures, versions, count } = await load.stop(REQUESTS_MIN);

    expect(failures).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(REQUESTS_MIN);
    expect([...versions]).toEqual(["version=1", "version=2"]);
    expect((await replaced()).length).toBe(6);
  });

  it.skipIf(!need("chromium"))("shows on the page without a reload", async () => {
    const browser = await chromium.launch({ executablePath: programOf("chromium"), args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      await page.goto(world.server.url);
      await page.evaluate(WATCH_THE_PAGE);
      const pushed = world.push(await sample("3"));
      pushes.push(pushed);
      await world.server.rolledOut(pushed.commit);
      const digest = (await world.digestOf("live"))?.slice(0, 19) ?? "no digest"; // as people read it
      const row = page.locator(`tr[data-key$="${world.service()}"]`);
      await row.locator(".version", { hasText: digest }).waitFor();
      await page.getByRole("heading", { name: "Everything is live and up to date" }).waitFor();
      const { headlines, boxes } = seenOn(await page.evaluate("window.seen"));

      expect(headlines).toContainEqual(expect.stringMatching(/on the move/));
      for (const box of ["build running", "push running", "deploy running", "deploy ok"]) expect(boxes).toContain(box);
    } finally {
      await browser.close();
    }
  });

  it("is not rolled out when the image stays the same, and the services say why", async () => {
    const before = await world.now();
    const jobs = await push("3", { "README.md": "how to use it\n" });

    expect(opsOf(jobs)).not.toContain("swarm");
    expect(opsOf(jobs)).not.toContain("registry-tag");
    expect((await world.now()).version).toBe(before.version);
    const services = await world.server.services();
    expect(services.map(({ state }) => state)).toEqual(["ok", "ok"]);
    for (const { detail } of services) expect(detail).toMatch(/not rolled out: the content is equal, .*sha256:/);
  });

  it("runs no job after a restart with nothing changed", async () => {
    const before = await world.server.jobs();
    const version = (await world.now()).version;
    await world.server.kill();
    await world.serve();
    const { jobs } = await world.server.rolledOut(pushes.at(-1)?.commit ?? "");

    expect(jobs).toEqual(before);
    expect((await world.now()).version).toBe(version);
  });

  it("back to an earlier commit runs its image again without a build", async () => {
    const [first] = await deploys("swarm", "1");
    const jobs = await push("1", {}, pushes[0]?.commit);

    expect(opsOf(jobs)).toEqual(["registry-tag", "swarm"]);
    expect(await world.request()).toEqual({ status: 200, text: "version=1\n" });
    expect((await world.now()).image).toBe(`${world.image}@${await world.digestOf("live")}`);
    const [newest] = await deploys("swarm");
    expect(newest).toMatchObject({ state: "verified", digest: first?.digest });
  });

  it("begins to be built within a second after git push has ended", () => {
    expect(startsMs.length).toBeGreaterThanOrEqual(3);
    // The quickest of them: whatever else the machine does only adds to it.
    expect(Math.min(...startsMs), `milliseconds: ${startsMs.join(", ")}`).toBeLessThan(PROMISED_START_MS);
  });

  /** Tasks that were ever made: two that were there, and two for each roll-out. */
  const replaced = () => world.tasks();

  async function deploys(kind: string, generation?: string) {
    const all = (await world.server.history()).filter((one) => one.kind === kind);
    return generation === undefined ? all : all.filter((one) => String(one.generation) === generation);
  }

  /** A few clients that ask the service one request after the other, until they are stopped and have asked enough. */
  function startLoad() {
    const failures: string[] = [];
    const versions = new Set<string>();
    const load = { count: 0, least: REQUESTS_MAX };
    const client = async (): Promise<void> => {
      while (load.count < load.least) {
        load.count += 1;
        const answer = await world.request().catch((error: unknown) => ({ status: 0, text: String(error) }));
        if (answer.status === 200) versions.add(answer.text.trim());
        else failures.push(`${answer.status} ${answer.text}`);
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    return {
      stop: async (least: number) => {
        load.least = least;
        await Promise.all(clients);
        return { failures, versions, count: load.count };
      },
    };
  }
});

/** Notes every headline and every state of a box of the graph that the page shows from now on. */
const WATCH_THE_PAGE = `{
  const seen = (window.seen = { headlines: [], boxes: [] });
  const add = (list, text) => list.includes(text) || list.push(text);
  const look = () => {
    add(seen.headlines, document.querySelector("h1").textContent);
    for (const box of document.querySelectorAll(".node")) {
      const verb = ["build", "push", "deploy"].find((word) => box.dataset.key.split("/").includes(word));
      const state = [...box.classList].find((name) => name.startsWith("look-"));
      if (verb !== undefined && state !== undefined) add(seen.boxes, verb + " " + state.slice(5));
    }
  };
  look();
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}`;

const Seen = Type.Object({ headlines: Type.Array(Type.String()), boxes: Type.Array(Type.String()) });

/** @throws {Error} when the page was loaded again: then nothing was noted. */
function seenOn(noted: unknown): Static<typeof Seen> {
  if (!Check(Seen, noted)) throw new Error(`the page was loaded again: it noted ${JSON.stringify(noted)}`);
  return noted;
}

const opsOf = (jobs: Told["jobs"]): readonly string[] => jobs.map(({ op }) => op).toSorted();
