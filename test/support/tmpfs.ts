import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
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
