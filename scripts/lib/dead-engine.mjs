// What a Docker engine that was killed leaves in the kernel: network namespaces of containers that are no more, which still
// answer for their addresses on the engine's bridges. The next engine gives the same addresses away again, and half of
// what is sent to them is refused by the dead.
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { attempt, which } from "./run.mjs";
import { say } from "./say.mjs";

const BRIDGES = ["docker0", "docker_gwbridge"];
const LINKS = "/sys/class/net";

/** Cuts the cables of dead containers. Does nothing while an engine, or a container of one, lives in this network. Linux only. */
export async function cutDeadContainers() {
  if (process.platform !== "linux" || which("ip") === undefined || engineLives()) return;
  const cables = readdirSync(LINKS).filter((name) => name.startsWith("veth") && BRIDGES.includes(bridgeOf(name)));
  for (const name of cables) await attempt(["ip", "link", "delete", name]);
  if (cables.length > 0) say("engine", `cut off ${cables.length} dead container(s) that a killed engine had left`);
}

function bridgeOf(name) {
  const master = join(LINKS, name, "master");
  return existsSync(master) ? basename(readlinkSync(master)) : undefined;
}

/** The shim of a container outlives its engine, and is there as long as the container. */
function engineLives() {
  const here = readlinkSync("/proc/self/ns/net");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => isEngine(pid) && networkOf(pid) === here);
}

const isEngine = (pid) => /^(dockerd|containerd-shim)/.test(read(() => readFileSync(`/proc/${pid}/comm`, "utf8")));

const networkOf = (pid) => read(() => readlinkSync(`/proc/${pid}/ns/net`));

/** What a process says of itself; nothing once it has ended. */
function read(look) {
  try {
    return look();
  } catch {
    return "";
  }
}
