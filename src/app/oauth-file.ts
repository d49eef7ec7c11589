import { problem } from "../engine/errors.ts";
import { Secret } from "../engine/secret.ts";
import { failure, type Result, success } from "../term/output.ts";
import { fieldsOf, textOf } from "./fields.ts";
import type { OAuthClient } from "./options.ts";
import { secretFile } from "./secret-file.ts";

/** Reads the file of `--github-oauth`. Fails with `OAUTH_FILE`. */
export function oauthFile(file: string): Result<OAuthClient> {
  const text = secretFile(file);
  if (!text.ok) return failure(problem("OAUTH_FILE", text.error.message));
  const fields = fieldsOf(jsonOf(text.value.reveal()));
  const [clientId, clientSecret] = [textOf(fields, "client_id"), textOf(fields, "client_secret")];
  if (clientId === undefined || clientSecret === undefined || clientId === "" || clientSecret === "")
    return failure(problem("OAUTH_FILE", `${file} lacks "client_id" or "client_secret", or is no JSON`));
  return success({ clientId, clientSecret: new Secret(clientSecret) });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
