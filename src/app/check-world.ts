import { problem } from "../engine/errors.ts";
import { placeOf } from "../pipeline/forges.ts";
import { parseImage } from "../pipeline/image-name.ts";
import { suggestion } from "../pipeline/nearest.ts";
import type { Deployer, DockerBuild, Problem, Publish, Source, TargetDeclaration } from "../pipeline/types.ts";
import type { Failure } from "../term/output.ts";
import type { World } from "./world.ts";

/**
 * Asks the outside about everything that a valid pipeline names: branches, Dockerfiles, services, registries.
 *
 * Every repository, service and registry is asked once, whoever names it. What cannot be asked is a problem as well.
 */
export async function checkWorld(deployer: Deployer, world: World): Promise<readonly Problem[]> {
  const sources = Object.values(deployer.flavours).flatMap((flavour) => Object.values(flavour.repos));
  const publishes = sources.flatMap(({ builds }) => builds.flatMap(({ branches }) => Object.values(branches)));
  const problems: Problem[] = [];
  for (const source of sources) problems.push(...(await checkSource(source, world)));
  problems.push(...(await checkRegistries(publishes, world)));
  for (const target of publishes.flatMap(({ services }) => services))
    problems.push(...(await checkTarget(target, world)));
  return problems;
}

async function checkSource({ source, builds }: Source, world: World): Promise<readonly Problem[]> {
  const branches = await world.branches(source);
  if (!branches.ok) return [at(source.at, branches.error)];
  const problems: Problem[] = [];
  for (const build of builds) {
    for (const [branch, publish] of Object.entries(build.branches)) {
      const commit = branches.value.get(branch);
      if (commit === undefined)
        problems.push(at(publish.at, noBranch(placeOf(source), branch, [...branches.value.keys()])));
      else problems.push(...(await checkDockerfile(source, build, branch, commit, world)));
    }
  }
  return problems;
}

const noBranch = (where: string, branch: string, known: readonly string[]): Failure =>
  problem("MISSING_BRANCH", `${where} has no branch "${branch}". ${suggestion(branch, known)}`);

async function checkDockerfile(
  source: Source["source"],
  build: DockerBuild,
  branch: string,
  commit: string,
  world: World,
): Promise<readonly Problem[]> {
  const found = await world.hasFile(source, commit, build.dockerfile);
  if (!found.ok) return [at(build.at, found.error)];
  if (found.value) return [];
  const message = `the branch ${branch} of ${placeOf(source)} has no ${build.dockerfile} (at ${commit.slice(0, 8)})`;
  return [at(build.at, problem("NO_DOCKERFILE", message))];
}

async function checkRegistries(publishes: readonly Publish[], world: World): Promise<readonly Problem[]> {
  const lines = new Map<string, string>();
  for (const publish of publishes) {
    const image = parseImage(publish.image);
    if (typeof image !== "string" && !lines.has(image.registry)) lines.set(image.registry, publish.at);
  }
  const problems: Problem[] = [];
  for (const [registry, line] of lines) {
    const reached = await world.reachesRegistry(registry);
    if (!reached.ok) problems.push(at(line, reached.error));
  }
  return problems;
}

async function checkTarget(target: TargetDeclaration, world: World): Promise<readonly Problem[]> {
  const found = await world.hasTarget(target);
  if (!found.ok) return [at(target.at, found.error)];
  if (found.value) return [];
  return [at(target.at, problem("NO_SUCH_SERVICE", `there is no service "${target.service}" on ${target.host.host}`))];
}

const at = (line: string, { code, message, hint = "" }: Failure): Problem => ({ at: line, code, message, hint });
