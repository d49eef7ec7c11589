import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readIgnore } from "../../../src/plugins/docker/dockerfile.ts";
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

  test("hostile lists cost little: many stars, many lines", () => {
    const stars = `${"**/*a".repeat(60)}z`;
    const start = performance.now();
    expect(left([stars], [`${"a/".repeat(500)}b`])).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(500);
    expect(parseIgnore("x\n".repeat(100_000), ".dockerignore").ok).toBe(false);
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
