import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { need, programOf } from "./need.ts";

/** A disk whose power can be cut: what was not handed to it by then is lost. */
export interface PowerDisk {
  /** Where it is mounted. */
  readonly dir: string;
  /** The disk is gone, for whoever uses it, from one write to the next. */
  cut(): Promise<void>;
  /** Mounts what is on it, after `cut` and when nobody uses it any more. */
  restore(): void;
  dispose(): void;
}

const READY_MS = 10_000;

/** Whether such a disk can be had: it takes a superuser, nbdkit, and a kernel with FUSE and loop devices. */
export function mayCutPower(): boolean {
  const there = need("nbdkit");
  try {
    for (const device of ["/dev/fuse", "/dev/loop-control"]) accessSync(device);
    return there && process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/**
 * An ext4 on a loop device, on a file in FUSE, that a server of a block device serves. The server is what is killed:
 * what had not been written to it is in no memory but the kernel's, which is thrown away with the file system.
 */
export async function powerDisk(megabytes: number): Promise<PowerDisk> {
  const top = mkdtempSync(join(tmpdir(), "millrace-power-"));
  const [image, socket, fuse, dir] = ["disk", "socket", "fuse", "mounted"].map((name) => join(top, name));
  if (image === undefined || socket === undefined || fuse === undefined || dir === undefined) throw new Error(top);
  mkdirSync(dir);
  writeFileSync(fuse, "");
  execFileSync("truncate", ["--size", `${megabytes}M`, image]);
  execFileSync(programOf("nbdkit", "mkfs.ext4"), ["-q", "-F", image]);
  const server = spawn(programOf("nbdkit"), ["-f", "-U", socket, "file", image], { stdio: "ignore" });
  await seen(() => existsSync(socket));
  const bridge = spawn(programOf("nbdkit", "nbdfuse"), [fuse, "--unix", socket], { stdio: "ignore" });
  await seen(() => statSync(fuse).size > 0);
  const loop = execFileSync("losetup", ["--find", "--show", fuse], { encoding: "utf8" }).trim();
  execFileSync("mount", [loop, dir]);
  let mounted = true;
  const unmount = (): void => {
    if (mounted) execFileSync("umount", ["--lazy", dir], { stdio: "ignore" });
    mounted = false;
  };
  let cutting: Promise<void> | undefined;
  const cut = async (): Promise<void> => {
    await killed(server);
    unmount();
    execFileSync("losetup", ["--detach", loop]);
    execFileSync("umount", ["--lazy", fuse]);
    await killed(bridge);
  };
  return {
    dir,
    cut: () => (cutting ??= cut()),
    restore: () => {
      execFileSync("mount", ["-o", "loop", image, dir]);
      mounted = true;
    },
    dispose: () => {
      unmount();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

async function seen(look: () => boolean): Promise<void> {
  for (const endMs = performance.now() + READY_MS; !look(); ) {
    if (performance.now() > endMs) throw new Error(`not there in ${READY_MS} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
