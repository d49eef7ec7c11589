import type { Codec, Json } from "../engine/json.ts";
import { type Monitor, monitor } from "../engine/monitor.ts";
import type { Refs } from "../engine/refs.ts";
import { type GitSource, masked } from "../plugins/git/index.ts";
import type { Box, Term } from "../term/term.ts";
import { gitUrl } from "./places.ts";
import type { Ports } from "./ports.ts";
import type { SourceDeclaration } from "./types.ts";

/** Branch → commit. */
export type Heads = ReadonlyMap<string, string>;

/** A repository whose branches are watched. */
export interface Watched {
  readonly source: GitSource;
  readonly heads: Term<Heads>;
  readonly monitor: Monitor<Heads>;
  /** All branches and open pull requests, where the source has such; read together with `heads`. */
  readonly refs?: Term<Refs>;
}

const EVERY_MS = 60_000;

/** A kind of source: one line here, one folder in `plugins/`. */
const forges: {
  readonly [K in SourceDeclaration["kind"]]: (
    ports: Ports,
    declared: Extract<SourceDeclaration, { kind: K }>,
    box: Box,
  ) => Watched;
} = {
  git: watchGit,
};

export const watchSource = (ports: Ports, declared: SourceDeclaration, box: Box): Watched =>
  forges[declared.kind](ports, declared, box);

function watchGit(ports: Ports, declared: SourceDeclaration, box: Box): Watched {
  const source: GitSource = { url: gitUrl(declared.url, ports.folder) };
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

function movedBetween(before: Heads, after: Heads): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

const SHOWN_MAX = 3;

function describeMove(before: Heads | undefined, after: Heads): string {
  if (before === undefined) return `${after.size} branches seen for the first time`;
  const moved = movedBetween(before, after).map(
    (name) => `${name} ${short(before.get(name))} → ${short(after.get(name))}`,
  );
  return (
    moved.slice(0, SHOWN_MAX).join(", ") + (moved.length > SHOWN_MAX ? `, and ${moved.length - SHOWN_MAX} more` : "")
  );
}

const short = (commit: string | undefined): string => commit?.slice(0, 8) ?? "none";
