import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dockerHost } from "./need.ts";

const run = promisify(execFile);
const NAME = "millrace-test/busybox:1";

/**
 * The name of a base image with a shell, made from this machine's own static busybox: nothing can be pulled here.
 *
 * Made once per engine; asking again costs one look.
 */
export async function busyboxImage(): Promise<string> {
  const docker = (...args: string[]) => run("docker", ["-H", dockerHost, ...args]);
  const there = await docker("image", "inspect", NAME).catch(() => undefined);
  if (there !== undefined) return NAME;
  const dir = await mkdtemp(join(tmpdir(), "millrace-busybox-"));
  try {
    const root = join(dir, "root");
    for (const name of ["bin", "tmp", "etc", "proc"]) await mkdir(join(root, name), { recursive: true });
    await run("cp", ["/bin/busybox", join(root, "bin/busybox")]);
    await run("/bin/busybox", ["--install", join(root, "bin")]);
    await run("tar", ["-C", root, "--owner=0", "--group=0", "-cf", join(dir, "root.tar"), "."]);
    await docker("import", "--change", 'CMD ["/bin/sh"]', join(dir, "root.tar"), NAME);
    return NAME;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
