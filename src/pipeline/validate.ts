import { flavourRule, webUrlRule } from "./names.ts";
import type { Deployer, Problem } from "./types.ts";
import { durationRule, type Move } from "./validate/build.ts";
import { checkPeople } from "./validate/people.ts";
import { checkRepo } from "./validate/repo.ts";
import { described, isKind, Report, recordOf } from "./validate/report.ts";
import { nowhere, type Surroundings } from "./validate/surroundings.ts";

interface OwnedMove extends Move {
  readonly flavour: string;
}

/**
 * Everything that is wrong with a pipeline, at once, each with its line; empty when it may be run.
 *
 * The types of the vocabulary refuse most of this while it is written; this is for what they cannot say, and for
 * files that were never compiled. So nothing of the value is believed.
 *
 * @param around What it may look at. Default: nothing outside of the declaration.
 */
export function validate(deployer: Deployer, around: Surroundings = nowhere): readonly Problem[] {
  const report = new Report();
  const flavours = recordOf(deployer.flavours);
  if (flavours === undefined || Object.keys(flavours).length === 0) {
    report.add(deployer.at, "NOTHING_DECLARED", "deployer({ … }) has no flavours");
    return report.problems;
  }
  const moves = Object.entries(flavours).flatMap(([name, flavour]) =>
    checkFlavour(report, deployer.at, name, flavour, around).map((move) => ({ ...move, flavour: name })),
  );
  refuseShared(report, moves);
  return report.problems;
}

function checkFlavour(report: Report, at: string, name: string, value: unknown, around: Surroundings): readonly Move[] {
  report.text(at, "WRONG_NAME", "the flavour", name, flavourRule);
  const flavour = recordOf(value);
  if (flavour === undefined || typeof flavour["kind"] === "string") {
    report.add(at, "WRONG_VALUE", `the flavour ${name} must be { repos: … }, but is ${described(value)}`);
    return [];
  }
  report.fields(at, `the flavour ${name}`, flavour, ["url", "admins", "builders", "viewers", "staleness", "repos"]);
  if (flavour["url"] !== undefined) report.text(at, "WRONG_VALUE", `the url of ${name}`, flavour["url"], webUrlRule);
  const { staleness } = flavour;
  if (staleness !== undefined) report.text(at, "WRONG_VALUE", `the staleness of ${name}`, staleness, durationRule);
  const repos = recordOf(flavour["repos"]);
  if (repos === undefined || isKind(repos, "from")) {
    const found = described(flavour["repos"]);
    report.add(at, "WRONG_VALUE", `the repos of ${name} must be { "owner/name": from(…) }, but are ${found}`);
    return [];
  }
  if (Object.keys(repos).length === 0) report.add(at, "NOTHING_DECLARED", `the flavour ${name} has no repositories`);
  const moves = Object.entries(repos).flatMap(([repo, source]) => checkRepo(report, at, repo, source, around));
  const services = moves.map((move) => move.name);
  checkPeople(report, at, name, flavour, [...new Set(services)]);
  return moves;
}

/** Two declarations that move one thing would move it back and forth for ever; flavours never share one either. */
function refuseShared(report: Report, moves: readonly OwnedMove[]): void {
  const seen = new Map<string, OwnedMove>();
  for (const move of moves) {
    const first = seen.get(move.what);
    if (first === undefined) {
      seen.set(move.what, move);
      continue;
    }
    const owner = first.flavour === move.flavour ? "" : ` in the flavour ${first.flavour}`;
    report.add(move.at, "SAME_TARGET", `the ${move.what} is moved twice: here and at ${first.at}${owner}`);
  }
}
