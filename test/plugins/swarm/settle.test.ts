import { VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { plainLog } from "../../../src/plugins/swarm/evidence.ts";
import type { EngineClient, SwarmPorts } from "../../../src/plugins/swarm/port.ts";
import { settleService } from "../../../src/plugins/swarm/settle.ts";
import { testJob } from "../../support/job.ts";

/** Hours of an engine's life in virtual time; what an engine really does is in test/real/swarm.test.ts. */
const IMAGE = `r.example/web@sha256:${"b".repeat(64)}`;
const spec = { host: "here", service: "web" };
const ref = { service: "s1", image: IMAGE };

const gone = (): Promise<never> => Promise.reject(Object.assign(new Error("connect ENOENT"), { code: "ENOENT" }));
const silent = (): Promise<never> => new Promise(() => {});
const service = (more: object = {}) => ({
  ID: "s1",
  Version: { Index: 5 },
  UpdatedAt: "2026-11-21T08:00:00Z",
  Spec: { Name: "web", TaskTemplate: { ContainerSpec: { Image: IMAGE } }, Mode: { Replicated: { Replicas: 1 } } },
  ...more,
});
const task = (state: string, error = "") => ({
  ID: "task1",
  Slot: 1,
  CreatedAt: "2026-11-21T08:00:00Z",
  Spec: { ContainerSpec: { Image: IMAGE } },
  DesiredState: "running",
  Status: { State: state, Err: error },
});

function engine(inspect: () => Promise<unknown>, tasks: () => Promise<unknown>): EngineClient {
  return {
    getService: () => ({ inspect, update: gone }),
    getTask: () => ({ inspect: gone }),
    getContainer: () => ({ inspect: gone }),
    listServices: gone,
    listTasks: tasks,
  };
}

/** Settles in virtual time; also says how long that took in minutes. The wall clock jumps at the second minute. */
async function settle(client: EngineClient, meddle: (minutes: number) => void = () => {}, jumpMs = 0) {
  const scheduler = new VirtualTimeScheduler();
  const right = createClock(scheduler);
  const clock = { ...right, now: () => right.now() + (right.now() > 120_000 ? jumpMs : 0) };
  const ports: SwarmPorts = { engine: () => client, credentials: () => undefined, clock };
  const job = testJob();
  let settled: Awaited<ReturnType<typeof settleService>> | undefined;
  void settleService(ports, spec, ref, job).then((end) => (settled = end));
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (settled !== undefined) return { settled, minutes: right.now() / 60_000, job };
    meddle(right.now() / 60_000);
    scheduler.flush();
  }
}

describe("waiting for a service to settle", () => {
  it("waits ten minutes for an engine that is gone, asking less and less often", async () => {
    let asked = 0;
    const { settled, minutes, job } = await settle(engine(() => (asked++, gone()), gone));
    expect(settled).toMatchObject({ state: "unreachable", error: { code: "ENGINE_UNREACHABLE", class: "transient" } });
    expect(Math.round(minutes)).toBe(10);
    expect(asked).toBeLessThan(150);
    expect(job.text().match(/asking again/g)).toHaveLength(1);
  });

  it("does the same for an engine that takes connections and never answers", async () => {
    const { settled } = await settle(engine(silent, silent));
    expect(settled).toMatchObject({ state: "unreachable", error: { message: /no answer within 10 s/ } });
  });

  it("begins to count again once the engine was there", async () => {
    let minute = 0;
    const flaky = (answer: unknown) => () => (minute > 8 && minute < 9 ? Promise.resolve(answer) : gone());
    const client = engine(flaky(service()), flaky([task("starting")]));
    const { settled, minutes } = await settle(client, (now) => (minute = now));
    expect(settled.state).toBe("unreachable");
    expect(minutes).toBeGreaterThan(17);
  });

  it("gives a roll-out fifteen minutes, and says what it was stuck at", async () => {
    const stuck = engine(
      () => Promise.resolve(service({ UpdateStatus: { State: "updating", StartedAt: "x" } })),
      () => Promise.resolve([task("pending", "no suitable node (1 node not available)")]),
    );
    const { settled, minutes, job } = await settle(stuck);
    expect(Math.round(minutes)).toBe(15);
    expect(settled).toMatchObject({ state: "failed", evidence: /15 minutes[^]*no suitable node/ });
    expect(job.text().match(/pending/g)).toHaveLength(1);
  });

  it.each([-3_600_000, 86_400_000])("measures no time by a wall clock that is put %i ms on", async (byMs) => {
    const stuck = engine(
      () => Promise.resolve(service({ UpdateStatus: { State: "updating", StartedAt: "x" } })),
      () => Promise.resolve([task("pending")]),
    );
    const { settled, minutes } = await settle(stuck, () => {}, byMs);
    expect([settled.state, Math.round(minutes)]).toEqual(["failed", 15]);
    const unreachable = await settle(engine(gone, gone), () => {}, byMs);
    expect([unreachable.settled.state, Math.round(unreachable.minutes)]).toEqual(["unreachable", 10]);
  });

  it("gives more when the service's own delays add up to more", async () => {
    const UpdateConfig = { Parallelism: 1, Delay: 20 * 60e9 };
    const slow = service({ UpdateStatus: { State: "updating", StartedAt: "x" } });
    const client = engine(
      () => Promise.resolve({ ...slow, Spec: { ...slow.Spec, UpdateConfig } }),
      () => Promise.resolve([task("starting")]),
    );
    expect((await settle(client)).minutes).toBeGreaterThan(40);
  });

  it("stops watching when the job is cancelled", async () => {
    const client = engine(
      () => Promise.resolve(service({ UpdateStatus: { State: "updating", StartedAt: "x" } })),
      () => Promise.resolve([task("starting")]),
    );
    const job = testJob();
    const ports: SwarmPorts = { engine: () => client, credentials: () => undefined, clock: createClock() };
    const settling = settleService(ports, spec, ref, job);
    await job.saw("starting");
    job.cancel("the server stops");
    expect(await settling).toMatchObject({
      state: "unreachable",
      error: { code: "CANCELLED", message: /server stops/ },
    });
  });

  it("keeps secrets out of the evidence", async () => {
    const secret = new Secret("correct-horse-battery");
    const client = engine(
      () => Promise.resolve(service({ UpdateStatus: { State: "paused", StartedAt: "x", Message: "halt" } })),
      () => Promise.resolve([task("failed", `bad password ${secret.reveal()}`)]),
    );
    const { settled } = await settle(client);
    expect(JSON.stringify(settled)).toContain("bad password ‹secret›");
  });
});

describe("a task's log", () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  it("loses its frame headers; a terminal's has none", () => {
    expect(plainLog(Buffer.concat([frame(1, "one\n"), frame(2, "twö\n")]))).toBe("one\ntwö\n");
    expect(plainLog(Buffer.from("plain\n"))).toBe("plain\n");
    expect(plainLog(frame(1, "cut off").subarray(0, 11))).toBe("cut");
    expect(plainLog(Buffer.alloc(0))).toBe("");
  });
});
