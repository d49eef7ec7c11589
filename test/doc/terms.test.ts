import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { example } from "./terms-example.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), "utf8");
const blocks = (language: string): readonly string[] =>
  [...read("../../doc/terms.md").matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map(
    (found) => found[1] ?? "",
  );

describe("the example in doc/terms.md", () => {
  it("is the one that is run here", () => {
    expect(blocks("ts")).toEqual([read("terms-example.ts")]);
  });

  it("says what the page says", async () => {
    const lines: string[] = [];
    await example((line) => lines.push(line));
    expect(blocks("text")).toEqual([`${lines.join("\n")}\n`]);
  });
});
