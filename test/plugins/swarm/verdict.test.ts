import { describe, expect, it } from "vitest";
import type { SwarmRef } from "../../../src/plugins/swarm/ref.ts";
import type { ServiceState, TaskState } from "../../../src/plugins/swarm/state.ts";
import { judge, ownTasks, progressOf } from "../../../src/plugins/swarm/verdict.ts";

const OLD = `r.example/web@sha256:${"a".repeat(64)}`;
const NEW = `r.example/web@sha256:${"b".repeat(64)}`;
const BEFORE = "2026-11-21T07:00:00.123456789Z";
const DURING = "2026-11-21T08:00:00.123456789Z";

const ref: SwarmRef = { service: "s1", image: NEW, startedBefore: BEFORE, updatedBefore: BEFORE };
const update = (state: string, startedAt = DURING) => ({ state, startedAt, message: state });
const service = (more: Partial<ServiceState> = {}): ServiceState => ({
  id: "s1",
  name: "web",
  version: "5",
  updatedAt: DURING,
  image: NEW,
  labels: {},
  replicas: 2,
  pace: { parallelism: 1, delayMs: 0, monitorMs: 5_000, healthMs: 0, stopMs: 0 },
  spec: {},
  ...more,
});
let ids = 0;
const task = (image: string, state: string, more: Partial<TaskState> = {}): TaskState => ({
  id: `t${++ids}`,
  slot: String(ids),
  image,
  desired: "running",
  state,
  error: "",
  containerId: "c",
  createdAt: DURING,
  ...more,
});
const verdict = (seen: ServiceState, tasks: readonly TaskState[], runningMs = 60_000): string =>
  judge(ref, { service: seen, tasks, runningForMs: () => runningMs }).state;
const running = () => [task(NEW, "running"), task(NEW, "running")];

describe("the verdict on an update", () => {
  it("is not healthy right after the write, when the update state is empty or the previous one", () => {
    const old = [task(OLD, "running"), task(OLD, "running")];
    expect(verdict(service(), old)).toBe("moving");
    expect(verdict(service({ update: update("completed", BEFORE) }), old)).toBe("moving");
    expect(verdict(service({ update: update("rollback_completed", BEFORE) }), old)).toBe("moving");
    expect(verdict(service({ update: update("paused", BEFORE) }), old)).toBe("moving");
  });

  it("is healthy when all tasks run the image and no update is under way, with or without an update state", () => {
    expect(verdict(service(), running())).toBe("healthy");
    expect(verdict(service({ update: update("completed") }), running())).toBe("healthy");
    expect(verdict(service({ update: update("updating") }), running())).toBe("moving");
  });

  it("waits for every replica, and for the ones that are only ready", () => {
    const completed = service({ update: update("completed") });
    expect(verdict(completed, [task(NEW, "running")])).toBe("moving");
    expect(verdict(completed, [task(NEW, "running"), task(NEW, "starting")])).toBe("moving");
    expect(verdict(completed, [...running(), task(NEW, "ready", { desired: "ready" })])).toBe("moving");
    expect(verdict(completed, [...running(), task(OLD, "running")])).toBe("moving");
    expect(verdict(completed, [...running(), task(OLD, "shutdown", { desired: "shutdown" })])).toBe("healthy");
  });

  it("follows Swarm's own word about a roll-back", () => {
    const back = { image: OLD };
    expect(verdict(service({ ...back, update: update("rollback_started") }), [])).toBe("moving");
    expect(verdict(service({ ...back, update: update("rollback_completed") }), [])).toBe("rolled-back");
    expect(verdict(service({ ...back, update: update("rollback_paused") }), [])).toBe("failed");
    expect(verdict(service({ update: update("paused") }), running())).toBe("failed");
  });

  it("does not take somebody else's change for its own", () => {
    expect(verdict(service({ image: OLD }), running())).toBe("failed");
    expect(verdict(service({ image: OLD, update: update("updating") }), running())).toBe("failed");
  });

  it("counts a global service by the tasks that Swarm wants, and none of none", () => {
    expect(verdict(service({ replicas: "global" }), [task(NEW, "running")])).toBe("healthy");
    expect(verdict(service({ replicas: "global" }), [task(NEW, "running"), task(OLD, "running")])).toBe("moving");
    expect(verdict(service({ replicas: 0 }), [])).toBe("healthy");
    expect(verdict(service({ replicas: 0 }), [task(OLD, "running")])).toBe("moving");
  });

  it("wants tasks to last once one of this write has failed", () => {
    const failed = task(NEW, "failed", { desired: "shutdown" });
    const completed = service({ update: update("completed") });
    expect(verdict(completed, [...running(), failed], 4_999)).toBe("moving");
    expect(verdict(completed, [...running(), failed], 5_000)).toBe("healthy");
    const before = { ...failed, createdAt: "2026-11-21T06:59:59Z" };
    expect(verdict(completed, [...running(), before], 0)).toBe("healthy");
  });

  it("counts progress over the replicas", () => {
    const look = { service: service(), tasks: [task(NEW, "running"), task(OLD, "running")], runningForMs: () => 0 };
    expect(progressOf(ref, look)).toEqual({ done: 1, total: 2 });
    expect(ownTasks(ref, look.tasks).map(({ image }) => image)).toEqual([NEW]);
  });
});
