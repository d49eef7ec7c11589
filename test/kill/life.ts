import { Type } from "typebox";
import { DeployJson, GraphJson } from "../../src/web/api/schemas.ts";
import type { Server, StartOptions } from "../scenario/server.ts";
import type { RecordingProxy } from "../support/recording-proxy.ts";
import { isTag, isUpdate } from "./accounts.ts";
import type { Place } from "./place.ts";
import type { Strike } from "./plan.ts";
import { killAtCall } from "./strace.ts";

/** How often is looked for an open intent, in milliseconds. */
const EVERY_MS = 30;
const OPEN_WAIT_MS = 20_000;
/** So often in a row all has to be as wanted before that is believed: a push takes a moment to be seen. */
const IDLE_LOOKS = 20;
const Deploys = Type.Array(DeployJson);
const OPEN: ReadonlySet<string> = new Set(["planned", "applied", "unknown"]);

/** How a life ended. */
export interface Death {
  /** Whether the weapon itself killed it, and not the limit after it. */
  readonly aimed: boolean;
  /** Writes of the dead server that have not gone on yet. */
  readonly held: readonly Late[];
}

/** A write that came whole and was held up. */
export interface Late {
  /** Whether the far side has yet to answer it. */
  readonly unanswered: boolean;
  readonly release: () => void;
}

/** Kills a living server as planned; `push` is done when the strike wants it. */
export async function killLiving(place: Place, server: Server, strike: Strike, push: () => void): Promise<Death> {
  if (strike.from === "open") {
    push();
    await intentOpen(server);
  }
  const armed = await arm(place, server.pid, strike, server.ended);
  if (strike.from === "push") push();
  return struck(armed, server.pid, strike, server.ended);
}

/** Begins a server that is killed while it begins, or soon after. */
export async function killNewborn(
  place: Place,
  strike: Strike,
  start: (begun: Required<Pick<StartOptions, "begun">>) => Promise<Server>,
): Promise<Death> {
  const born: number[] = [];
  const starting = start({ begun: (pid) => born.push(pid) });
  const ended = starting.then(
    (server) => server.ended,
    () => null, // it did not get as far as its pages
  );
  const [pid] = born;
  if (pid === undefined) throw new Error("the server was not begun");
  return struck(await arm(place, pid, strike, ended), pid, strike, ended);
}

/** A weapon in its place: `fired` when the server is dead, or is to be killed at once. */
interface Armed {
  readonly fired: Promise<unknown>;
  /** What it holds up by now. */
  readonly held: () => readonly Late[];
  /** It fires no more. */
  disarm(): void;
}

async function struck(armed: Armed, pid: number, strike: Strike, ended: Promise<unknown>): Promise<Death> {
  const aimed = await Promise.race([armed.fired.then(() => true), afterMs(strike.limitMs).then(() => false)]);
  armed.disarm();
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it is dead already
  }
  await ended;
  return { aimed, held: armed.held() };
}

async function arm(place: Place, pid: number, { weapon, from }: Strike, ended: Promise<unknown>): Promise<Armed> {
  switch (weapon.by) {
    case "call":
      await killAtCall(pid, weapon.calls, weapon.nth, { follow: from === "birth" });
      return { fired: ended, held: () => [], disarm: () => {} };
    case "time":
      return { fired: afterMs(weapon.afterMs), held: () => [], disarm: () => {} };
    case "write":
      return weapon.to === "service"
        ? holdFirst(place.engine, isUpdate, weapon)
        : holdFirst(place.registry, isTag, weapon);
  }
}

/** Holds the first `nth` writes up; fires when the last of them has come. */
function holdFirst(
  proxy: RecordingProxy,
  match: typeof isUpdate,
  { side, nth }: { readonly side: "request" | "answer"; readonly nth: number },
): Armed {
  let wanted = nth;
  const late: Late[] = [];
  const holds = Array.from({ length: nth }, async () => {
    const held = proxy.hold(side, (asked) => {
      if (wanted === 0 || !match(asked)) return false;
      wanted -= 1;
      return true;
    });
    await held.arrived;
    late.push({ unanswered: side === "request", release: () => held.release() });
  });
  const disarm = (): void => {
    wanted = 0;
  };
  return { fired: Promise.all(holds), held: () => late, disarm };
}

/** Waits until an intent for a service is open, as the server tells; not when nothing is left to do. */
async function intentOpen(server: Server): Promise<void> {
  const endMs = performance.now() + OPEN_WAIT_MS;
  let idle = 0;
  while (performance.now() < endMs && idle < IDLE_LOOKS) {
    const deploys = await server.read("history?limit=20", Deploys);
    if (deploys.some(({ kind, state }) => kind === "swarm" && OPEN.has(state))) return;
    const { nodes } = await server.read("graph", GraphJson);
    idle = nodes.every(({ state, updating }) => state === "ok" && updating === undefined) ? idle + 1 : 0;
    await afterMs(EVERY_MS);
  }
}

const afterMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
