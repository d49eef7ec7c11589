import { describe, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { observeService } from "../../../src/plugins/swarm/observe.ts";
import type { EngineClient } from "../../../src/plugins/swarm/port.ts";

const OLD = `r.example/web@sha256:${"a".repeat(64)}`;
const NEW = `r.example/web@sha256:${"b".repeat(64)}`;
const gone = (): Promise<never> => Promise.reject(new Error("not asked for here"));

type Mode = { readonly Replicated: { readonly Replicas: number } } | { readonly Global: object };
const replicas = (count: number): Mode => ({ Replicated: { Replicas: count } });

let at = 0;
const task = (state: string, more: { slot?: number; desired?: string; error?: string; image?: string } = {}) => {
  at += 1;
  const { slot = 1, desired = "running", error = "", image = NEW } = more;
  return {
    ID: `task${at}`,
    ...(slot === 0 ? { NodeID: "node1" } : { Slot: slot }),
    CreatedAt: new Date(Date.UTC(2026, 10, 21) + at * 1_000).toISOString(),
    Spec: { ContainerSpec: { Image: image } },
    DesiredState: desired,
    Status: { State: state, Err: error },
  };
};
const ended = (state: string, error: string, slot = 1) => task(state, { slot, desired: "shutdown", error });
const exit = "task: non-zero exit (3)";

/** Motion, and why it is down. */
async function look(mode: Mode, tasks: readonly object[], update?: string) {
  const service = {
    ID: "s1",
    Version: { Index: 5 },
    Spec: { Name: "web", TaskTemplate: { ContainerSpec: { Image: NEW } }, Mode: mode },
    ...(update === undefined ? {} : { UpdateStatus: { State: update, StartedAt: "x", Message: update } }),
  };
  const client: EngineClient = {
    getService: () => ({ inspect: async () => service, update: gone }),
    getTask: () => ({ inspect: gone }),
    getContainer: () => ({ inspect: gone }),
    listServices: gone,
    listTasks: async () => tasks,
  };
  const ports = { engine: () => client, credentials: () => undefined, clock: createClock() };
  const seen = await observeService(ports, { host: "here", service: "web" }, new AbortController().signal);
  if (!seen.ok) throw new Error(seen.error.message);
  return [seen.value.motion, seen.value.down];
}

describe("a service that nothing moves", () => {
  it("is up when all of its tasks run, whatever failed before, and when it is to have none", async () => {
    expect(await look(replicas(1), [ended("failed", exit), task("running")])).toEqual(["steady", undefined]);
    expect(await look(replicas(2), [task("running"), task("running", { slot: 2 })], "completed")).toEqual([
      "steady",
      undefined,
    ]);
    expect(await look(replicas(0), [])).toEqual(["steady", undefined]);
    expect(await look({ Global: {} }, [task("running", { slot: 0 })])).toEqual(["steady", undefined]);
    expect(await look({ Global: {} }, [])).toEqual(["steady", undefined]);
  });

  it("is down when they do not: with what they say", async () => {
    const pending = task("pending", { error: "no suitable node (1 node not available)" });
    expect(await look(replicas(1), [pending])).toEqual([
      "steady",
      "0 of 1 tasks run; pending: no suitable node (1 node not available)",
    ]);
    const one = [task("running"), ended("failed", exit, 2), task("starting", { slot: 2 })];
    expect(await look(replicas(2), one)).toEqual(["steady", `1 of 2 tasks run; failed: ${exit}`]);
    expect(await look(replicas(1), [task("preparing")])).toEqual(["steady", "0 of 1 tasks run; preparing"]);
  });

  it("is down after an update too that Swarm calls done, or has undone", async () => {
    const tasks = [ended("failed", exit), task("ready", { desired: "ready" })];
    expect(await look(replicas(1), tasks, "completed")).toEqual(["steady", `0 of 1 tasks run; failed: ${exit}`]);
    expect(await look(replicas(1), tasks, "rollback_completed")).toEqual([
      "rolled-back",
      `0 of 1 tasks run; failed: ${exit}`,
    ]);
  });

  it("is down when Swarm has given up starting it", async () => {
    expect(await look(replicas(1), [ended("complete", "")])).toEqual(["steady", "0 of 1 tasks run; complete"]);
    const everywhere = task("failed", { slot: 0, desired: "shutdown", error: exit });
    expect(await look({ Global: {} }, [everywhere])).toEqual(["steady", `0 of its tasks run; failed: ${exit}`]);
  });

  it("says the same of a task that fails again and again, and the same thing once", async () => {
    const first = [ended("failed", exit), task("ready", { desired: "ready" })];
    const second = [...first, ended("failed", exit), task("starting")];
    expect(await look(replicas(1), second)).toEqual(await look(replicas(1), first));
    const before = task("failed", { image: OLD, desired: "shutdown", error: "long ago" });
    expect((await look(replicas(1), [before, task("starting")]))[1]).toBe("0 of 1 tasks run; starting");
    const many = Array.from({ length: 9 }, (_, slot) => ended("failed", exit, slot + 1));
    expect((await look(replicas(9), many))[1]).toBe(`0 of 9 tasks run; failed: ${exit}`);
  });

  it("keeps secrets to itself", async () => {
    const secret = new Secret("correct-horse-battery");
    const [, down] = await look(replicas(1), [ended("rejected", `bad password ${secret.reveal()}`)]);
    expect(down).toBe("0 of 1 tasks run; rejected: bad password ‹secret›");
  });
});

describe("a service that is moved, or whose update stands still", () => {
  it.each([
    ["updating", "moving"],
    ["rollback_started", "moving"],
    ["paused", "failed"],
    ["rollback_paused", "failed"],
  ])("%s: its motion says it", async (update, motion) => {
    expect(await look(replicas(1), [ended("failed", exit)], update)).toEqual([motion, undefined]);
  });

  it("moves right after a write, before Swarm has begun", async () => {
    expect(await look(replicas(1), [task("running", { image: OLD })])).toEqual(["moving", undefined]);
  });
});
