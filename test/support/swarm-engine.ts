import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage } from "./images.ts";
import { programOf } from "./need.ts";

/** A Docker engine of its own, a Swarm of one node, that a test may stop and start. */
export interface SwarmEngine {
  readonly endpoint: string;
  /** Waits until it answers and its Swarm is there. Does nothing when it runs. */
  start(): Promise<void>;
  /** SIGKILL: no goodbye to anybody. */
  kill(): Promise<void>;
  /** SIGTERM: it stops its containers first. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

const READY_DEADLINE_MS = 60_000;

/**
 * Starts it in a network of its own, so that it and the engines beside it leave each other's bridges and rules alone.
 * It has `busyboxImage()`, and reaches `registry` (`127.0.0.1:PORT`) under that very address.
 */
export async function startSwarmEngine(registry: string): Promise<SwarmEngine> {
  const dir = mkdtempSync(join(tmpdir(), "mr-swarm-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2g", "tmpfs", dir]);
  const endpoint = `unix://${dir}/docker.sock`;
  const net = await startNetwork(dir, registry);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      child = await launch(dir, endpoint, net.pid);
  };
  const end = (signal: NodeJS.Signals): Promise<void> => ended(child, signal);
  await start();
  const image = execFileSync("docker", ["save", await busyboxImage()], { maxBuffer: 2 ** 28 });
  const docker = ["-H", endpoint];
  execFileSync("docker", [...docker, "load", "--quiet"], { input: image, stdio: "pipe" });
  const addresses = ["--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377"];
  execFileSync("docker", [...docker, "swarm", "init", ...addresses], { stdio: "pipe" });
  const dispose = async (): Promise<void> => {
    await end("SIGTERM");
    endContainerd(dir);
    await net.dispose();
    execFileSync("umount", ["--lazy", dir]); // with all that is mounted below, whatever of it just goes
    rmSync(dir, { recursive: true, force: true });
    rmSync(`${dir}.log`, { force: true });
  };
  return { endpoint, start, kill: () => end("SIGKILL"), stop: () => end("SIGTERM"), dispose };
}

interface Network {
  /** A process that lives in it, and keeps it. */
  readonly pid: number;
  dispose(): Promise<void>;
}

/** Listens inside where the registry listens outside, and leads there over a unix socket. */
const INSIDE = `
const net = require("node:net");
const [port, path] = process.argv.slice(1);
net.createServer((near) => {
  const far = net.connect(path);
  for (const socket of [near, far]) socket.on("error", () => {}).on("close", () => (near.destroy(), far.destroy()));
  near.pipe(far).pipe(near);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
`;

async function startNetwork(dir: string, registry: string): Promise<Network> {
  const port = Number(registry.split(":")[1]);
  const path = join(dir, "registry.sock");
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(path);
  await once(server, "listening");
  const command = '"$1" ip link set lo up && shift && exec "$@"';
  const inside = [programOf("busybox"), process.execPath, "-e", INSIDE, String(port), path];
  const child = spawn("unshare", ["--net", "sh", "-c", command, "sh", ...inside], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stopWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", stopWithUs);
  await once(child.stdout, "data");
  return {
    pid: child.pid ?? 0,
    dispose: async () => {
      process.off("exit", stopWithUs);
      await ended(child, "SIGKILL");
      server.close();
    },
  };
}

async function launch(dir: string, endpoint: string, net: number): Promise<ChildProcess> {
  const roots = ["--data-root", join(dir, "data"), "--exec-root", join(dir, "exec"), "--pidfile", join(dir, "pid")];
  rmSync(join(dir, "pid"), { force: true });
  const log = openSync(`${dir}.log`, "a");
  const argv = [`--net=/proc/${net}/ns/net`, "dockerd", "-H", endpoint, ...roots];
  const child = spawn("nsenter", argv, { stdio: ["ignore", log, log] });
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    if (isReady(endpoint)) return child;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`engine did not start: see ${dir}.log`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** It answers, and what it knows of a Swarm is whole: neither loading nor without its manager. */
function isReady(endpoint: string): boolean {
  try {
    const format = "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}";
    const said = execFileSync("docker", ["-H", endpoint, "info", "--format", format], {
      stdio: "pipe",
      timeout: 3_000,
    });
    return ["active true", "inactive false"].includes(String(said).trim());
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}

/** A killed engine leaves its containerd behind. */
function endContainerd(dir: string): void {
  try {
    process.kill(Number(readFileSync(join(dir, "exec/containerd/containerd.pid"), "utf8")), "SIGKILL");
  } catch {
    // It ended with its engine.
  }
}
