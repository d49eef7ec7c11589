import { freeze, isPlain } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type {
  BuildDeclaration,
  Deployer,
  Flavour,
  FlavourDeclaration,
  RepoDeclaration,
  RepoName,
  Source,
} from "./types.ts";

/**
 * The whole of `pipeline.ts`: its flavours by name. `export default deployer({ … })`.
 *
 * Each flavour is served by a process of its own (`millrace serve --flavour NAME`) with its own state directory.
 *
 * @example export default deployer({ demo: { repos: { "acme/shop": docker("Dockerfile", { live: publish("acme/shop:live") }) } } });
 */
export function deployer(flavours: Readonly<Record<string, FlavourDeclaration>>): Deployer {
  const at = sourceLine(deployer);
  return freeze({ kind: "deployer", flavours: mapped(flavours, (flavour) => whole(flavour, at)), at });
}

/** What is no record is left as it is, for `validate` to refuse; nothing of the value is believed here either. */
function mapped<K extends string, V, W>(
  record: Readonly<Record<K, V>>,
  of: (value: V, key: K) => W,
): Readonly<Record<K, W>> {
  const made: unknown =
    isPlain(record) && !Array.isArray(record) && !("kind" in record)
      ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys come back as plain strings
        Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, of(value, key as K)]))
      : record;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was made by `of`
  return made as Readonly<Record<K, W>>;
}

function whole(flavour: FlavourDeclaration, at: string): Flavour {
  const made: unknown =
    isPlain(flavour) && !("kind" in flavour)
      ? { ...flavour, repos: mapped(flavour.repos, (value, repo) => sourceOf(value, repo, at)) }
      : flavour;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is no flavour at all is refused by `validate`
  return made as Flavour;
}

/** Builds alone are of the repository on GitHub that bears the name. */
function sourceOf(value: RepoDeclaration, repo: RepoName, above: string): Source {
  if (!isBuilds(value)) return value;
  const builds = isList(value) ? value : [value];
  const at = builds[0]?.at ?? above;
  return { kind: "from", source: { kind: "github", repo, at }, builds, at };
}

const isList = (value: RepoDeclaration): value is readonly BuildDeclaration[] => Array.isArray(value);
const isBuilds = (value: RepoDeclaration): value is BuildDeclaration | readonly BuildDeclaration[] =>
  isList(value) || (isPlain(value) && "kind" in value && value.kind === "docker");
