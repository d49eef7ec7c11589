import { existsSync, type FSWatcher, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Clock } from "../../engine/clock.ts";
import { paced } from "../../engine/paced.ts";
import { type GitSource, locate } from "./source.ts";

/** Bursts (one push writes several files) become one call at once and one after this time. */
const QUIET_MS = 50;
/** Branches with slashes make directories; whoever has more of them is polled. */
const DIRECTORIES_MAX = 1_000;

/**
 * Calls `onChange` when a branch of a repository on this machine may have moved; for any other source never.
 *
 * A hint only, as the file system gives it: read the heads to know. Returns how to stop.
 */
export function watchHeads(source: GitSource, onChange: () => void, clock: Clock): () => void {
  const located = locate(source);
  if (!located.ok || located.value.path === undefined) return () => {};
  const path = located.value.path;
  const calls = paced(onChange, QUIET_MS, clock);
  const watched = new Map<string, Watched>();
  let stopped = false;

  const sync = (): void => {
    const places = placesOf(path);
    for (const [dir, { watcher, identity }] of watched) {
      // A directory that was replaced under its name needs a new watcher: this one looks at the old directory.
      if (places.has(dir) && identityOf(dir) === identity) continue;
      watcher.close();
      watched.delete(dir);
    }
    for (const [dir, place] of places) if (!watched.has(dir)) start(dir, place);
  };
  const start = (dir: string, place: Place): void => {
    try {
      const identity = identityOf(dir);
      const watcher = watch(dir, { persistent: false }, (_, name) => {
        if (stopped || (name !== null && !place.tells(name) && identityOf(dir) === identity)) return;
        sync();
        calls.call();
      });
      watcher.on("error", () => {
        watcher.close();
        if (watched.get(dir)?.watcher === watcher) watched.delete(dir);
      });
      watched.set(dir, { watcher, identity });
    } catch {
      // Gone in between, or no watchers left on this machine: the poll sees what this would have told.
    }
  };
  sync();
  return () => {
    stopped = true;
    calls.stop();
    for (const { watcher } of watched.values()) watcher.close();
    watched.clear();
  };
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly identity: number | undefined;
}

const identityOf = (dir: string): number | undefined => statSync(dir, { throwIfNoEntry: false })?.ino;

/** A directory to watch, and which of its names say something about branches. */
interface Place {
  tells(name: string): boolean;
}

const isLock = (name: string): boolean => name.endsWith(".lock");
const names = (...wanted: readonly string[]): Place => ({ tells: (name) => wanted.includes(name) });
const everything: Place = { tells: (name) => !isLock(name) };

function placesOf(path: string): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  let below = path;
  let parent = dirname(path);
  while (!existsSync(parent) && parent !== dirname(parent)) {
    below = parent;
    parent = dirname(parent);
  }
  places.set(parent, names(basename(below)));
  if (!existsSync(path)) return places;
  places.set(path, names(".git", "HEAD", "packed-refs", "refs", "reftable"));
  const gitDir = gitDirOf(path);
  places.set(gitDir, names("HEAD", "packed-refs", "refs", "reftable"));
  places.set(join(gitDir, "refs"), names("heads"));
  places.set(join(gitDir, "reftable"), everything);
  addDirectories(places, join(gitDir, "refs", "heads"));
  for (const dir of places.keys()) if (!existsSync(dir)) places.delete(dir);
  return places;
}

function addDirectories(places: Map<string, Place>, dir: string): void {
  if (places.size >= DIRECTORIES_MAX || !existsSync(dir)) return;
  places.set(dir, everything);
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) addDirectories(places, join(dir, entry.name));
    }
  } catch {
    // removed while we looked
  }
}

/** Where the branches are: the path itself when bare, its `.git`, or what a `.git` file of a linked copy leads to. */
function gitDirOf(path: string): string {
  const dot = join(path, ".git");
  try {
    if (!statSync(dot).isFile()) return dot;
    const linked = resolve(
      path,
      readFileSync(dot, "utf8")
        .replace(/^gitdir: /, "")
        .trim(),
    );
    const common = join(linked, "commondir");
    return existsSync(common) ? resolve(linked, readFileSync(common, "utf8").trim()) : linked;
  } catch {
    return path;
  }
}
