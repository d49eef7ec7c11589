import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { appEvents, appPermissions, lacksOf } from "../../../src/plugins/github/needs.ts";

const permissions = { ...appPermissions, members: "read" };
const nothing = { permissions: [], events: [], members: false };

test.each([
  ["all there is", permissions, appEvents, nothing],
  ["more than that", { ...permissions, contents: "write", actions: "admin" }, [...appEvents, "star"], nothing],
  ["no checks", { ...permissions, checks: "read" }, appEvents, { ...nothing, permissions: ["checks (write)"] }],
  [
    "nothing but the least",
    { metadata: "read" },
    [],
    {
      permissions: ["contents (read)", "pull_requests (read)", "checks (write)", "deployments (write)"],
      events: appEvents.filter((name) => name !== "issue_comment"),
      members: true,
    },
  ],
  ["comments, untold", permissions, appEvents.slice(0, 5), { ...nothing, events: appEvents.slice(5) }],
] as const)("an app with %s", (_what, given, events, lacks) => {
  expect(lacksOf({ permissions: given, events })).toEqual(lacks);
});

test("comments are nobody's duty", () => {
  const without = Object.fromEntries(Object.entries(permissions).filter(([name]) => name !== "issues"));
  const events = appEvents.filter((name) => name !== "issue_comment");
  expect(lacksOf({ permissions: without, events })).toEqual(nothing);
});

test("doc/github.md names the same", () => {
  const text = readFileSync("doc/github.md", "utf8");
  const nameOf = (words: string): string => words.trim().toLowerCase().replaceAll(" ", "_");
  const rows = (from: string, to: string): readonly (readonly string[])[] => {
    const part = text.slice(text.indexOf(from), text.indexOf(to));
    const lines = part.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("|---"));
    return lines.slice(1).map((line) => line.split("|").map((cell) => cell.trim()));
  };
  const granted = rows("**Repository permissions**", "**Organisation permissions:**").map(([, name = "", access]) => [
    nameOf(name),
    access === "read and write" ? "write" : access,
  ]);
  const told = rows("**Events:**", "That the app was installed").flatMap(([, names = ""]) => names.split(","));
  expect(Object.fromEntries(granted)).toEqual(appPermissions);
  expect(told.map(nameOf)).toEqual(appEvents);
});
