import type { Clock } from "../../src/engine/clock.ts";
import { Pool } from "../../src/engine/pool.ts";
import { connectEngine, type DockerCheckContext } from "../../src/plugins/docker/index.ts";

/** What a builder of checks is given where none really builds. */
export function noEngine(clock: Clock, places = 1): DockerCheckContext {
  const docked = connectEngine("unix:///nowhere", clock);
  if (!docked.ok) throw new Error(docked.error.message);
  return {
    engine: docked.value,
    checkout: () => Promise.reject(new Error("nothing is checked out")),
    poolFor: () => new Pool("check", places),
  };
}
