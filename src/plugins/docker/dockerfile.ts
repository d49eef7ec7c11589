import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import { IGNORE_BYTES_MAX, type Ignore, ignoreTooLarge, parseIgnore } from "./ignore.ts";

/** Names listed in a message, and how many entries are looked at for it. */
const LISTED_MAX = 20;
const LOOKED_MAX = 20_000;

/**
 * The Dockerfile's own path in the checkout: links within it are followed, since a Dockerfile may be one.
 *
 * Fails with `NO_DOCKERFILE` (naming those that there are) or `CONTEXT_REFUSED` when the path leads out of the checkout.
 */
export async function findDockerfile(dir: string, path: string, commit: string): Promise<Result<string>> {
  const refuse = (why: string): Result<never> =>
    failure(problem("CONTEXT_REFUSED", `Dockerfile ${JSON.stringify(path)} of commit ${commit}: ${why}`));
  const clean = posix.normalize(path);
  if (path === "" || path.includes("\0") || posix.isAbsolute(path))
    return refuse("expected a path inside the repository");
  if (clean === ".." || clean.startsWith("../")) return refuse("it leads out of the repository");
  const found = await follow(dir, clean);
  if (found === OUTSIDE) return refuse("a link leads out of the repository");
  if (found !== undefined) return success(found);
  const there = await dockerfilesIn(dir);
  const list = there.length === 0 ? "it has none" : `it has ${there.join(", ")}`;
  return failure(problem("NO_DOCKERFILE", `commit ${commit} has no file ${JSON.stringify(path)}; ${list}`));
}

/** The ignore file that counts: `<Dockerfile>.dockerignore` before `.dockerignore`; without either, nothing is left out. */
export async function readIgnore(dir: string, dockerfile: string): Promise<Result<Ignore>> {
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const path = await follow(dir, name);
    if (path === OUTSIDE)
      return failure(problem("CONTEXT_REFUSED", `${name} is a link that leads out of the repository`));
    if (path === undefined) continue;
    const file = join(dir, path);
    // Looked at before it is read: it is somebody else's, and may be of any size.
    if ((await stat(file)).size > IGNORE_BYTES_MAX) return failure(ignoreTooLarge(name));
    return parseIgnore(await readFile(file, "utf8"), name);
  }
  return parseIgnore("", ".dockerignore");
}

const OUTSIDE = Symbol("outside");

/** The path of a file after all links, relative to `dir`; undefined when there is no such file. */
async function follow(dir: string, path: string): Promise<string | typeof OUTSIDE | undefined> {
  const root = await realpath(dir);
  const real = await realpath(join(dir, path)).catch(() => undefined);
  if (real === undefined) return (await hasLink(dir, path)) ? OUTSIDE : undefined;
  if (!real.startsWith(root + sep)) return OUTSIDE;
  return (await stat(real)).isFile() ? relative(root, real) : undefined;
}

/** A link that leads nowhere may lead somewhere on another machine: it is treated as leading out. */
async function hasLink(dir: string, path: string): Promise<boolean> {
  const seen = await lstat(join(dir, path)).catch(() => undefined);
  return seen?.isSymbolicLink() ?? false;
}

async function dockerfilesIn(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  const queue = [""];
  for (let looked = 0; queue.length > 0 && looked < LOOKED_MAX && found.length < LISTED_MAX; ) {
    const below = queue.shift() ?? "";
    for (const entry of await readdir(join(dir, below), { withFileTypes: true }).catch(() => [])) {
      looked += 1;
      const path = posix.join(below, entry.name);
      if (entry.isDirectory() && entry.name !== ".git") queue.push(path);
      if (entry.isFile() && /^(?:.+\.)?Dockerfile(?:\.(?!dockerignore$).+)?$/.test(entry.name)) found.push(path);
    }
  }
  return found.slice(0, LISTED_MAX).toSorted();
}
