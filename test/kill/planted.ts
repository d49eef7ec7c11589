import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { builtEntry } from "../scenario/server.ts";

const root = resolve(import.meta.dirname, "../..");

/** A bug that is put into a copy of the built product: one place of one file, said otherwise. */
export interface Bug {
  readonly name: string;
  /** From `dist/`. */
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
}

/** The built product with a bug in it. @throws {Error} when the place is not there, or more than once. */
export function plant({ file, right, wrong }: Bug): {
  readonly entry: readonly string[];
  readonly dispose: () => void;
} {
  const dist = dirname(dirname(builtEntry()[0] ?? ""));
  const copy = mkdtempSync(join(tmpdir(), "millrace-planted-"));
  cpSync(dist, join(copy, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(copy, "package.json"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const path = join(copy, "dist", file);
  const parts = readFileSync(path, "utf8").split(right);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what a bug is to replace: ${right}`);
  writeFileSync(path, parts.join(wrong));
  return {
    entry: [join(copy, "dist/app/main.js")],
    dispose: () => rmSync(copy, { recursive: true, force: true }),
  };
}
