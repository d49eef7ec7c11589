import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A small disk of its own for one test, which can really be full. @param options  As for `mount -o`. */
export function smallDisk(options: string): string {
  const dir = mkdtempSync(join(tmpdir(), "millrace-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]);
  onTestFinished(() => {
    execFileSync("umount", ["-l", dir]);
    rmdirSync(dir);
  });
  return dir;
}

/** Whether this user may mount. @throws {Error} with CI=true, when it may not. */
export function mayMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), "millrace-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", dir], { stdio: "ignore" });
    execFileSync("umount", ["-l", dir]);
    return true;
  } catch {
    if (process.env["CI"] === "true") throw new Error("CI=true, and this user may not mount a tmpfs");
    return false;
  } finally {
    rmdirSync(dir);
  }
}

/** A small disk on an existing directory; returns how to take it away. @param options  As for `mount -o`. */
export function mountDisk(dir: string, options: string): () => void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]);
  return () => void execFileSync("umount", ["-l", dir]);
}

/** Writes to a file until there is no byte left on its disk. */
export function fillDisk(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let bytes = 64 * 1024; bytes >= 1; ) bytes = wrote(file, bytes) ? bytes : Math.floor(bytes / 2);
  } finally {
    closeSync(file);
  }
}

function wrote(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch {
    return false; // no room for so many
  }
}
