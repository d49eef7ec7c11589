import type { Ports } from "../../src/pipeline/ports.ts";
import type { SwarmSeen } from "../../src/plugins/swarm/observe.ts";
import { success } from "../../src/term/output.ts";
import type { Checker } from "./check/fault.ts";
import type { Planted } from "./deployer.ts";

/** A protection that is switched off, and who is to notice within how many seeds. */
export interface Bug {
  readonly name: string;
  readonly planted: () => Planted;
  readonly noticed: readonly Checker[];
  readonly seeds: number;
}

export const bugs: readonly Bug[] = [
  {
    name: "a target that takes writes of any version: no compare-and-set",
    planted: () => ({ noCompare: true }),
    noticed: ["stale", "duplicate"],
    seeds: 200,
  },
  {
    name: "no fence",
    planted: () => ({
      kind: (kind) => ({
        ...kind,
        fence: async (_spec, { service }) => {
          const ref = { service: service?.id ?? "", image: service?.image ?? "" };
          return { state: "applied", ref };
        },
      }),
    }),
    noticed: ["stale", "duplicate", "lost"],
    seeds: 200,
  },
  {
    name: "intents that are recorded only when they have ended",
    planted: () => ({ drop: (write) => write.put === "intent" && write.row.endedMs === null }),
    noticed: ["lost", "stale", "duplicate"],
    seeds: 200,
  },
  {
    name: "a commit that was seen before is not news",
    planted: () => ({ heads: forgetful(new Set()) }),
    noticed: ["lost", "stuck"],
    seeds: 20,
  },
  {
    name: "no sweep: what no hint told of is not read",
    planted: () => ({ heads: hintsOnly(new Map(), new Set()) }),
    noticed: ["lost", "stuck"],
    seeds: 20,
  },
  {
    name: "done as soon as it is sent: nobody looks how it ends",
    planted: () => ({
      kind: (kind) => ({
        ...kind,
        settle: async () => ({ state: "healthy", evidence: "the command ended with 0" }),
        observe: async (spec, signal) => {
          const seen = await kind.observe(spec, signal);
          return seen.ok ? success({ ...awake(seen.value), motion: "steady" }) : seen;
        },
      }),
    }),
    noticed: ["truth"],
    seeds: 20,
  },
  {
    name: "a service that nothing moves is taken for well: nobody asks its tasks",
    planted: () => ({
      kind: (kind) => ({
        ...kind,
        observe: async (spec, signal) => {
          const seen = await kind.observe(spec, signal);
          return seen.ok ? success(awake(seen.value)) : seen;
        },
      }),
    }),
    noticed: ["truth"],
    seeds: 200,
  },
  {
    name: "a commit that is confirmed before it is written",
    planted: () => ({ earlyConfirm: true }),
    noticed: ["lost"],
    seeds: 20,
  },
];

const awake = ({ down: _down, ...seen }: SwarmSeen): SwarmSeen => seen;

/** Keeps the head that it knows when the new one was a head before. */
function forgetful(seen: Set<string>): NonNullable<Planted["heads"]> {
  let last: ReadonlyMap<string, string> = new Map();
  const news = ([branch, commit]: readonly [string, string]): readonly [string, string] => {
    const known = seen.has(`${branch} ${commit}`);
    seen.add(`${branch} ${commit}`);
    return [branch, known ? (last.get(branch) ?? commit) : commit];
  };
  return (heads): Ports["heads"] => ({
    ...heads,
    read: async (source, signal) => {
      const found = await heads.read(source, signal);
      if (!found.ok) return found;
      last = new Map([...last, ...[...found.value].map(news)]);
      return success(new Map([...found.value.keys()].map((branch) => [branch, last.get(branch) ?? ""])));
    },
  });
}

/** Reads again only after a hint. */
function hintsOnly(
  known: Map<string, ReadonlyMap<string, string>>,
  hinted: Set<string>,
): NonNullable<Planted["heads"]> {
  return (heads): Ports["heads"] => ({
    watch: (source, onChange) =>
      heads.watch(source, () => {
        hinted.add(source.url);
        onChange();
      }),
    read: async (source, signal) => {
      const before = known.get(source.url);
      if (before !== undefined && !hinted.delete(source.url)) return success(before);
      const found = await heads.read(source, signal);
      if (found.ok) known.set(source.url, found.value);
      return found;
    },
  });
}
