// Swarm mode of an engine: turned on only after asking, left only when it was turned on here and nothing else uses it.
import { createInterface } from "node:readline/promises";
import { isOwnEngine } from "./engine.mjs";
import { ask } from "./http.mjs";
import { Stop, say, timed } from "./say.mjs";

const LOOPBACK = "127.0.0.1";
const SWARM_PORT = 2377;
const GATEWAY = "docker_gwbridge";

/**
 * Sees to it that the engine is in Swarm mode: `{ active, turnedOn }`. `yes` answers the question beforehand. Where
 * nobody can be asked it stays off, except on an engine that was started by these commands and holds nothing else.
 */
export async function ensureSwarm(host, { yes }) {
  const state = await swarmState(host);
  if (state === "active") {
    await mustManage(host);
    return { active: true, turnedOn: false };
  }
  if (state !== "inactive")
    throw new Stop(`the engine's Swarm is ${state}`, "See docker info; it has to be active or inactive.");
  if (!(yes || (await consent(host)))) return { active: false, turnedOn: false };
  await timed("swarm", "turning Swarm mode on", async () => {
    await init(host);
    return `Swarm mode is on, for ${LOOPBACK} only`;
  });
  return { active: true, turnedOn: true };
}

export async function swarmState(host) {
  return (await ask(host, "/info", { timeoutMs: 10_000 })).json().Swarm?.LocalNodeState ?? "unknown";
}

async function mustManage(host) {
  const info = (await ask(host, "/info", { timeoutMs: 10_000 })).json();
  if (!info.Swarm.ControlAvailable) throw new Stop("the engine is a Swarm worker", "Use an engine that is a manager.");
}

async function consent(host) {
  if (process.stdin.isTTY) {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    const gone = new AbortController();
    lines.once("close", () => gone.abort()); // Ctrl-C or the end of the input says no
    const question = `Swarm mode is off at ${host}. Turn it on, for ${LOOPBACK} only? [y/N] `;
    const answer = await lines.question(question, { signal: gone.signal }).catch(() => "");
    lines.close();
    return /^y(es)?$/i.test(answer.trim());
  }
  if (!isOwnEngine(host)) return false;
  say("swarm", "the engine was started by this project and holds nothing else: Swarm mode needs no question");
  return true;
}

async function init(host) {
  const body = { ListenAddr: `${LOOPBACK}:${SWARM_PORT}`, AdvertiseAddr: LOOPBACK };
  const answer = await ask(host, "/swarm/init", { method: "POST", body, timeoutMs: 30_000 });
  if (answer.status !== 200) throw new Stop("Swarm mode cannot be turned on", answer.text.trim());
}

/** Leaves the Swarm when nothing runs in it any more. The answer says what was done, for a person. */
export async function leaveSwarm(host) {
  if ((await swarmState(host)) !== "active") return "Swarm mode is off already";
  const services = (await ask(host, "/services")).json();
  if (services.length > 0) return `Swarm mode stays on: other services run in it (${services[0].Spec.Name}, …)`;
  const answer = await ask(host, "/swarm/leave?force=true", { method: "POST", timeoutMs: 60_000 });
  if (answer.status !== 200) return `Swarm mode stays on: ${answer.text.trim()}`;
  await ask(host, `/networks/${GATEWAY}`, { method: "DELETE" }); // made by Swarm mode; refused while somebody uses it
  return "Swarm mode is off again";
}
