import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { Git } from "./types.ts";

/**
 * A git repository by path or URL.
 *
 * A path is relative to the folder of `pipeline.ts` and is watched: a push is seen at once. Any other URL is read with
 * `git ls-remote` every 60 seconds.
 *
 * @example git("./hello.git")
 * @example git("https://git.example/hello.git")
 */
export function git(url: string): Git {
  return freeze({ kind: "git", url, at: sourceLine(git) });
}
