import { expect, test } from "vitest";
import { Entries } from "../../../src/engine/access/entries.ts";
import { TestClock } from "../../../src/testing/index.ts";

const HOUR_MS = 60 * 60_000;

function begin() {
  const clock = new TestClock();
  const written: string[] = [];
  const entries = new Entries(clock, (...entry) => void written.push(entry.join(" | ")));
  const refuse = (address: string, kind = "LOGIN_REFUSED"): void =>
    entries.ofStranger(address, kind, "POST /login", "the token is wrong");
  return { clock, entries, refuse, written };
}

const FIRST = "anonymous@203.0.113.7 | refused | POST /login | the token is wrong";

test("a stranger has one entry an hour for each kind, then the number of those left out", async () => {
  const { clock, refuse, written } = begin();
  for (let count = 0; count < 500; count += 1) refuse("203.0.113.7");
  refuse("203.0.113.7", "FORBIDDEN");
  expect(written.splice(0)).toEqual([FIRST, FIRST]);
  await clock.advance(HOUR_MS - 1);
  refuse("203.0.113.7");
  expect(written.splice(0)).toEqual([]);
  await clock.advance(1);
  refuse("203.0.113.7");
  expect(written).toEqual([
    "anonymous@203.0.113.7 | refused | POST /login | LOGIN_REFUSED: 500 more within the hour",
    FIRST,
  ]);
});

test("what is said of anybody says first how many there were", async () => {
  const { clock, entries, refuse, written } = begin();
  for (let count = 0; count < 3; count += 1) refuse("203.0.113.7");
  await clock.advance(HOUR_MS);
  entries.ofKnown("github:ann#7", "sign-in", "github:ann#7");
  expect(written.map((line) => line.split(" | ").at(-1))).toEqual([
    "the token is wrong",
    "LOGIN_REFUSED: 2 more within the hour",
    "",
  ]);
});

test("a thousand people are counted each for themselves, all others as one, by their names", async () => {
  const { clock, entries, written } = begin();
  for (let round = 0; round < 3; round += 1)
    for (let id = 0; id < 5_000; id += 1) entries.ofKnown(`github:p#${id}`, "refused", "POST /job", "no");
  expect(written).toHaveLength(3 * 1_000 + 60);
  expect(written[1_059]).toBe("github:p#1059 | refused | POST /job | no");
  for (let id = 0; id < 2_000; id += 1) entries.ofKnown("github:p#7", "refused", "POST /job", "no");
  expect(written.splice(0)).toHaveLength(3 * 1_000 + 60 + 57);
  await clock.advance(HOUR_MS);
  entries.ofKnown("github:ann#7", "sign-in", "github:ann#7");
  expect(written).toEqual([
    "github:p#7 | refused | POST /job | 1943 more within the hour",
    "others | refused | others | 11940 more within the hour",
    "github:ann#7 | sign-in | github:ann#7 | ",
  ]);
});

test("less may be enough of a kind", async () => {
  const { clock, entries, written } = begin();
  for (let count = 0; count < 3; count += 1) entries.ofKnown("github:p#7", "approve", "acme/web#7", "no", 1);
  expect(written.splice(0)).toEqual(["github:p#7 | approve | acme/web#7 | no"]);
  await clock.advance(HOUR_MS);
  entries.ofKnown("github:p#7", "approve", "acme/web#8", "no", 1);
  expect(written).toEqual([
    "github:p#7 | approve | acme/web#7 | 2 more within the hour",
    "github:p#7 | approve | acme/web#8 | no",
  ]);
});

test("addresses cost nothing: beyond a hundred an hour they count as one", async () => {
  const { clock, refuse, written } = begin();
  for (let round = 0; round < 3; round += 1)
    for (let count = 0; count < 5_000; count += 1) refuse(`2001:db8:${count}::/64`);
  expect(written).toHaveLength(101);
  expect(written.at(-1)).toContain("anonymous@elsewhere");
  await clock.advance(HOUR_MS);
  refuse("203.0.113.7");
  expect(written).toHaveLength(101 + 101 + 1);
  expect(written).toContainEqual(expect.stringMatching(/^anonymous@elsewhere .* 14699 more within the hour$/));
});
