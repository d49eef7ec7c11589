// Versions that do not work: Swarm rolls back, Millrace says so and why, and does not try again by itself.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerHost } from "../support/need.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import { hasParts, type Names, startWorld, type World } from "./rig.ts";
import { LAST_WORDS, SICK_ANSWER, sample } from "./sample.ts";
import { until } from "./until.ts";

/** Longer than a lane that shows a failure rests. */
const LOOK_AGAIN_MS = 30_000;

const repos = ({ image, service }: Names): string => `
  "team/hello": from(git("./hello.git"), docker("Dockerfile", {
    live: publish("${image}:live", swarm(here, "${service("web")}")),
    next: publish("${image}:next", swarm(here, "${service("next")}")),
  })),`;

describe.skipIf(!hasParts)("a broken version", () => {
  let relay: Relay;
  let world: World;

  beforeAll(async () => {
    relay = await startRelay(dockerHost);
    world = await startWorld({ services: ["web", "next"], repos, engine: relay.endpoint });
    await world.serve();
    const good = world.push(await sample("1"));
    const next = world.push({}, { branch: "next" });
    await Promise.all([world.server.rolledOut(good.commit), world.server.rolledOut(next.commit, "next")]);
  });
  afterAll(async () => {
    await world.close();
    await relay.dispose();
  });

  /** The failed deploys, with their jobs' logs, once both services have been rolled back. */
  async function rolledBack() {
    return world.server.waitFor("both deploys have failed", ({ services, jobs }) => {
      const failed = services.filter(({ kind, state }) => kind === "swarm" && state === "failed");
      return failed.length === 2 && jobs.filter(({ op, state }) => op === "swarm" && state === "failed");
    });
  }
  const logOf = async (short: string): Promise<string> => {
    const job = (await world.server.jobs("swarm")).find(({ term }) => term.endsWith(world.service(short)));
    return world.server.log(job?.id ?? "");
  };

  it("is rolled back and shown as failed, with the task's own words in the job's log", async () => {
    world.push(await sample("2", "sick"));
    world.push(await sample("2", "crashing"), { branch: "next" });
    const failed = await rolledBack();

    expect(failed.map(({ error }) => error?.code)).toEqual(["ROLLED_BACK", "ROLLED_BACK"]);
    expect(await logOf("web")).toContain(SICK_ANSWER);
    expect(await logOf("next")).toContain(LAST_WORDS);
    const services = (await world.server.services()).filter(({ kind }) => kind === "swarm");
    for (const { detail } of services) expect(detail).toMatch(/^rolled back: /);
    const { graph } = await world.server.told();
    const deploys = graph.nodes.filter((node) => node.kind === "deploy");
    expect(deploys.map(({ state, failure }) => [state, failure?.code, failure?.class])).toEqual([
      ["failed", "ROLLED_BACK", "failed"],
      ["failed", "ROLLED_BACK", "failed"],
    ]);
    for (const short of ["web", "next"]) {
      expect((await world.now(short)).update).toBe("rollback_completed");
      expect(await world.request(short)).toEqual({ status: 200, text: "version=1\n" });
    }
  });

  it("is not tried again by itself, neither when it is looked at again nor after a restart", async () => {
    const [web, next] = await Promise.all([world.now("web"), world.now("next")]);
    const jobs = await world.server.jobs();
    const looks = () => ["web", "next"].map((short) => relay.sent(`/services/${world.service(short)}`));
    const before = looks();
    await until("both services are looked at again", LOOK_AGAIN_MS, () =>
      looks().every((count, at) => count > (before[at] ?? 0)),
    );
    await world.server.kill();
    await world.serve();
    await world.server.waitFor(
      "both are shown as failed",
      ({ services }) => services.filter(({ state }) => state === "failed").length === 2,
    );

    expect(await world.server.jobs()).toEqual(jobs);
    expect(await world.now("web")).toEqual(web);
    expect(await world.now("next")).toEqual(next);
  });

  it("is followed by the next good push", async () => {
    const mended = world.push(await sample("3"));
    const next = world.push({}, { branch: "next" });
    await Promise.all([world.server.rolledOut(mended.commit), world.server.rolledOut(next.commit, "next")]);

    expect(await world.request("web")).toEqual({ status: 200, text: "version=3\n" });
    expect(await world.request("next")).toEqual({ status: 200, text: "version=3\n" });
    const states = (await world.server.history()).filter(({ kind }) => kind === "swarm").map(({ state }) => state);
    expect(states.toSorted()).toEqual(["rolled-back", "rolled-back", "verified", "verified", "verified", "verified"]);
  });
});
