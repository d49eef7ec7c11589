import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const text = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");

/** The commands of each `sh` block of README.md's "Use it", without comments and empty lines. */
export const commandBlocks: readonly (readonly string[])[] = blocksOf("sh").map((block) =>
  block
    .split("\n")
    .map((line) => line.replace(/\s+# .*$/, ""))
    .filter((line) => line !== ""),
);

/** The `pipeline.ts` that it shows. */
export const shownPipeline: string = blocksOf("ts").join("\n");

/** A program without its comments. */
export const withoutComments = (program: string): string => program.replaceAll(/^\s*\/\/.*\n|\s+\/\/ .*$/gm, "");

function blocksOf(language: string): readonly string[] {
  const section = /^## Use it\n(.*?)^## /ms.exec(text)?.[1] ?? "";
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, block = ""]) =>
    name === language ? [block] : [],
  );
}
