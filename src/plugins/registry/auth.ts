import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { Secret } from "../../engine/secret.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { Credential } from "./credentials.ts";
import { type Answer, exchange, refusal } from "./http.ts";

/** Token servers that are not at their registry's own address. */
const REALM_HOSTS: Readonly<Record<string, readonly string[]>> = {
  "registry-1.docker.io": ["auth.docker.io"],
  "registry.gitlab.com": ["gitlab.com"],
};

/** What a registry asks for in `WWW-Authenticate`. */
type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string };

/**
 * The `Authorization` header for which a registry asks with 401; undefined when it asks for nothing we can give.
 *
 * A token is fetched from the registry's own host, or over https from one that is known to belong to it: anybody else
 * named there would be sent the password. Fails with `REGISTRY_REALM_REFUSED`, or as the token server fails.
 *
 * @source https://distribution.github.io/distribution/spec/auth/token/
 */
export async function authorize(
  clock: Clock,
  registry: URL,
  answer: Answer,
  access: { readonly scope: string; readonly credential: Credential | undefined },
  signal: AbortSignal,
): Promise<Result<Secret | undefined>> {
  const challenge = parseChallenge(answer.headers.get("www-authenticate") ?? "");
  const { credential } = access;
  if (challenge === undefined) return success(undefined);
  if (challenge.scheme === "basic") return success(credential && basic(credential));
  const realm = checkRealm(challenge.realm, registry);
  if (!realm.ok) return realm;
  realm.value.searchParams.set("service", challenge.service);
  if (access.scope !== "") realm.value.searchParams.set("scope", access.scope);
  const headers = credential === undefined ? {} : { authorization: basic(credential).reveal() };
  const got = await exchange(clock, realm.value, { method: "GET", headers }, signal);
  if (!got.ok) return got;
  const doing = `fetching a token from ${realm.value.host}`;
  if (got.value.status !== 200) return failure(refusal(clock, doing, got.value));
  const token = tokenIn(got.value.bytes);
  if (token === undefined) return failure(problem("REGISTRY_FAULT", `${doing}: the answer holds no token`));
  return success(new Secret(`Bearer ${token}`));
}

/** Where the token is fetched, once it is certain that the password may go there. */
function checkRealm(text: string, registry: URL): Result<URL> {
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  const own = realm?.origin === registry.origin;
  const known = realm?.protocol === "https:" && (REALM_HOSTS[registry.hostname] ?? []).includes(realm.host);
  if (realm !== undefined && realm.username === "" && (own || known)) return success(realm);
  const to = JSON.stringify(text.slice(0, 200));
  return failure(
    problem("REGISTRY_REALM_REFUSED", `registry ${registry.host} sends for a token to ${to}: not its own address`),
  );
}

const basic = ({ username, password }: Credential): Secret =>
  new Secret(`Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`);

function parseChallenge(header: string): Challenge | undefined {
  if (/^basic\b/i.test(header)) return { scheme: "basic" };
  if (!/^bearer\b/i.test(header)) return undefined;
  const parameter = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`, "i").exec(header)?.[1] ?? "";
  return { scheme: "bearer", realm: parameter("realm"), service: parameter("service") };
}

function tokenIn(bytes: Uint8Array): string | undefined {
  try {
    const body: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof body !== "object" || body === null) return undefined;
    const token: unknown = Reflect.get(body, "token") ?? Reflect.get(body, "access_token");
    return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}
