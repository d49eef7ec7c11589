import type { Codec, Json } from "../engine/json.ts";
import { type Monitor, monitor } from "../engine/monitor.ts";
import type { Refs } from "../engine/refs.ts";
import { type GitSource, masked } from "../plugins/git/index.ts";
import type { Result } from "../term/output.ts";
import type { Box, Term } from "../term/term.ts";
import type { Ports } from "./ports.ts";

/** What watching needs of the ports. */
export type WatchPorts = Pick<Ports, "engine" | "heads" | "forge">;

export interface WatchOptions {
  /** Find out how old the commits of branches are, where the source tells. Default false. */
  readonly dates?: boolean;
}

/** Branch → commit. */
export type Heads = ReadonlyMap<string, string>;

/** What reads a repository. */
export type Watching = Pick<Monitor<unknown>, "refresh" | "reading" | "stop">;

/** A repository whose branches are watched. */
export interface Watched {
  readonly source: GitSource;
  readonly heads: Term<Heads>;
  readonly monitor: Watching;
  /** All branches and open pull requests, where the source has such; read together with `heads`. */
  readonly refs?: Term<Refs>;
  /** Reads `refs` once more: what was read then, with what of it is outdated. There where `refs` is. */
  readonly reread?: () => Promise<Result<Refs>>;
  /** Takes what is there for the right repository, although another one was under its name before. */
  readonly accept?: () => Promise<Result<unknown>>;
}

export const EVERY_MS = 60_000;

/** The branches of a repository, as git itself tells them. */
export function watchGit(ports: WatchPorts, source: GitSource, box: Box): Watched {
  const made = monitor<Heads>(ports.engine, box, {
    key: `heads ${masked(source.url)}`,
    read: (signal) => ports.heads.read(source, signal),
    watch: (stale) => ports.heads.watch(source, () => stale("the repository changed")),
    everyMs: EVERY_MS,
    value: headsCodec,
    equal: (before, after) => movedBetween(before, after).length === 0,
    describe: (before, after) => describeMove(before, after),
  });
  return { source, heads: made.term, monitor: made.monitor };
}

const headsCodec: Codec<Heads> = {
  encode: (heads) => Object.fromEntries(heads),
  decode: (json: Json) => {
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    return new Map(
      Object.entries(json).flatMap(([name, commit]): [string, string][] =>
        typeof commit === "string" ? [[name, commit]] : [],
      ),
    );
  },
};

/** The names whose commits differ. */
export function movedBetween(before: Heads, after: Heads): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

const SHOWN_MAX = 3;

/** One sentence about what moved: `main 1a2b3c4d → 5e6f7a8b`. */
export function describeMove(before: Heads | undefined, after: Heads, what = "branches"): string {
  if (before === undefined) return `${after.size} ${what} seen for the first time`;
  const moved = movedBetween(before, after).map(
    (name) => `${name} ${short(before.get(name))} → ${short(after.get(name))}`,
  );
  return (
    moved.slice(0, SHOWN_MAX).join(", ") + (moved.length > SHOWN_MAX ? `, and ${moved.length - SHOWN_MAX} more` : "")
  );
}

const short = (commit: string | undefined): string => commit?.slice(0, 8) ?? "none";
