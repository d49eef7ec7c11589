/** A graph as plain data. Every engine makes its own nodes of it, so that all of them do the same work. */
export interface Plan {
  readonly name: string;
  /** First values; source number i is cell i. */
  readonly sources: readonly number[];
  /** Cell number `sources.length + j`; what a cell reads has a lower number. */
  readonly cells: readonly Cell[];
  /** The cell that is observed. */
  readonly root: number;
}

export type One = "mix" | "mute" | "next" | "left" | "right";
export type Two = "diamond" | "rung";

export type Cell = { readonly salt: number; readonly verb: string; readonly branch: number } & (
  | { readonly kind: "one"; readonly rule: One; readonly input: number }
  | { readonly kind: "two"; readonly rule: Two; readonly inputs: readonly [number, number] }
  | { readonly kind: "sum"; readonly inputs: readonly number[] }
);

/** flat: one join over all statuses · tiered: a join a repository, then one · unit: flat, statuses never change. */
export const starModes = ["flat", "tiered", "unit"] as const;
export type StarMode = (typeof starModes)[number];

export const BRANCHES_A_REPO = 10;
/** head, build, push, deploy, status. */
const TERMS_A_BRANCH = 5;

/** Branches of five cells each, all joined to one root. @param size  Cells without joins; a multiple of 50. */
export function star(size: number, mode: StarMode): Plan {
  const branches = size / TERMS_A_BRANCH;
  const cells: Cell[] = [];
  const add = (cell: Cell): number => branches + cells.push(cell) - 1;
  const statuses = Array.from({ length: branches }, (_, branch) => {
    let input = branch;
    for (const [salt, verb] of ["build", "push", "deploy"].entries())
      input = add({ kind: "one", rule: "mix", input, salt, verb, branch });
    return add({ kind: "one", rule: mode === "unit" ? "mute" : "mix", input, salt: 7, verb: "status", branch });
  });
  const join = (inputs: readonly number[], branch: number): number =>
    add({ kind: "sum", inputs, salt: 0, verb: "all", branch });
  const joined = mode === "tiered" ? chunks(statuses, BRANCHES_A_REPO).map(join) : statuses;
  const root = join(joined, branches);
  return { name: `star ${mode}`, sources: numbers(branches), cells, root };
}

/** Diamonds on top of each other: x → (left, right) → diamond → (left, right) → … */
export function ladder(diamonds: number): Plan {
  const cells: Cell[] = [];
  let below = 0;
  for (let branch = 0; branch < diamonds; branch++) {
    const left = cells.push({ kind: "one", rule: "left", input: below, salt: 0, verb: "left", branch });
    const right = cells.push({ kind: "one", rule: "right", input: below, salt: 0, verb: "right", branch });
    below = cells.push({ kind: "two", rule: "diamond", inputs: [left, right], salt: 0, verb: "join", branch });
  }
  return { name: "ladder", sources: [1], cells, root: below };
}

/** Each rung reads the source and the rung before it. */
export function comb(rungs: number): Plan {
  const cells: Cell[] = [];
  let below = 0;
  for (let branch = 0; branch < rungs; branch++)
    below = cells.push({ kind: "two", rule: "rung", inputs: [0, below], salt: branch, verb: "rung", branch });
  return { name: "comb", sources: [1], cells, root: below };
}

/** A straight line, `depth` cells long. */
export function chain(depth: number): Plan {
  const cells: Cell[] = [];
  let below = 0;
  for (let branch = 0; branch < depth; branch++)
    below = cells.push({ kind: "one", rule: "next", input: below, salt: 0, verb: "next", branch });
  return { name: "chain", sources: [1], cells, root: below };
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const chunks = (all: readonly number[], size: number): readonly (readonly number[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
