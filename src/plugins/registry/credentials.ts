import { problem } from "../../engine/errors.ts";
import { Secret } from "../../engine/secret.ts";
import { failure, type Result, success } from "../../term/output.ts";

export interface Credential {
  readonly username: string;
  readonly password: Secret;
}

/** By registry host as it stands in image names; `docker.io` for Docker Hub. */
export type CredentialSource = (host: string) => Credential | undefined;

/**
 * Reads `{"auths": {"host": {"auth": base64 of "user:password"}}}`, also `{"username", "password"}` in its place:
 * Docker's config.json. `name` is what the text is called in messages.
 *
 * Fails with `CREDENTIALS_FILE`; the message never shows a value.
 */
export function parseCredentials(text: string, name: string): Result<ReadonlyMap<string, Credential>> {
  const refused = (what: string): Result<never> => failure(problem("CREDENTIALS_FILE", `${name}: ${what}`));
  const parsed = parseJson(text);
  if (parsed === undefined) return refused("is not JSON");
  const auths = fieldOf(parsed, "auths");
  if (typeof auths !== "object" || auths === null) return refused('has no object "auths"');
  const found = new Map<string, Credential>();
  for (const [server, entry] of Object.entries(auths)) {
    const credential = credentialOf(entry);
    if (credential !== undefined) found.set(hostOf(server), credential);
    else if (!isKeptElsewhere(entry)) {
      return refused(`"auths" → "${server}": expected "auth" (base64 of user:password), or "username" and "password"`);
    }
  }
  return success(found);
}

/** An entry without anything in it: its credential lies in a helper program, which is not asked. */
const isKeptElsewhere = (entry: unknown): boolean =>
  typeof entry === "object" && entry !== null && Object.keys(entry).length === 0;

function credentialOf(entry: unknown): Credential | undefined {
  const username = fieldOf(entry, "username");
  const password = fieldOf(entry, "password");
  if (isText(username) && isText(password)) return { username, password: new Secret(password) };
  const auth = fieldOf(entry, "auth");
  if (!isText(auth) || !/^[A-Za-z0-9+/]+={0,2}$/.test(auth)) return undefined;
  const plain = Buffer.from(auth, "base64").toString("utf8");
  const colon = plain.indexOf(":");
  if (colon < 1 || colon === plain.length - 1) return undefined;
  return { username: plain.slice(0, colon), password: new Secret(plain.slice(colon + 1)) };
}

/** `https://index.docker.io/v1/` is what Docker Hub is called in these files. */
function hostOf(server: string): string {
  const host = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
