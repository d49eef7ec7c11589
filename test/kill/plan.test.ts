import { expect, it } from "vitest";
import { repeatable } from "../../src/testing/rig.ts";
import { planRound, type Round, strikeText } from "./plan.ts";

const means = { branches: ["east", "west"], strace: true };

function rounds(seed: number, count: number, given = means): readonly Round[] {
  const random = repeatable(seed);
  return Array.from({ length: count }, () => planRound(random, given));
}

it("the same seed plans the same rounds, another one others", () => {
  expect(rounds(7, 50)).toEqual(rounds(7, 50));
  expect(rounds(7, 50)).not.toEqual(rounds(8, 50));
});

it("every weapon, moment and push is among them, and each is told in its own words", () => {
  const strikes = rounds(1, 400).flatMap((round) => round.strikes);
  const kinds = new Set(strikes.map(({ from, weapon }) => `${from} ${weapon.by}`));
  expect([...kinds].toSorted()).toEqual([
    "birth call",
    "birth time",
    "birth write",
    "open call",
    "open time",
    "push call",
    "push write",
  ]);
  expect(new Set(strikes.map(({ meanwhile }) => meanwhile))).toEqual(new Set(["nothing", "newer", "back"]));
  expect(
    strikeText(strikes[0] ?? { from: "open", weapon: { by: "time", afterMs: 1 }, limitMs: 1, meanwhile: "back" }),
  ).toMatch(/^from (birth|push|open): /);
});

it("the first strike of a round is at a server that is up; without strace none is at a system call", () => {
  expect(rounds(2, 200).every(({ strikes: [first] }) => first !== undefined && first.from !== "birth")).toBe(true);
  const plain = rounds(2, 200, { ...means, strace: false }).flatMap((round) => round.strikes);
  expect(plain.filter(({ weapon }) => weapon.by === "call")).toEqual([]);
});
