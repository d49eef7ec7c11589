import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readIgnore } from "../../../src/plugins/docker/dockerfile.ts";
import { parseGlob } from "../../../src/plugins/docker/glob.ts";
import { parseIgnore } from "../../../src/plugins/docker/ignore.ts";

function left(lines: readonly string[], paths: readonly string[]): readonly string[] {
  const parsed = parseIgnore(lines.join("\n"), ".dockerignore");
  if (!parsed.ok) throw new Error(parsed.error.message);
  return paths.filter((path) => !parsed.value.leavesOut(path));
}

describe(".dockerignore (test/real/dockerignore.test.ts compares with Docker itself)", () => {
  const paths = ["a.txt", "README.md", "docs", "docs/x.md", "docs/deep/z.md", "src/a.ts", "src/lib/a.test.ts"];

  test.each<[string, readonly string[], readonly string[]]>([
    ["nothing", [], paths],
    ["a comment, an empty line and a byte order mark", ["\uFEFF# x", "", "  "], paths],
    ["a directory and all below it", ["docs"], ["a.txt", "README.md", "src/a.ts", "src/lib/a.test.ts"]],
    [
      "an exception after it",
      ["docs", "!docs/x.md"],
      ["a.txt", "README.md", "docs/x.md", "src/a.ts", "src/lib/a.test.ts"],
    ],
    ["an exception before it, which is too early", ["!docs/x.md", "docs"], left(["docs"], paths)],
    ["everything but one directory", ["**", "!src/lib"], ["src/lib/a.test.ts"]],
    ["any depth", ["**/*.md"], ["a.txt", "docs", "src/a.ts", "src/lib/a.test.ts"]],
    ["one depth", ["*.md"], paths.filter((path) => path !== "README.md")],
    ["a leading slash and a dot", ["/docs", "./a.txt"], ["README.md", "src/a.ts", "src/lib/a.test.ts"]],
    [
      "letters and classes",
      ["?.txt", "[Q-S]EADME.md", "src/[^b].ts"],
      ["docs", "docs/x.md", "docs/deep/z.md", "src/lib/a.test.ts"],
    ],
  ])("%s", (_, lines, wanted) => {
    expect(left(lines, paths)).toEqual(wanted);
  });

  test("a pattern that is none is named with its line", () => {
    for (const bad of ["[a", "!", "a\\", "[z-a]"]) {
      const answer = parseIgnore(`ok\n${bad}`, "x.dockerignore");
      expect(answer).toMatchObject({ ok: false, error: { code: "CONTEXT_REFUSED" } });
      expect(JSON.stringify(answer)).toContain("x.dockerignore:2: ");
    }
  });

  test("a path costs a comparison a letter and place of a pattern at most, whatever the stars", () => {
    for (const pattern of ["**/".repeat(500), `${"**/*a".repeat(100)}z`, `${"*a".repeat(200)}b`, "?".repeat(300)]) {
      const path = "a/".repeat(300) + "b".repeat(50);
      const budget = { left: 1e9 };
      expect(parseGlob(pattern)?.covers(path, budget)).toBeDefined();
      expect(1e9 - budget.left).toBeLessThanOrEqual((pattern.length + 1) * path.length);
    }
    const budget = { left: 1e9 };
    parseGlob("**/node_modules")?.covers("directory/".repeat(100), budget);
    expect(1e9 - budget.left).toBeLessThan(500); // nothing can come of a name that begins otherwise
  });

  test("what takes too long is refused: there is so much for a path, and some more for the first ones", () => {
    const stars = parseIgnore(`${"**/*a".repeat(12_000)}z`, ".dockerignore");
    expect(stars.ok && stars.value.leavesOut("a".repeat(4_000))).toBeUndefined();
    const many = parseIgnore("**/*a**/*a**/*a**/zz\n".repeat(900), ".dockerignore");
    const answers = Array.from({ length: 200 }, (_, at) => many.ok && many.value.leavesOut(`${"ab/".repeat(30)}${at}`));
    expect(answers[0]).toBe(false);
    expect(answers).toContain(undefined);
    expect(parseIgnore("x\n".repeat(100_000), ".dockerignore").ok).toBe(false);
  });

  test("a long list of honest patterns does for any number of paths", () => {
    const plain = Array.from({ length: 500 }, (_, at) => `packages/old-${at}`);
    const deep = Array.from({ length: 200 }, (_, at) => `**/generated-${at}`);
    const parsed = parseIgnore([...plain, ...deep].join("\n"), ".dockerignore");
    const answers = Array.from(
      { length: 1_000 },
      (_, at) => parsed.ok && parsed.value.leavesOut(`packages/module-${at}/src/components/deep/generated-${at}/a.ts`),
    );
    expect([answers.filter((out) => out === true).length, answers.includes(undefined)]).toEqual([200, false]);
  });

  test("a huge one is refused before it is read", async () => {
    const dir = mkdtempSync(join(tmpdir(), "millrace-ignore-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const path = join(dir, ".dockerignore");
    writeFileSync(path, "");
    truncateSync(path, 3 * 1024 ** 3); // a hole: it takes no room
    expect(await readIgnore(dir, "Dockerfile")).toMatchObject({ ok: false, error: { code: "CONTEXT_REFUSED" } });
  });
});
