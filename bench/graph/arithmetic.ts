import type { One, Plan, Two } from "./plan.ts";

const BITS_24 = 0xff_ff_ff;

/**
 * What the cells compute, the same functions in every engine, with a count of how often they ran and how often one
 * was given inputs of two different moments.
 */
export class Arithmetic {
  runs = 0;
  mixed = 0;

  /** One function a rule, however many cells compute by it. */
  readonly #one: Readonly<Record<One, (value: number, salt: number) => number>> = {
    mix: (value, salt) => this.#ran((Math.imul(value ^ salt, 0x9e_37_79_b1) >>> 8) & BITS_24),
    mute: () => this.#ran(0),
    next: (value) => this.#ran(value + 1),
    left: (value) => this.#ran((value * 5 + 1) & BITS_24),
    right: (value) => this.#ran((value * 5 + 4) & BITS_24),
  };
  readonly #two: Readonly<Record<Two, (first: number, second: number, salt: number) => number>> = {
    diamond: (left, right) => {
      if (right !== ((left + 3) & BITS_24)) this.mixed += 1;
      return this.#ran((left ^ (right << 1)) & BITS_24);
    },
    rung: (source, below, number) => {
      if (below !== source + number) this.mixed += 1;
      return this.#ran(below + 1);
    },
  };

  one(rule: One): (value: number, salt: number) => number {
    return this.#one[rule];
  }

  two(rule: Two): (first: number, second: number, salt: number) => number {
    return this.#two[rule];
  }

  /** Ends a sum; `add` and `less` are its parts. */
  sum(total: number): number {
    return this.#ran(total);
  }

  #ran(value: number): number {
    this.runs += 1;
    return value;
  }
}

export const add = (total: number, value: number): number => (total + value) & BITS_24;
export const less = (total: number, value: number): number => (total - value) & BITS_24;

/** The value of the root by computing everything anew: what every engine has to agree with. */
export function oracle(plan: Plan, sources: readonly number[]): number {
  const sums = new Arithmetic();
  const values = [...sources];
  const at = (cell: number): number => values[cell] ?? Number.NaN;
  for (const cell of plan.cells) {
    if (cell.kind === "one") values.push(sums.one(cell.rule)(at(cell.input), cell.salt));
    else if (cell.kind === "two") values.push(sums.two(cell.rule)(at(cell.inputs[0]), at(cell.inputs[1]), cell.salt));
    else values.push(cell.inputs.reduce((total, input) => add(total, at(input)), 0));
  }
  return at(plan.root);
}

/** The same run of pseudo-random numbers below `limit` in every process. */
export function numbersBelow(limit: number): () => number {
  let state = 20_261_121;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
