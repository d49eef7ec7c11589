import { accessSync, constants } from "node:fs";
import { request } from "node:http";
import { delimiter, join } from "node:path";

/** The real parts that tests may need. */
export type Part =
  | "docker"
  | "swarm"
  | "registry"
  | "chromium"
  | "git"
  | "busybox"
  | "strace"
  | "ip"
  | "faketime"
  | "nbdkit";

/** The programs that stand for a part; the first one is the one that is run. */
const programs = {
  registry: ["docker-registry", "htpasswd"],
  chromium: ["chromium"],
  git: ["git"],
  busybox: ["busybox"],
  strace: ["strace"],
  ip: ["ip", "unshare"],
  faketime: ["faketime"],
  nbdkit: ["nbdkit", "nbdfuse", "fusermount3", "mkfs.ext4"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const PROBE_MS = 3_000;

/** The Docker engine that tests use: what `npm test` found, else DOCKER_HOST, else the default socket. */
export const dockerHost =
  process.env["MILLRACE_TEST_DOCKER_HOST"] ?? process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock";

const engine = await probeEngine();

/**
 * Whether a real part is there: `describe.skipIf(!need("docker"))`.
 *
 * Without it the tests are skipped, and `npm test` says so. With CI=true nothing may be missing.
 * @throws {Error} with CI=true, when the part is missing.
 */
export function need(part: Part): boolean {
  const there = isThere(part);
  if (!there && process.env["CI"] === "true") throw new Error(`CI=true and no ${part}: npm test installs what it can`);
  return there;
}

/** The path of the program that stands for a part, or of another one of it. @throws {Error} when it is missing: ask `need` first. */
export function programOf(part: keyof typeof programs, program: string = programs[part][0]): string {
  const path = find(program);
  if (path === undefined) throw new Error(`no ${program} on this machine`);
  return path;
}

function isThere(part: Part): boolean {
  if (part === "docker") return engine !== "none";
  if (part === "swarm") return engine === "swarm";
  return programs[part].every((program) => find(program) !== undefined);
}

function find(program: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be executed
  }
}

/** none · plain: an engine without Swarm mode · swarm. */
async function probeEngine(): Promise<"none" | "plain" | "swarm"> {
  const status = await statusOf("/_ping");
  if (status !== 200) return "none";
  return (await statusOf("/swarm")) === 200 ? "swarm" : "plain";
}

function statusOf(path: string): Promise<number | undefined> {
  const url = dockerHost.startsWith("unix://") ? undefined : new URL(path, dockerHost.replace(/^tcp:/, "http:"));
  const where = url ?? { socketPath: dockerHost.slice("unix://".length), path };
  return new Promise((resolve) => {
    const call = request(where, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    call.setTimeout(PROBE_MS, () => call.destroy(new Error("no answer in time")));
    call.on("error", () => resolve(undefined));
    call.end();
  });
}
