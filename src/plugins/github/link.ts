import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";

/**
 * Where the next page is, by a `Link` header; nothing: this was the last one. It must be at the same host, or
 * `FORGE_FAULT`: the request for it bears a token.
 */
export function nextPage(link: string | undefined, api: URL): Result<string | undefined> {
  const target = link
    ?.split(",")
    .map((part) => /^\s*<([^<>]*)>\s*;(.*)$/.exec(part))
    .find((part) => /\brel="?next"?/.test(part?.[2] ?? ""))?.[1];
  if (target === undefined) return success(undefined);
  if (URL.canParse(target, api.href) && new URL(target, api).origin === api.origin)
    return success(new URL(target, api).href);
  return failure(
    problem("FORGE_FAULT", `the next page is said to be at ${target.slice(0, 200)}, not at ${api.origin}`),
  );
}
