// Sees to it that mistakes.ts is checked by plain `tsc`, and that each of its mistakes is one by itself.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const tsc = join(root, "node_modules/.bin/tsc");
const file = join(root, "test/types/mistakes.ts");
const text = readFileSync(file, "utf8");
const MISTAKES_MIN = 15;

// Below the project, so that imports and "millrace" mean the same there; where no other tool looks.
mkdirSync(join(root, "var"), { recursive: true });
const folder = mkdtempSync(join(root, "var/mistakes-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("belongs to the files that plain tsc checks", () => {
  const { stdout } = spawnSync(tsc, ["--listFilesOnly", "-p", root], { encoding: "utf8" });
  expect(stdout.split("\n")).toContain(file);
});

it("holds mistakes only: without the directives each is an error at its line", () => {
  const copy = join(folder, "mistakes.ts");
  const lines = text.split("\n");
  const expected = lines.flatMap((line, index) => (line.startsWith("// @ts-expect-error") ? [index + 2] : []));
  writeFileSync(copy, lines.map((line) => line.replace("@ts-expect-error", "")).join("\n"));
  const config = { extends: join(root, "tsconfig.json"), include: [copy] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { stdout } = spawnSync(tsc, ["-p", folder, "--pretty", "false"], { encoding: "utf8" });
  const found = new Set([...stdout.matchAll(/mistakes\.ts\((\d+),/g)].map(([, line]) => Number(line)));
  expect(expected.length).toBeGreaterThanOrEqual(MISTAKES_MIN);
  expect([...found].toSorted((a, b) => a - b)).toEqual(expected);
}, 60_000);
