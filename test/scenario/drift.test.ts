// Somebody changes services by hand, with Docker's own command, and each is treated as its policy says.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerHost } from "../support/need.ts";
import { hasParts, type Names, startWorld, type World } from "./rig.ts";
import { sample, startImage } from "./sample.ts";
import type { Deploy, Job, Service } from "./server.ts";
import { until } from "./until.ts";

/** Targets at rest are looked at once a minute. */
const PERIOD_MS = 60_000;
const SLACK_MS = 30_000;

const repos = ({ image, service }: Names): string => `
  "team/hello": from(git("./hello.git"), docker("Dockerfile", {
    live: publish("${image}:live",
      swarm(here, "${service("report")}"),
      swarm.with({ drift: "hold" })(here, "${service("hold")}"),
      swarm.with({ drift: "repair" })(here, "${service("repair")}"),
      swarm.with({ drift: "repair" })(here, "${service("own")}"),
    ),
  })),`;

describe.skipIf(!hasParts)("a service that is changed by hand", () => {
  let world: World;
  let start: string;
  beforeAll(async () => {
    world = await startWorld({ services: ["report", "hold", "repair", "own"], monitorSec: 1, repos });
    start = await startImage();
    await world.serve();
    await world.server.rolledOut(world.push(await sample("1")).commit);
  });
  afterAll(() => world.close());

  /** `docker service update` of a person in a terminal. */
  const byHand = async (short: string, ...args: readonly string[]): Promise<void> => {
    const command = ["-H", dockerHost, "service", "update", "--detach", "--no-resolve-image", ...args];
    await promisify(execFile)("docker", [...command, world.service(short)]);
  };
  const of = (services: readonly Service[], short: string): Service => {
    const found = services.find(({ name }) => name === world.service(short));
    if (found === undefined) throw new Error(`there is no service ${short}`);
    return found;
  };
  const shown = (short: string, look: (service: Service) => boolean, withinMs = PERIOD_MS + SLACK_MS) =>
    world.server.waitFor(
      `${short} is shown so`,
      ({ services }) => look(of(services, short)) && of(services, short),
      withinMs,
    );
  const deploysOf = async (short: string): Promise<readonly Deploy[]> =>
    (await world.server.history()).filter(({ term }) => term.endsWith(`/deploy/here/${world.service(short)}`));
  const jobsOf = async (short: string): Promise<readonly Job[]> =>
    (await world.server.jobs("swarm")).filter(({ term }) => term.endsWith(`/deploy/here/${world.service(short)}`));
  const isStart = ({ running }: Service): boolean => running?.includes("millrace-test/start") === true;
  const act = async (...args: readonly string[]) => {
    const ended = await world.command(...args, "--url", world.server.url, "--token-file", "state/token");
    expect(ended.err).toBe("");
    return ended.out;
  };

  it("is noticed within a period: reported, held, or repaired; what is not Millrace's own is left alone", async () => {
    const digest = await world.digestOf("live");
    for (const short of ["report", "hold", "repair"]) await byHand(short, "--image", start);
    await byHand("own", "--env-add", "BY=hand", "--replicas", "1");
    const own = await world.now("own");

    const report = await shown("report", ({ state }) => state === "failed");
    expect(report.detail).toMatch(/was changed by hand: it runs \S*millrace-test\/start\S*, wanted is \S+@sha256:/);
    expect([isStart(report), report.wanted?.endsWith(digest ?? ""), report.adoptable]).toEqual([true, true, true]);
    const hold = await shown("hold", ({ state }) => state === "failed");
    expect(hold.detail).toMatch(/is held: it was changed by hand: it runs \S*millrace-test\/start/);
    const { graph } = await world.server.told();
    expect(graph.nodes.flatMap(({ failure }) => (failure === undefined ? [] : [failure.code])).toSorted()).toEqual([
      "DRIFTED",
      "DRIFT_HELD",
    ]);
    expect(await (await fetch(world.server.url)).text()).toContain("was changed by hand");

    await until("the repair is through", PERIOD_MS + SLACK_MS, async () => (await deploysOf("repair")).length === 2);
    await shown("repair", ({ state }) => state === "ok");
    expect((await world.now("repair")).image).toContain(digest);
    const [repair] = await jobsOf("repair");
    expect((await world.server.job(repair?.id ?? "")).because.map(({ kind }) => kind)).toEqual(["drift"]);
    expect((await world.command("why", repair?.id ?? "", "--url", world.server.url)).out).toContain(
      "was changed by hand",
    );
    expect((await deploysOf("repair")).map(({ state }) => state)).toEqual(["verified", "verified"]);

    // One period later at the latest, the service whose scale and environment are its owner's has been looked at too.
    expect([(await deploysOf("own")).length, (await world.now("own")).image]).toEqual([1, own.image]);
    expect(of(await world.server.services(), "own").state).toBe("ok");
    expect([(await deploysOf("report")).length, (await deploysOf("hold")).length]).toEqual([1, 1]);
  });

  it("that is reported is deployed over by the next push; one that is held is not, until a person adopts it", async () => {
    const before = await world.digestOf("live");
    world.push(await sample("2"));
    const digest = await until("version 2 is published", SLACK_MS, async () => {
      const now = await world.digestOf("live");
      return now !== before && now;
    });
    for (const short of ["report", "repair", "own"])
      await shown(short, ({ state, running }) => state === "ok" && running?.endsWith(digest) === true);
    const held = await shown("hold", ({ wanted, detail }) => wanted?.endsWith(digest) === true && detail !== "");
    expect([held.state, isStart(held), (await deploysOf("hold")).length]).toEqual(["failed", true, 1]);
    expect((await world.now("hold")).image).toBe(start);

    expect(await act("adopt", held.term)).toBe("adopted\n");
    const adopted = await shown("hold", ({ state }) => state === "ok");
    expect([isStart(adopted), adopted.adoptable]).toEqual([true, false]);
    expect(adopted.detail).toMatch(/^adopted by .* until something newer is wanted$/);
    await world.server.rolledOut(world.push(await sample("3")).commit);
    expect((await world.now("hold")).image).toContain(await world.digestOf("live"));
  });

  it("while nobody looked is noticed after the start, and an interrupted repair is taken up, not made twice", async () => {
    const digest = (await world.digestOf("live")) ?? "";
    const before = { held: (await deploysOf("hold")).length, repaired: (await deploysOf("repair")).length };
    await world.server.kill("SIGKILL");
    for (const short of ["hold", "repair"]) await byHand(short, "--image", start);
    await until(
      "the change by hand is through",
      SLACK_MS,
      async () => (await world.now("repair")).update === "completed",
    );
    const { version } = await world.now("repair");
    await world.serve();
    // The second repair within an hour comes a minute after the first.
    await until("the repair is sent", PERIOD_MS + SLACK_MS, async () => (await world.now("repair")).version > version);
    await world.server.kill("SIGKILL");
    await world.serve();

    await shown("repair", ({ state, running }) => state === "ok" && running?.endsWith(digest) === true);
    const [repair, ...earlier] = await deploysOf("repair");
    expect([repair?.state, earlier.length]).toEqual(["verified", before.repaired]);
    const made = (await world.tasks("repair")).filter(
      ({ image, desired }) => image.endsWith(digest) && desired === "running",
    );
    expect(made.length).toBe(2);
    expect((await world.now("repair")).labels["millrace.intent"]).toBe(repair?.id);

    const held = await shown("hold", ({ state }) => state === "failed");
    expect([held.detail.includes("is held"), (await deploysOf("hold")).length]).toEqual([true, before.held]);
    const [last] = await jobsOf("hold");
    expect(await act("rebuild", last?.id ?? "")).toMatch(/swarm/);
    await shown("hold", ({ state, running }) => state === "ok" && running?.endsWith(digest) === true);
  });
});
