import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import type { Ignore } from "./ignore.ts";
import { type TarEntry, tarEnd, tarHeader, tarPadding } from "./tar.ts";

/** A build's context as an archive that is made while it is read. */
export interface PackedContext {
  readonly stream: Readable;
  /** What went into it so far. */
  readonly packed: { files: number; bytes: number };
}

/**
 * Packs a checkout for the engine, without what `ignore` leaves out; links stay links and are never followed.
 *
 * `always` (the Dockerfile) goes in though it be left out: this engine interface knows no second place for it.
 */
export function packContext(dir: string, ignore: Ignore, always: string): PackedContext {
  const packed = { files: 0, bytes: 0 };
  const blocks = async function* (): AsyncGenerator<Buffer> {
    const told = new Set<string>();
    for await (const entry of entriesOf(dir, "", ignore, always)) {
      // A directory is needed for what is in it, also when it was left out itself.
      for (const parent of parentsOf(entry.path)) {
        if (told.has(parent)) continue;
        told.add(parent);
        yield tarHeader(await describe(dir, parent));
      }
      if (told.has(entry.path)) continue;
      if (entry.kind === "directory") told.add(entry.path);
      packed.files += 1;
      packed.bytes += entry.size;
      yield* blocksOf(dir, entry);
    }
    yield tarEnd();
  };
  return { stream: Readable.from(blocks(), { objectMode: false }), packed };
}

async function* entriesOf(dir: string, below: string, ignore: Ignore, always: string): AsyncGenerator<TarEntry> {
  const names = await readdir(join(dir, below));
  // The same order everywhere, so that the same files make the same archive.
  for (const name of names.toSorted()) {
    const path = posix.join(below, name);
    const leftOut = ignore.leavesOut(path);
    if (leftOut === undefined)
      throw new Error("the .dockerignore takes too long: it has too many patterns with ** or *");
    const out = leftOut && path !== always;
    const leads = always.startsWith(`${path}/`);
    if (out && !ignore.hasExceptions && !leads) continue;
    const entry = await describe(dir, path);
    if (!out) yield entry;
    if (entry.kind === "directory") yield* entriesOf(dir, path, ignore, always);
  }
}

async function describe(dir: string, path: string): Promise<TarEntry> {
  const stat = await lstat(join(dir, path));
  const modified = stat.mtimeMs / 1000;
  const common = { path, modified, size: 0, executable: false };
  if (stat.isDirectory()) return { ...common, kind: "directory" };
  if (stat.isSymbolicLink()) return { ...common, kind: "link", target: await readlink(join(dir, path)) };
  if (!stat.isFile()) throw new Error(`${JSON.stringify(path)} is neither a file nor a directory nor a link`);
  return { ...common, kind: "file", size: stat.size, executable: (stat.mode & 0o100) !== 0 };
}

async function* blocksOf(dir: string, entry: TarEntry): AsyncGenerator<Buffer> {
  yield tarHeader(entry);
  if (entry.kind !== "file") return;
  const file = await open(join(dir, entry.path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    yield* contentOf(file, entry);
  } finally {
    await file.close();
  }
  yield tarPadding(entry.size);
}

async function* contentOf(file: FileHandle, entry: TarEntry): AsyncGenerator<Buffer> {
  for (let at = 0; at < entry.size; ) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(256 * 1024), position: at });
    if (bytesRead === 0) throw new Error(`${JSON.stringify(entry.path)} became shorter while it was read`);
    yield buffer.subarray(0, Math.min(bytesRead, entry.size - at));
    at += bytesRead;
  }
}

function parentsOf(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}
