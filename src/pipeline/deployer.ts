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
  return freeze({ kind: "deployer", flavours: mapped(flavours, whole), at: sourceLine(deployer) });
}

/** What is no record is left as it is, for `validate` to refuse. */
const mapped = <K extends string, V, W>(record: Readonly<Record<K, V>>, of: (value: V, key: K) => W): Record<K, W> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys come back as plain strings
  (isPlain(record) && !Array.isArray(record)
    ? Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, of(value, key as K)]))
    : record) as Record<K, W>;

const whole = (flavour: FlavourDeclaration): Flavour =>
  isPlain(flavour) && !("kind" in flavour) && isPlain(flavour.repos) && !("kind" in flavour.repos)
    ? { ...flavour, repos: mapped(flavour.repos, sourceOf) }
    : // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no flavour at all: validate() refuses it
      (flavour as unknown as Flavour);

/** Builds alone are of the repository on GitHub that bears the name. */
function sourceOf(value: RepoDeclaration, repo: RepoName): Source {
  if (!isBuilds(value)) return value;
  const builds = isList(value) ? value : [value];
  const at = builds[0]?.at ?? "pipeline.ts";
  return { kind: "from", source: { kind: "github", repo, at }, builds, at };
}

const isList = (value: RepoDeclaration): value is readonly BuildDeclaration[] => Array.isArray(value);
const isBuilds = (value: RepoDeclaration): value is BuildDeclaration | readonly BuildDeclaration[] =>
  isList(value) || (isPlain(value) && "kind" in value && value.kind === "docker");
