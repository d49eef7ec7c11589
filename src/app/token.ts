import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "../engine/secret.ts";

const BYTES = 24;

/** The token that acting needs, made at the first start: whoever can read the state directory may act. */
export function actingToken(state: string): Secret {
  const path = join(state, "token");
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(BYTES).toString("base64url")}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return new Secret(readFileSync(path, "utf8").trim());
}
