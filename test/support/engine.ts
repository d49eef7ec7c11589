import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage } from "./images.ts";

/** A Docker engine of its own, with a small disk and without network, that a test may kill. */
export interface TestEngine {
  readonly endpoint: string;
  start(): Promise<void>;
  /** SIGKILL: no goodbye to anybody. */
  kill(): Promise<void>;
  /** SIGTERM: it ends its builds and says so. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

const READY_DEADLINE_MS = 30_000;

/** Whether such an engine can be had: it takes a superuser and the engine's program. */
export function canStartEngine(): boolean {
  try {
    execFileSync("dockerd", ["--version"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** Starts it, with `busyboxImage()` in it. `megabytes` is the size of its disk. */
export async function startEngine(megabytes: number): Promise<TestEngine> {
  const dir = mkdtempSync(join(tmpdir(), "mr-engine-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir]);
  const endpoint = `unix://${dir}/docker.sock`;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = await launch(dir, endpoint);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  await start();
  const image = execFileSync("docker", ["save", await busyboxImage()], { maxBuffer: 2 ** 28 });
  execFileSync("docker", ["-H", endpoint, "load", "--quiet"], { input: image, stdio: "pipe" });
  const dispose = async (): Promise<void> => {
    await end("SIGTERM");
    endContainerd(dir);
    execFileSync("umount", ["--lazy", dir]); // with all that is mounted below, whatever of it just goes
    rmSync(dir, { recursive: true, force: true });
  };
  return { endpoint, start, kill: () => end("SIGKILL"), stop: () => end("SIGTERM"), dispose };
}

async function launch(dir: string, endpoint: string): Promise<ChildProcess> {
  const roots = ["--data-root", join(dir, "data"), "--exec-root", join(dir, "exec"), "--pidfile", join(dir, "pid")];
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  rmSync(join(dir, "pid"), { force: true });
  const log = openSync(`${dir}.log`, "a");
  // In a network of its own: an engine that is told to have no bridge removes that of every other one beside it.
  const argv = ["--net", "dockerd", "-H", endpoint, ...roots, ...network];
  const child = spawn("unshare", argv, { stdio: ["ignore", log, log] });
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    try {
      execFileSync("docker", ["-H", endpoint, "version"], { stdio: "ignore", timeout: 3_000 });
      return child;
    } catch {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`engine did not start: see ${dir}.log`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A killed engine leaves its containerd behind. */
function endContainerd(dir: string): void {
  try {
    process.kill(Number(readFileSync(join(dir, "exec/containerd/containerd.pid"), "utf8")), "SIGKILL");
  } catch {
    // It ended with its engine.
  }
  rmSync(`${dir}.log`, { force: true });
}
