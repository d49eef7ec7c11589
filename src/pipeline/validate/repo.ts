import { locate } from "../../plugins/git/index.ts";
import { type Rule, repoRule } from "../names.ts";
import { gitUrl } from "../places.ts";
import { type BuildFacts, checkBuild, type Move } from "./build.ts";
import { described, lineOf, type Report, recordOf } from "./report.ts";
import type { Surroundings } from "./surroundings.ts";

/** Checks one repository of a flavour; answers with what it moves. */
export function checkRepo(
  report: Report,
  above: string,
  name: string,
  value: unknown,
  around: Surroundings,
): readonly Move[] {
  const at = lineOf(Array.isArray(value) ? value[0] : value, above);
  report.text(at, "WRONG_NAME", "the repository", name, repoRule);
  const source = recordOf(value);
  if (source === undefined || source["kind"] !== "from") {
    const hint = 'Write docker(…) for a repository on GitHub, from(git("./path or url"), docker(…)) for any other.';
    report.add(
      at,
      "WRONG_VALUE",
      `the repository ${name} must be docker(…) or from(…), but is ${described(value)}`,
      hint,
    );
    return [];
  }
  report.fields(at, "from(…)", source, ["kind", "source", "builds", "at"]);
  checkSource(report, at, source["source"], around);
  const builds: readonly unknown[] = Array.isArray(source["builds"]) ? source["builds"] : [];
  if (builds.length === 0) report.add(at, "WRONG_VALUE", `the repository ${name} builds nothing: add docker(…)`);
  const facts = builds.map((build) => checkBuild(report, at, build, around));
  refuseTwins(report, name, facts);
  return facts.flatMap((fact) => fact.moves);
}

function checkSource(report: Report, above: string, value: unknown, around: Surroundings): void {
  const at = lineOf(value, above);
  const source = recordOf(value);
  if (source?.["kind"] === "github") return; // made by deployer() of the repository's name, which is checked
  if (source === undefined || source["kind"] !== "git") {
    return report.add(at, "WRONG_VALUE", `the source must be git("./path or url"), but is ${described(value)}`);
  }
  report.fields(at, "git(…)", source, ["kind", "url", "at"]);
  const url = source["url"];
  if (!report.text(at, "WRONG_VALUE", "the repository's address", url, filled)) return;
  const located = locate({ url: gitUrl(url, "/") });
  if (!located.ok) return report.add(at, "REPO_REFUSED", located.error.message);
  const found = around.repositoryAt(url);
  if (found === "nothing") report.add(at, "NO_REPOSITORY", `there is nothing at ${url}`);
  if (found === "no repository") report.add(at, "NO_REPOSITORY", `${url} is no git repository`);
}

const filled: Rule = (text) => (text.trim() === "" ? "is empty" : undefined);

/** Two builds of one name would share their keys, and so their history and results. */
function refuseTwins(report: Report, name: string, facts: readonly BuildFacts[]): void {
  const seen = new Map<string, string>();
  for (const { spec, at } of facts) {
    if (spec === undefined) continue;
    const first = seen.get(spec);
    if (first === undefined) seen.set(spec, at);
    else report.add(at, "SAME_BUILD", `${name} builds "${spec}" twice: here and at ${first}`);
  }
}
