import type { Secret } from "../../engine/secret.ts";
import { type Failure, type Result, success } from "../../term/output.ts";
import type { GitSource, Refusal } from "./source.ts";

type Environment = Readonly<Record<string, string>>;

/**
 * Calls git with the token of a source. When the other side does not take that, the source is told and git is called
 * once more, with what it gives then. Fails as the source's `auth` and as `call` do.
 */
export async function withAuth<T>(
  source: GitSource,
  signal: AbortSignal,
  call: (env: Environment) => Promise<Result<T>>,
): Promise<Result<T>> {
  for (let attempt = 0; ; attempt += 1) {
    const token = source.auth === undefined ? success(undefined) : await source.auth(signal);
    if (!token.ok) return token;
    const done = await call(environmentOf(source, token.value));
    if (done.ok || token.value === undefined || source.refused === undefined) return done;
    const how = refusalIn(done.error);
    // Forbidden again: it is not the token.
    if (how === undefined || (how === "forbidden" && attempt > 0)) return done;
    source.refused(token.value, how);
    if (attempt > 0) return done;
  }
}

/** As git says that it was asked for a password, or that the one it has is not taken. */
export const wantsPassword = ({ message }: Failure): boolean =>
  /could not read (Username|Password)|Authentication failed|returned error: 401/i.test(message);

function refusalIn(error: Failure): Refusal | undefined {
  if (wantsPassword(error)) return "unknown";
  return /returned error: 403/i.test(error.message) ? "forbidden" : undefined;
}

/**
 * The token of a source, as git takes it from its environment: on no command line, in no file, and sent to just this
 * address. Redirects are not followed then.
 */
function environmentOf({ url }: GitSource, token: Secret | undefined): Environment {
  if (token === undefined) return {};
  const basic = Buffer.from(`x-access-token:${token.reveal()}`).toString("base64");
  return {
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: `http.${url}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    GIT_CONFIG_KEY_1: "http.followRedirects",
    GIT_CONFIG_VALUE_1: "false",
  };
}
