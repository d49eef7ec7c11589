import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { BuildDeclaration, Source, SourceDeclaration } from "./types.ts";

/**
 * A repository: where its commits come from, and what is built of them.
 *
 * @param source  `git("./path or url")`.
 * @param builds  One build, several, or a list of them.
 * @example from(git("./hello.git"), docker("Dockerfile", { live: publish("demo/hello:live") }))
 */
export function from(
  source: SourceDeclaration,
  builds: BuildDeclaration | readonly BuildDeclaration[],
  ...more: readonly BuildDeclaration[]
): Source {
  const all = [...(isList(builds) ? builds : [builds]), ...more];
  return freeze({ kind: "from", source, builds: all, at: sourceLine(from) });
}

const isList = (builds: BuildDeclaration | readonly BuildDeclaration[]): builds is readonly BuildDeclaration[] =>
  Array.isArray(builds);
