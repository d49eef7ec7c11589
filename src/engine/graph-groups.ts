import { turn } from "./turn.ts";
import type { GraphEdge, GraphGroup, GraphNode } from "./view.ts";

/** Boxes that are put together before others have their turn. */
const BOXES_A_TURN = 500;

/** A box in its group. */
export interface Member {
  readonly node: GraphNode;
  /** Those that end in it. */
  readonly edges: readonly GraphEdge[];
}

interface Draft<M extends Member> {
  readonly members: readonly M[];
  /** What was made of it; undefined when some box of it is another since. */
  group: GraphGroup | undefined;
  /** Keys of boxes that are not in it, and that it was found to read. */
  readonly reads: Set<string>;
}

/** The groups of a changing graph, each made again only when something in it is another. */
export class Groups<M extends Member> {
  readonly #memberOf: (key: string) => M | undefined;
  /** In the order in which they first appear. */
  #drafts = new Map<string, Draft<M>>();
  /** Names of groups in which boxes came or went. */
  readonly #moved = new Set<string>();
  /** Key of a box → other groups that were found to read it: those of today, however many there were. */
  readonly #readers = new Map<string, Set<string>>();

  constructor(memberOf: (key: string) => M | undefined) {
    this.#memberOf = memberOf;
  }

  /** This box is another. */
  touch({ key, group }: GraphNode): void {
    for (const name of [group, ...(this.#readers.get(key) ?? [])]) {
      const draft = this.#drafts.get(name);
      if (draft !== undefined) draft.group = undefined;
    }
  }

  /** This box came or went, or its edges did. */
  move(node: GraphNode): void {
    this.#moved.add(node.group);
    this.touch(node);
  }

  /** How many boxes are known to be read by other groups, each counted once a group. */
  get reads(): number {
    return [...this.#readers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** @param all Every box there is, in order. */
  list(all: readonly M[]): readonly GraphGroup[] {
    if (this.#moved.size > 0) this.#gather(all);
    return [...this.#drafts].map(([name, draft]) => {
      draft.group ??= this.#make(name, draft);
      return draft.group;
    });
  }

  /** Makes them piece by piece, so that nothing else waits; what changes meanwhile is made again. */
  async prepare(all: readonly M[]): Promise<void> {
    if (this.#moved.size > 0) this.#gather(all);
    let made = 0;
    for (const [name, draft] of this.#drafts) {
      if (draft.group !== undefined) continue;
      draft.group = this.#make(name, draft);
      made += draft.members.length;
      if (made < BOXES_A_TURN) continue;
      made = 0;
      await turn();
    }
  }

  #gather(all: readonly M[]): void {
    const drafts = new Map<string, Draft<M>>();
    const gathered = new Map<string, M[]>();
    for (const member of all) {
      const name = member.node.group;
      const members = gathered.get(name);
      if (members !== undefined) members.push(member);
      else if (!drafts.has(name)) {
        const known = this.#moved.has(name) ? undefined : this.#drafts.get(name);
        const fresh = [member];
        if (known === undefined) gathered.set(name, fresh);
        drafts.set(name, known ?? { members: fresh, group: undefined, reads: new Set() });
      }
    }
    for (const [name, draft] of this.#drafts) if (drafts.get(name) !== draft) this.#unread(name, draft);
    this.#drafts = drafts;
    this.#moved.clear();
  }

  #make(name: string, draft: Draft<M>): GraphGroup {
    const { members } = draft;
    this.#unread(name, draft);
    const chips = new Set<GraphNode>();
    const edges: GraphEdge[] = [];
    for (const edge of members.flatMap((member) => member.edges)) {
      const from = this.#memberOf(edge.from)?.node;
      if (from?.group !== name) this.#read(name, draft, edge.from);
      if (from === undefined) continue;
      edges.push(edge);
      if (from.group !== name) chips.add(from);
    }
    return { name, boxes: members.map(({ node }) => node), chips: [...chips], edges };
  }

  #read(name: string, { reads }: Draft<M>, key: string): void {
    reads.add(key);
    const names = this.#readers.get(key);
    if (names === undefined) this.#readers.set(key, new Set([name]));
    else names.add(name);
  }

  #unread(name: string, { reads }: Draft<M>): void {
    for (const key of reads) {
      const names = this.#readers.get(key);
      names?.delete(name);
      if (names?.size === 0) this.#readers.delete(key);
    }
    reads.clear();
  }
}
