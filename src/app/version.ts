import { readFileSync } from "node:fs";
import { fieldsOf, textOf } from "./fields.ts";

/** The version of this very copy of Millrace, from its package.json. */
export function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return textOf(fieldsOf(JSON.parse(readFileSync(file, "utf8"))), "version") ?? "unknown";
}
