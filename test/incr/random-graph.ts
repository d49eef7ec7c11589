import * as fc from "fast-check";
import {
  bindNode,
  Collection,
  eachNode,
  foldNode,
  Incremental,
  JoinNode,
  map2Node,
  mapNode,
  type Node,
  sizeOf,
  Variable,
} from "../../src/incr/index.ts";

/** A node of a random graph; numbers name earlier nodes, modulo how many there are. */
export type Spec =
  | { readonly kind: "map"; readonly of: number; readonly coarse: boolean }
  | { readonly kind: "map2"; readonly a: number; readonly b: number }
  | { readonly kind: "join"; readonly of: readonly number[] }
  /** For an even value of `of` the sub-graph reads `a`, else `b`; when nested, through another bind on `b`. */
  | { readonly kind: "bind"; readonly of: number; readonly a: number; readonly b: number; readonly nested: boolean }
  /** One sub-graph a key of collection `of`, which reads `a` too. */
  | { readonly kind: "each"; readonly of: number; readonly a: number };

export interface Change {
  readonly numbers: readonly (readonly [number, number])[];
  /** Index of the collection, then what it becomes. */
  readonly collections: readonly (readonly [number, Readonly<Record<string, number>>])[];
}

const index = fc.nat(1000);
const value = fc.integer({ min: 0, max: 7 });
const items = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), value);
const spec: fc.Arbitrary<Spec> = fc.oneof(
  fc.record({ kind: fc.constant("map" as const), of: index, coarse: fc.boolean() }),
  fc.record({ kind: fc.constant("map2" as const), a: index, b: index }),
  fc.record({ kind: fc.constant("join" as const), of: fc.array(index, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant("bind" as const), of: index, a: index, b: index, nested: fc.boolean() }),
  fc.record({ kind: fc.constant("each" as const), of: index, a: index }),
);

const NUMBERS = 4;
const COLLECTIONS = 2;
export const graphs: fc.Arbitrary<readonly Spec[]> = fc.array(spec, { minLength: 1, maxLength: 25 });
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.record({
    numbers: fc.array(fc.tuple(fc.nat(NUMBERS - 1), value), { maxLength: 4 }),
    collections: fc.array(fc.tuple(fc.nat(COLLECTIONS - 1), items), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 8 },
);

const mix = (a: number, b: number): number => (a * 31 + b * 17 + 3) % 1009;
const coarse = (a: number): number => Math.floor(a / 300);

/** The plain meaning of a graph: every value computed anew from the inputs. */
class Meaning {
  readonly numbers: number[] = Array.from({ length: NUMBERS }, (_none, at) => at);
  readonly collections: Readonly<Record<string, number>>[] = Array.from({ length: COLLECTIONS }, () => ({}));
  readonly #specs: readonly Spec[];
  #known = new Map<number, number>();
  constructor(specs: readonly Spec[]) {
    this.#specs = specs;
  }
  take(change: Change): void {
    for (const [at, to] of change.numbers) this.numbers[at] = to;
    for (const [at, to] of change.collections) this.collections[at] = to;
    this.#known = new Map();
  }
  items(of: number): Readonly<Record<string, number>> {
    return this.collections[of % COLLECTIONS] ?? {};
  }
  at(node: number): number {
    const known = this.#known.get(node) ?? this.#compute(node);
    this.#known.set(node, known);
    return known;
  }
  #compute(node: number): number {
    const spec = this.#specs[node - NUMBERS];
    const to = (name: number): number => this.at(name % node);
    if (spec === undefined) return this.numbers[node] ?? 0;
    switch (spec.kind) {
      case "map":
        return spec.coarse ? coarse(to(spec.of)) : mix(to(spec.of), 1);
      case "map2":
        return mix(to(spec.a), to(spec.b));
      case "join":
        return spec.of.reduce((sum, name) => sum + to(name), 0);
      case "bind": {
        const read = to(to(spec.of) % 2 === 0 ? spec.a : spec.b);
        return spec.nested ? mix(mix(to(spec.of), to(spec.b)), read) : mix(to(spec.of), read);
      }
      case "each":
        return Object.values(this.items(spec.of)).reduce((sum, item) => sum + mix(item, to(spec.a)), 0);
      default:
        return spec satisfies never;
    }
  }
}

/** The same graph made of nodes, which tells whatever one of them does that it must not. */
export class Checked {
  readonly graph = new Incremental();
  readonly meaning: Meaning;
  readonly faults: string[] = [];
  readonly nodes: Node<number>[] = [];
  readonly #numbers: Variable<number>[];
  readonly #collections: Variable<Collection<number>>[];
  readonly #ran = new Set<number>();
  #made = 0;

  constructor(specs: readonly Spec[]) {
    this.meaning = new Meaning(specs);
    this.#numbers = this.meaning.numbers.map((value) => new Variable(this.graph, value));
    this.#collections = this.meaning.collections.map(() => new Variable(this.graph, Collection.of<number>([])));
    this.nodes.push(...this.#numbers);
    for (const spec of specs) this.nodes.push(this.#make(spec, this.nodes.length));
    this.step({ numbers: [], collections: [] });
  }

  /** One step; returns what was wrong in it. */
  step(change: Change): readonly string[] {
    this.meaning.take(change);
    for (const [at, to] of change.numbers) this.#numbers[at]?.set(to);
    for (const [at, to] of change.collections) this.#collections[at]?.set(Collection.of(Object.entries(to)));
    this.#ran.clear();
    this.graph.propagate();
    for (const [at, node] of this.nodes.entries())
      if (node.value !== this.meaning.at(at))
        this.faults.push(`node ${at} is ${node.value}, not ${this.meaning.at(at)}`);
    return this.faults.splice(0);
  }

  /** All edges in the graph: what a released sub-graph leaves behind would be among them. */
  get edges(): number {
    return [...this.nodes, ...this.#collections].reduce((sum, node) => sum + sizeOf(node.readers), 0);
  }

  /** Every function that a node runs notes that it runs, and what it saw against what it should have seen. */
  #once(what: string): (seen: number, meant: number) => void {
    const id = this.#made;
    this.#made += 1;
    return (seen, meant) => {
      if (this.#ran.has(id) && what.endsWith("1")) this.faults.push(`${what} ran twice in one step`);
      this.#ran.add(id);
      if (seen !== meant) this.faults.push(`${what} saw ${seen} where the inputs say ${meant}`);
    };
  }

  #map(what: string, source: Node<number>, meant: () => number, f: (value: number) => number): Node<number> {
    const note = this.#once(`${what} 1`);
    return mapNode(source, (value) => {
      note(value, meant());
      return f(value);
    });
  }

  #map2(
    what: string,
    a: readonly [Node<number>, () => number],
    b: readonly [Node<number>, () => number],
  ): Node<number> {
    const [note, noteB] = [this.#once(`${what} 1`), this.#once(`${what} 2`)];
    return map2Node(a[0], b[0], (x, y) => {
      note(x, a[1]());
      noteB(y, b[1]());
      return mix(x, y);
    });
  }

  #make(spec: Spec, at: number): Node<number> {
    const to = (name: number): readonly [Node<number>, () => number] => [
      this.nodes[name % at] ?? this.#fail(),
      () => this.meaning.at(name % at),
    ];
    switch (spec.kind) {
      case "map":
        return this.#map("map", ...to(spec.of), spec.coarse ? coarse : (x) => mix(x, 1));
      case "map2":
        return this.#map2("map2", to(spec.a), to(spec.b));
      case "join":
        return this.#join(spec.of.map(to));
      case "bind":
        return this.#bind(spec, to);
      case "each":
        return this.#each(spec, to(spec.a));
      default:
        return spec satisfies never;
    }
  }

  #join(inputs: readonly (readonly [Node<number>, () => number])[]): Node<number> {
    let sum = 0;
    return new JoinNode<number, number>(
      this.graph,
      inputs.map(([node]) => node),
      {
        update: (slot, before, after) => {
          if (after !== inputs[slot]?.[1]()) this.faults.push(`join saw ${after} in slot ${slot}`);
          sum += (after ?? 0) - (before ?? 0);
        },
        result: () => sum,
      },
    );
  }

  #bind(spec: Spec & { kind: "bind" }, to: (name: number) => readonly [Node<number>, () => number]): Node<number> {
    const [source, meant] = to(spec.of);
    const note = this.#once("bind 1");
    const inner = (outer: number, wide: number): Node<number> => {
      const read = to(outer % 2 === 0 ? spec.a : spec.b);
      const seen = this.#once("inside of bind 1");
      return this.#map("inside of bind", ...read, (value) => {
        seen(outer, meant()); // what it was made for must be of the same step as what it reads
        return mix(wide, value);
      });
    };
    return bindNode(source, (outer) => {
      note(outer, meant());
      if (!spec.nested) return inner(outer, outer);
      const [second] = to(spec.b);
      return bindNode(second, (value) => inner(outer, mix(outer, value)));
    });
  }

  #each(spec: Spec & { kind: "each" }, other: readonly [Node<number>, () => number]): Node<number> {
    const collection = this.#collections[spec.of % COLLECTIONS] ?? this.#fail();
    const parts = eachNode(collection, (key, item) =>
      this.#map2(`part of each`, [item, () => this.meaning.items(spec.of)[key] ?? -1], other),
    );
    let sum = 0;
    return foldNode(parts, {
      update: (_key, before, after) => {
        sum += (after ?? 0) - (before ?? 0);
      },
      result: () => sum,
    });
  }

  #fail(): never {
    throw new Error("a spec names a node that is not there");
  }
}
