import { type Result, success } from "../../term/output.ts";
import type { GitSource } from "./source.ts";

/**
 * The token of a source, as git takes it from its environment: on no command line, in no file, and sent to just this
 * address. Redirects are not followed then. Fails as the source's `auth` does.
 */
export async function authEnvironment(
  source: GitSource,
  signal: AbortSignal,
): Promise<Result<Readonly<Record<string, string>>>> {
  if (source.auth === undefined) return success({});
  const token = await source.auth(signal);
  if (!token.ok) return token;
  if (token.value === undefined) return success({});
  const basic = Buffer.from(`x-access-token:${token.value.reveal()}`).toString("base64");
  return success({
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: `http.${source.url}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    GIT_CONFIG_KEY_1: "http.followRedirects",
    GIT_CONFIG_VALUE_1: "false",
  });
}
