import { readFileSync, statSync } from "node:fs";
import { problem } from "../engine/errors.ts";
import { Secret } from "../engine/secret.ts";
import { failure, type Result, success } from "../term/output.ts";

/** A secret from a file of its own, without the line end that editors leave. Fails with `FORGE_KEY`. */
export function secretFile(file: string): Result<Secret> {
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      return failure(problem("FORGE_KEY", `${file} may be read by others: chmod 600 it`));
    const text = readFileSync(file, "utf8").trim();
    return text === "" ? failure(problem("FORGE_KEY", `${file} is empty`)) : success(new Secret(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failure(problem("FORGE_KEY", `cannot read ${file}: ${why}`));
  }
}
