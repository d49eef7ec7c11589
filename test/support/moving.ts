import * as fc from "fast-check";
import { cached } from "../../src/engine/cache/cache.ts";
import { problem } from "../../src/engine/errors.ts";
import { LiveView } from "../../src/engine/live-view.ts";
import { Collection, Variable } from "../../src/incr/index.ts";
import { gate, map, pair } from "../../src/term/combinators.ts";
import { collection, each } from "../../src/term/each.ts";
import { type Output, ok } from "../../src/term/output.ts";
import { Term } from "../../src/term/term.ts";
import { createRig, DummyBuilder } from "../../src/testing/index.ts";

const GROUPS = ["acme/web", "acme/api", "acme/docs"] as const;
const NAMES = ["a", "b", "c", "d"] as const;

/** Which branches each group has, with the version of each; a name in two groups moves between them. */
type Branches = Readonly<Record<string, string>>;

const none: Branches = {};

export type Change =
  | { readonly kind: "branches"; readonly group: number; readonly branches: Branches }
  | { readonly kind: "base"; readonly value: string }
  | { readonly kind: "move"; readonly name: string; readonly from: number; readonly to: number }
  | { readonly kind: "end" | "fail" | "progress"; readonly run: number; readonly done: number };

const group = fc.nat(GROUPS.length - 1);
const branches = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom("1", "2"), { maxKeys: NAMES.length });

/** Boxes come, go, change their state, and move from group to group. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("branches" as const), group, branches }),
    fc.record({ kind: fc.constant("base" as const), value: fc.constantFrom("1", "2", "3") }),
    fc.record({ kind: fc.constant("move" as const), name: fc.constantFrom(...NAMES), from: group, to: group }),
    fc.record({
      kind: fc.constantFrom("end" as const, "fail" as const, "progress" as const),
      run: fc.nat(20),
      done: fc.nat(9),
    }),
  ),
  { maxLength: 12 },
);

/** A pipeline that is moved by such changes, and the view of it. */
export async function movingPipeline() {
  const rig = createRig();
  const { engine, world } = rig;
  const builder = new DummyBuilder();
  const base = new Variable<Output<string>>(world.graph, ok("1"));
  const tell = (value: string): string => `version ${value}`; // seen on its box, and on chips, by no reader's output
  const baseTerm = world.grouped("acme/base", () => new Term(world, { node: base, box: box("base"), tell }));
  const groups = GROUPS.map((name) =>
    world.grouped(name, () => {
      const { term, variable } = collection(world, Collection.of<string>([]));
      each(term, (key, item) => branchOf(key, item));
      return { variable, has: none };
    }),
  );
  const branchOf = (key: string, item: Term<string>): Term<unknown> => {
    const built = cached(engine, box(`${key}/build`), builder, "", item); // branches of one version share a job
    const tag = map(built, (value) => value, { box: box(`${key}/tag`) });
    const following = gate(built, tag);
    const read = world.group === GROUPS[0] ? map(pair(following, baseTerm), ([value]) => value) : following;
    return map(read, (value) => value, { box: box(`${key}/deploy`) });
  };
  const set = (at: number, has: Branches): void => {
    const one = groups[at];
    if (one === undefined) return;
    one.has = has;
    one.variable.set(ok(Collection.of(Object.entries(has))));
  };
  const apply = (change: Change): void => {
    if (change.kind === "branches") return set(change.group, withoutOthers(change, groups));
    if (change.kind === "move") return move(change.name, change.from, change.to);
    if (change.kind === "base") return base.set(ok(change.value));
    const run = builder.runs[change.run % Math.max(1, builder.runs.length)];
    if (change.kind === "end") run?.succeed(`done ${change.done}`);
    if (change.kind === "fail") run?.fail(problem("BUILD_FAILED", `exit status ${change.done}`));
    if (change.kind === "progress") run?.job.progress({ done: change.done, total: 9, label: "RUN make" });
  };
  const move = (name: string, from: number, to: number): void => {
    const { [name]: version, ...rest } = groups[from]?.has ?? {};
    if (version === undefined || from === to) return;
    set(from, rest);
    set(to, { ...groups[to]?.has, [name]: version });
  };
  const about = { flavour: "demo", version: "1", url: "http://x", ready: () => true };
  const view = new LiveView({ engine, services: [], pools: [], logs: rig.logs, ...about });
  const change = async (one: Change): Promise<void> => {
    engine.change(undefined, () => apply(one));
    await rig.clock.settle();
  };
  engine.change(undefined, () => {});
  await rig.clock.settle();
  return { rig, engine, view, change };
}

/** A key stands for one box: what another group has already is left to it. */
function withoutOthers(
  change: { readonly group: number; readonly branches: Branches },
  groups: readonly { readonly has: Branches }[],
): Branches {
  const others = groups.filter((_, at) => at !== change.group).flatMap(({ has }) => Object.keys(has));
  return Object.fromEntries(Object.entries(change.branches).filter(([name]) => !others.includes(name)));
}

const box = (key: string) => ({ key, label: key, kind: key.split("/").at(-1) ?? "value" });
