import { expect, it } from "vitest";
import { Groups, type Member } from "../../src/engine/graph-groups.ts";

const member = (key: string, group: string, ...reads: readonly string[]): Member => ({
  node: { key, label: key, kind: "value", group, state: "ok", detail: "" },
  edges: reads.map((from) => ({ from, to: key })),
});

it("what reads what is known of the groups of today, however many came and went", () => {
  const members = new Map<string, Member>();
  const groups = new Groups<Member>((key) => members.get(key));
  const enter = (one: Member): void => {
    members.set(one.node.key, one);
    groups.move(one.node);
  };
  const leave = ({ node }: Member): void => {
    members.delete(node.key);
    groups.move(node);
  };
  const chips = () => groups.list([...members.values()]).flatMap((group) => group.chips.map(({ key }) => key));
  enter(member("head", "source"));
  for (let n = 1; n <= 50; n += 1) {
    const [base, built] = [member(`base ${n}`, "source"), member(`built ${n}`, `change ${n}`, "head", `base ${n}`)];
    enter(base);
    enter(built);
    expect(chips()).toEqual(["head", `base ${n}`]);
    leave(base);
    expect(chips()).toEqual(["head"]);
    enter(base); // what is read may come back
    expect(chips()).toEqual(["head", `base ${n}`]);
    leave(base);
    leave(built);
    expect(chips()).toEqual([]);
  }
  expect(groups.reads).toBe(0);
});
