import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import type { Applied, Settled, Stamp } from "../../src/engine/effects/target.ts";
import { Secret } from "../../src/engine/secret.ts";
import {
  listServices,
  type SwarmPorts,
  type SwarmRef,
  type SwarmSeen,
  swarmKind,
} from "../../src/plugins/swarm/index.ts";
import { type TestJob, testJob } from "../support/job.ts";
import { dockerHost, need } from "../support/need.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import { createService, pushImage, type TestService, tasksOf, testEngine, webService } from "../support/service.ts";

const HEX = "0".repeat(64);
/** Falls six times, and then runs. */
const STUMBLES = "echo . >> /count/starts; [ $(wc -l < /count/starts) -gt 6 ] || exit 3; exec sleep 600";
const POLL = { timeout: 30_000, interval: 100 };
const stamp = (generation: number): Stamp => ({
  intent: `intent-${generation}`,
  generation,
  epoch: 7,
  digest: `digest-${generation}`,
  owner: "test",
});

describe.skipIf(!need("swarm") || !need("registry") || !need("busybox"))("a Swarm service as a target", () => {
  let registry: TestRegistry;
  let images: Record<"v1" | "v2" | "unhealthy" | "stumbling" | "crashing" | "missing", string>;
  const services: TestService[] = [];
  const relays: Relay[] = [];

  beforeAll(async () => {
    registry = await startRegistry();
    const push = (lines: string): Promise<string> => pushImage(registry, "demo/web", lines);
    images = {
      v1: await push(webService("1")),
      v2: await push(webService("2")),
      unhealthy: await push(webService("3", false)),
      stumbling: await push(`CMD ["sh","-c","${STUMBLES}"]`),
      crashing: await push('CMD ["sh","-c","echo cannot open the flux; sleep 0.5; exit 3"]'),
      missing: `${registry.host}/demo/web@sha256:${HEX}`,
    };
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.remove();
    for (const relay of relays.splice(0)) await relay.dispose();
  });
  afterAll(() => registry.dispose());

  const portsTo = (endpoint: string): SwarmPorts => ({
    engine: () => testEngine(endpoint),
    credentials: (host) =>
      host === registry.host ? { username: registry.username, password: new Secret(registry.password) } : undefined,
    clock: createClock(),
  });
  const service = async (
    ...options: Parameters<typeof createService> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    const made = await createService(registry, ...options);
    services.push(made);
    const spec = { host: "here", service: made.name };
    return { spec, ...verbs(spec, dockerHost) };
  };
  const verbs = (spec: { host: string; service: string }, endpoint: string) => {
    const kind = swarmKind(portsTo(endpoint));
    return {
      kind,
      observe: async (): Promise<SwarmSeen> => {
        const seen = await kind.observe(spec, new AbortController().signal);
        if (!seen.ok) throw new Error(seen.error.message);
        return seen.value;
      },
      apply: (seen: SwarmSeen, image: string, generation: number) =>
        kind.apply(spec, seen, { image }, stamp(generation), testJob()),
      settle: (ref: SwarmRef, job: TestJob = testJob()) => kind.settle(spec, ref, job),
    };
  };
  const refOf = (applied: Applied<SwarmRef>): SwarmRef => {
    if (applied.state !== "applied") throw new Error(JSON.stringify(applied));
    return applied.ref;
  };

  it("moves a service to a new image, leaves the receipt, and touches nothing else", async () => {
    const { spec, kind, observe, apply, settle } = await service(images.v1, { replicas: 2 });
    const before = await observe();
    expect(before).toMatchObject({ exists: true, running: images.v1, motion: "steady" });
    expect(before.receipt).toBeUndefined();
    expect(kind.plan(spec, before, { image: images.v2 })).toEqual([
      { field: "image", before: images.v1, after: images.v2 },
      { field: "take over", before: "the service was made by hand", after: "follows pipeline.ts from now on" },
      { field: "millrace labels", before: "none", after: "the receipt of this deploy" },
    ]);
    const ref = refOf(await apply(before, images.v2, 1));
    expect((await observe()).motion).toBe("moving");
    const job = testJob();
    expect(await settle(ref, job)).toMatchObject({ state: "healthy", evidence: `2 tasks run ${images.v2}` });
    const after = await observe();
    expect(after).toMatchObject({ running: images.v2, receipt: stamp(1), motion: "steady" });
    expect(kind.plan(spec, after, { image: images.v2 })).toEqual([]);
    expect(specWithoutOurs(after)).toEqual(specWithoutOurs(before));
    expect((await tasksOf(spec.service)).filter((task) => task.image === images.v2)).toHaveLength(2);
    const lines = job.text().match(/task \d \(\w+\): running\n/g) ?? [];
    expect(lines).toHaveLength(2);
    expect(job.reports).toContainEqual({ done: 1, total: 2, label: "updating" });
    expect(job.text()).not.toContain(registry.password);
  });

  it("replaces no task and waits for nothing when only the receipt differs", async () => {
    const { spec, observe, apply, settle } = await service(images.v1);
    const tasks = await tasksOf(spec.service);
    const first = await settle(refOf(await apply(await observe(), images.v1, 1)));
    const again = await settle(refOf(await apply(await observe(), images.v1, 2)));
    expect([first.state, again.state]).toEqual(["healthy", "healthy"]);
    expect(await observe()).toMatchObject({ receipt: stamp(2), motion: "steady" });
    expect(await tasksOf(spec.service)).toEqual(tasks);
  });

  it("leaves an image alone that is the wanted one in another spelling", async () => {
    const { spec, observe, apply } = await service(images.v1.replace("@", ":live@"));
    const tasks = await tasksOf(spec.service);
    expect((await observe()).running).toBe(images.v1);
    expect(await apply(await observe(), images.v1, 1)).toMatchObject({ state: "applied" });
    expect(await observe()).toMatchObject({ running: images.v1, receipt: stamp(1), motion: "steady" });
    expect(await tasksOf(spec.service)).toEqual(tasks);
  });

  it("hands our credentials to the nodes, so that they can pull", async () => {
    const { observe, apply, settle } = await service(images.v1, { anonymous: true });
    await testEngine()
      .getImage(images.v2)
      .remove({ force: true })
      .catch(() => {}); // not there: just as well
    expect(await settle(refOf(await apply(await observe(), images.v2, 1)))).toMatchObject({ state: "healthy" });
  });

  it("says conflict when the service was written in between", async () => {
    const { observe, apply } = await service(images.v1);
    const seen = await observe();
    await apply(seen, images.v1, 1);
    const late = await apply(seen, images.v2, 2);
    expect(late).toMatchObject({ state: "conflict" });
    expect(await observe()).toMatchObject({ running: images.v1, receipt: stamp(1) });
  });

  it("lets exactly one of two concurrent writes win", async () => {
    const { observe, apply } = await service(images.v1);
    const seen = await observe();
    const ends = await Promise.all([apply(seen, images.v1, 1), apply(seen, images.v1, 2)]);
    expect(ends.map(({ state }) => state).toSorted()).toEqual(["applied", "conflict"]);
  });

  it("fences: an earlier write fails, no task is replaced, the receipt stays true", async () => {
    const { spec, kind, observe, apply, settle } = await service(images.v1);
    await settle(refOf(await apply(await observe(), images.v1, 1)));
    const tasks = await tasksOf(spec.service);
    const seen = await observe();
    expect(await kind.fence(spec, seen, stamp(2), testJob())).toMatchObject({ state: "applied" });
    expect(await apply(seen, images.v2, 2)).toMatchObject({ state: "conflict" });
    const fenced = await observe();
    expect(fenced).toMatchObject({ running: images.v1, receipt: stamp(1), motion: "steady" });
    expect(fenced.version).not.toBe(seen.version);
    expect(await kind.fence(spec, fenced, stamp(2), testJob())).toMatchObject({ state: "applied" });
    expect((await observe()).version).not.toBe(fenced.version);
    expect(await tasksOf(spec.service)).toEqual(tasks);
  });

  it("says rolled back for an image that crashes, with the task's own last words; the receipt goes back too", async () => {
    const { spec, observe, apply, settle } = await service(images.v1);
    await settle(refOf(await apply(await observe(), images.v1, 1)));
    const ended = await settle(refOf(await apply(await observe(), images.crashing, 2)));
    expect(told(ended)).toMatch(/^rolled-back: [^]*non-zero exit \(3\)[^]*cannot open the flux/);
    expect(await observe()).toMatchObject({ running: images.v1, receipt: stamp(1), motion: "rolled-back" });
    // the next good value goes through
    const next = await settle(refOf(await apply(await observe(), images.v2, 3)));
    expect(next.state).toBe("healthy");
    expect(await observe()).toMatchObject({ running: images.v2, receipt: stamp(3), motion: "steady" });
    expect(spec.host).toBe("here");
  });

  it("says rolled back for an image that never gets healthy, with the last health answer", async () => {
    const { observe, apply, settle } = await service(images.v1);
    const ended = await settle(refOf(await apply(await observe(), images.unhealthy, 1)));
    expect(told(ended)).toMatch(/^rolled-back: [^]*unhealthy container[^]*last health answer: .*404/);
    expect((await observe()).receipt).toBeUndefined();
  });

  it("says rolled back for a digest that nobody has", async () => {
    const { observe, apply, settle } = await service(images.v1);
    const ended = await settle(refOf(await apply(await observe(), images.missing, 1)));
    expect(told(ended)).toMatch(/^rolled-back: [^]*No such image/);
  });

  it("says failed when Swarm pauses the update", async () => {
    const UpdateConfig = { Parallelism: 1, Monitor: 2e9, FailureAction: "pause", Order: "start-first" } as const;
    const { observe, apply, settle } = await service(images.v1, { UpdateConfig });
    const ref = refOf(await apply(await observe(), images.crashing, 1));
    const ended = await settle(ref);
    expect(told(ended)).toMatch(/^failed: paused[^]*cannot open the flux/);
    const paused = await observe();
    expect(paused).toMatchObject({ motion: "failed", receipt: stamp(1) });
    expect(await settle(refOf(await apply(paused, images.v2, 2)))).toMatchObject({ state: "healthy" });
  });

  it("says that a service is down whose tasks do not run, though no update is under way any more", async () => {
    const UpdateConfig = { Parallelism: 1, Monitor: 2e9, FailureAction: "pause", Order: "stop-first" } as const;
    const { TaskTemplate, removeVolume } = withVolume(images.v1);
    const { spec, kind, observe, apply, settle } = await service(images.v1, { UpdateConfig, TaskTemplate });
    try {
      expect((await observe()).down).toBeUndefined();
      const ended = await settle(refOf(await apply(await observe(), images.stumbling, 1)));
      expect(told(ended)).toMatch(/^failed: paused/);
      expect(await kind.fence(spec, await observe(), stamp(2), testJob())).toMatchObject({ state: "applied" });
      // Swarm has forgotten the update, and starts the task again and again
      const rests = { motion: "steady", running: images.stumbling };
      const down = "0 of 1 tasks run; failed: task: non-zero exit (3)";
      await expect.poll(async () => restOf(await observe()), POLL).toEqual({ ...rests, down });
      await expect.poll(async () => restOf(await observe()), POLL).toEqual(rests); // the last start succeeds
    } finally {
      await services.pop()?.remove();
      await removeVolume();
    }
  });

  it("says that a service is down whose update Swarm calls done though its tasks crash", async () => {
    const UpdateConfig = { Parallelism: 1, Monitor: 1e9, FailureAction: "continue", Order: "stop-first" } as const;
    const TaskTemplate = {
      ContainerSpec: { Image: images.v1, Init: true },
      RestartPolicy: { Condition: "any", Delay: 1e8, MaxAttempts: 2 },
    } as const;
    const { observe, apply, settle } = await service(images.v1, { UpdateConfig, TaskTemplate });
    const job = testJob();
    const ending = settle(refOf(await apply(await observe(), images.crashing, 1)), job);
    await job.saw(/(?:[^]*: failed){3}/);
    job.cancel("seen enough");
    expect((await ending).state).toBe("unreachable");
    const down = "0 of 1 tasks run; failed: task: non-zero exit (3)";
    await expect
      .poll(async () => restOf(await observe()), POLL)
      .toEqual({ motion: "steady", running: images.crashing, down });
  });

  it("does not take a crash loop for health when Swarm goes on regardless", async () => {
    const UpdateConfig = { Parallelism: 1, Monitor: 2e9, FailureAction: "continue", Order: "start-first" } as const;
    const TaskTemplate = {
      ContainerSpec: { Image: images.v1, Init: true },
      RestartPolicy: { Condition: "any", Delay: 1e8 },
    } as const;
    const { observe, apply, settle } = await service(images.v1, { UpdateConfig, TaskTemplate });
    const job = testJob();
    const ending = settle(refOf(await apply(await observe(), images.crashing, 1)), job);
    await job.saw(/(?:[^]*: failed){5}/);
    job.cancel("seen enough");
    expect((await ending).state).toBe("unreachable");
  });

  it("moves a global service, and one of no replicas", async () => {
    const everywhere = await service(images.v1, { Mode: { Global: {} } });
    const ref = refOf(await everywhere.apply(await everywhere.observe(), images.v2, 1));
    expect(await everywhere.settle(ref)).toMatchObject({ state: "healthy", evidence: `1 task runs ${images.v2}` });
    const none = await service(images.v1, { replicas: 0 });
    const settled = await none.settle(refOf(await none.apply(await none.observe(), images.v2, 1)));
    expect(settled).toMatchObject({ state: "healthy", evidence: `0 tasks run ${images.v2}` });
    expect(await none.observe()).toMatchObject({ running: images.v2, receipt: stamp(1), motion: "steady" });
  });

  it("survives an engine that goes away in the middle of an update", async () => {
    const { spec } = await service(images.v1);
    const relay = await startRelay(dockerHost);
    relays.push(relay);
    const { observe, apply, settle } = verbs(spec, relay.endpoint);
    const ref = refOf(await apply(await observe(), images.v2, 1));
    const job = testJob();
    const ending = settle(ref, job);
    await job.saw("starting");
    await relay.cut();
    await job.saw("asking again");
    await relay.restore();
    expect(await ending).toMatchObject({ state: "healthy" });
    expect(job.text()).toContain("in reach again");
  });

  it("maps a dead engine: unreachable to look at, unknown when the answer to a write is lost", async () => {
    const { spec } = await service(images.v1);
    const relay = await startRelay(dockerHost);
    relays.push(relay);
    const { kind, observe, apply } = verbs(spec, relay.endpoint);
    const seen = await observe();
    relay.swallowAnswers();
    expect(await apply(seen, images.v1, 1)).toMatchObject({ state: "unknown" });
    await relay.restore();
    expect(await observe()).toMatchObject({ receipt: stamp(1) }); // it had got through
    await relay.cut();
    const lost = await kind.observe(spec, new AbortController().signal);
    expect(lost).toMatchObject({ ok: false, error: { code: "ENGINE_UNREACHABLE", class: "transient" } });
    expect(await apply(seen, images.v2, 2)).toMatchObject({ state: "unknown" });
  });

  it("goes on watching a deploy that a dead process had sent", async () => {
    const { kind, observe, apply, settle } = await service(images.v1);
    await apply(await observe(), images.crashing, 1);
    const ref = kind.ref.decode((await observe()).ref);
    if (ref === undefined) throw new Error("no ref");
    expect((await settle(ref)).state).toBe("rolled-back");
  });

  it("says that somebody else changed the service, or removed it, while it is watched", async () => {
    const { spec, observe, apply, settle } = await service(images.v1);
    const ref = refOf(await apply(await observe(), images.v2, 1));
    refOf(await apply(await observe(), images.v1, 2));
    expect(told(await settle(ref))).toMatch(/^failed: somebody else has changed the service/);
    await services.splice(0)[0]?.remove();
    expect(told(await settle(ref))).toMatch(/^failed: .* was removed$/);
    expect(await observe()).toMatchObject({ exists: false });
    expect(spec.host).toBe("here");
  });

  it("names the services that may have been meant when there is none of that name", async () => {
    const { spec, kind } = await service(images.v1);
    const wrong = { host: "here", service: `${spec.service}x` };
    const { observe } = verbs(wrong, dockerHost);
    const seen = await observe();
    expect(seen.exists).toBe(false);
    const refused = await kind.apply(wrong, seen, { image: images.v2 }, stamp(1), testJob());
    expect(refused).toMatchObject({ state: "refused", error: { code: "NO_SUCH_SERVICE" } });
    expect(JSON.stringify(refused)).toContain(spec.service);
    expect(kind.plan(wrong, seen, { image: images.v2 })[0]?.after).toMatch(/NO_SUCH_SERVICE.*docker service create/);
    const names = await listServices(portsTo(dockerHost), "here", new AbortController().signal);
    expect(names.ok ? names.value : []).toContain(spec.service);
  });

  it("does not take the beginning of an id for a name", async () => {
    const { observe } = await service(images.v1);
    const id = (await observe()).service?.id ?? "";
    const { observe: byId } = verbs({ host: "here", service: id.slice(0, 12) }, dockerHost);
    expect((await byId()).exists).toBe(false);
  });
});

/** A task with a volume of its own, where it can count how often it was started. */
function withVolume(image: string) {
  const Source = `millrace-test-${process.pid}-count`;
  const Mounts = [{ Type: "volume" as const, Source, Target: "/count" }];
  const RestartPolicy = { Condition: "any", Delay: 1e9 } as const;
  const TaskTemplate = { ContainerSpec: { Image: image, Init: true, Mounts }, RestartPolicy };
  // it cannot go as long as the container of a task is there
  const removeVolume = (): Promise<unknown> => vi.waitFor(() => testEngine().getVolume(Source).remove(), POLL);
  return { TaskTemplate, removeVolume };
}

const restOf = ({ motion, running, down }: SwarmSeen) => ({ motion, running, down });

const told = (settled: Settled): string =>
  `${settled.state}: ${settled.state === "unreachable" ? settled.error.message : settled.evidence}`;

/** The spec as the engine tells it, without the two things that a deploy may change. */
function specWithoutOurs(seen: SwarmSeen): unknown {
  const text = JSON.stringify(seen.service?.spec, (name, value: unknown) =>
    name === "Image" || name.startsWith("millrace.") ? undefined : value,
  );
  return JSON.parse(text);
}
