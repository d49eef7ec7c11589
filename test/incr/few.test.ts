import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eachOf, type Few, hasOne, sizeOf, withOne, withoutOne } from "../../src/incr/few.ts";

const members = Array.from({ length: 4 }, (_none, name) => ({ name }));
type Member = (typeof members)[number];

describe("none, one or many", () => {
  it("is a set, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.constantFrom(...members))), (edits) => {
        const set = new Set<Member>();
        let few: Few<Member>;
        for (const [come, member] of edits) {
          few = come ? withOne(few, member) : withoutOne(few, member);
          if (come) set.add(member);
          else set.delete(member);
          const visited: Member[] = [];
          eachOf(few, (one) => visited.push(one));
          expect(visited).toEqual([...set]);
          expect(sizeOf(few)).toBe(set.size);
          expect(members.filter((one) => hasOne(few, one))).toEqual(members.filter((one) => set.has(one)));
        }
      }),
    );
  });

  it("costs no object of its own for one", () => {
    const [a, b] = [{ name: "a" }, { name: "b" }];
    expect(withOne(undefined, a)).toBe(a);
    expect(withOne(withOne<Member | typeof a>(undefined, a), a)).toBe(a);
    expect(withoutOne<typeof a>(a, b)).toBe(a);
    expect(withoutOne<typeof a>(a, a)).toBeUndefined();
  });
});
