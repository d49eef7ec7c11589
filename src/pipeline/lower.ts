import { cached } from "../engine/cache/cache.ts";
import { deploy } from "../engine/effects/deploy.ts";
import type { Deployed } from "../engine/effects/lane-face.ts";
import { type Service, serviceOf } from "../engine/effects/service.ts";
import { problem } from "../engine/errors.ts";
import { type DockerBuildKey, dockerPush, type PushedImage } from "../plugins/docker/index.ts";
import { all, gate, map, mapResult, pair } from "../term/combinators.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { Box, Term } from "../term/term.ts";
import { buildKey } from "./build-key.ts";
import { lowerChecks } from "./checks.ts";
import { durationMs } from "./duration.ts";
import { placeOf, watchSource } from "./forges.ts";
import { type ImageReference, parseImage } from "./image-name.ts";
import { keys } from "./keys.ts";
import type { Ports } from "./ports.ts";
import type { Followed } from "./reread.ts";
import { driftOf, lowerTarget, targetLabel } from "./targets.ts";
import { tellDeploy } from "./tell-deploys.ts";
import type { DockerBuild, Flavour, Publish, RepoName, Source } from "./types.ts";
import { pushKey, vouchFor } from "./vouch.ts";
import type { Heads, Watched, Watching } from "./watched.ts";

/** A flavour as a running graph. */
export interface Pipeline {
  /** Ok when everything is as declared. */
  readonly result: Term<void>;
  readonly services: readonly Service[];
  readonly monitors: readonly Watching[];
  /** What is at a forge. */
  readonly followed: readonly Followed[];
  /** By term: accepts another repository under the name of one that was known before. */
  readonly adopts: ReadonlyMap<string, () => Promise<Result<unknown>>>;
}

const BRANCHES_SHOWN = 10;

/** Everything that is known about one branch of one build while it is lowered. */
interface Branch {
  readonly ports: Ports;
  readonly repo: RepoName;
  readonly build: DockerBuild;
  readonly name: string;
  /** What the keys of its terms begin with. */
  readonly key: string;
  readonly publish: Publish;
  readonly watched: Watched;
  readonly onGitHub: boolean;
}

/**
 * Makes the terms of a validated flavour. The only place that joins the vocabulary to plugins.
 *
 * Per branch: head → fetch → build → push (to our own tag) → public tag → services. Nothing but the digest that the
 * registry answered to our push goes on from there.
 *
 * @param only Lower just this repository.
 */
export function lower(ports: Ports, flavour: Flavour, only?: string): Pipeline {
  const repos = entries(flavour.repos).filter(([repo]) => only === undefined || repo === only);
  const lowered = repos.map(([repo, source]) =>
    ports.engine.world.grouped(repo, () => lowerRepo(ports, repo, source, flavour)),
  );
  const results = Object.fromEntries(lowered.map(({ repo, result }) => [repo, result]));
  return {
    result: all(ports.engine.world, results),
    services: lowered.flatMap(({ services }) => services),
    monitors: lowered.map(({ watched }) => watched.monitor),
    followed: lowered.flatMap(({ repo, watched: { refs, reread } }) =>
      refs === undefined || reread === undefined ? [] : [{ repo, refs, reread }],
    ),
    adopts: new Map(lowered.flatMap(({ adopts }) => adopts)),
  };
}

const entries = <K extends string, V>(record: Readonly<Record<K, V>>): readonly (readonly [K, V])[] =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys come back as plain strings
  Object.entries(record) as [K, V][];

function lowerRepo(ports: Ports, repo: RepoName, source: Source, { staleness }: Flavour) {
  const box: Box = {
    key: `${keys.repo(repo)}/heads`,
    label: `${repo}\n${placeOf(source.source)}`,
    kind: "source",
    at: source.at,
  };
  const watched = watchSource(ports, source.source, box, {
    dates: staleness !== undefined && ports.checks !== undefined,
  });
  const branches = source.builds.flatMap((build) =>
    entries(build.branches).map(([name, publish]) => {
      const key = keys.branch(repo, build, name);
      return lowerBranch({
        ports,
        repo,
        build,
        name,
        key,
        publish,
        watched,
        onGitHub: source.source.kind === "github",
      });
    }),
  );
  const parts = Object.fromEntries(branches.map(({ label, result }) => [label, result]));
  const result = all(ports.engine.world, { ...parts, heads: watched.heads });
  if (watched.refs !== undefined && ports.checks !== undefined) {
    const deployed = new Map(branches.map(({ key, built }) => [key, built]));
    const stalenessMs = staleness === undefined ? undefined : durationMs(staleness);
    lowerChecks({
      ports: { ...ports, checks: ports.checks },
      repo,
      source: watched.source,
      refs: watched.refs,
      builds: source.builds,
      deployed,
      ...(stalenessMs === undefined ? {} : { stalenessMs }),
      at: source.at,
    });
  }
  const services = branches.flatMap((branch) => branch.services);
  const adopts = watched.accept === undefined ? [] : [[box.key, watched.accept] as const];
  return { repo, result, services, watched, adopts };
}

function lowerBranch(branch: Branch) {
  const head = lowerHead(branch);
  const fetched = cached(
    branch.ports.engine,
    boxOf(branch, "fetch", branch.name, "fetch"),
    branch.ports.builders.fetch,
    branch.ports.git,
    head,
    { tell: ({ commit, subject }) => `${commit.slice(0, 8)} ${subject}` },
  );
  const key = map(fetched, ({ commit, tree }) => buildKey(branch.build, branch.watched.source, commit, tree));
  const { built, pushed } = lowerBuild(branch, key);
  const { result, services } = lowerDeploys(
    branch,
    pushed,
    map(head, ({ commit }) => commit),
    key,
  );
  return { key: branch.key, label: `${branch.name} (${branch.build.dockerfile})`, built, result, services };
}

const boxOf = (
  { key, build, publish }: Branch,
  verb: string,
  label: string,
  kind: string,
  ...more: readonly string[]
): Box => ({
  key: keys.term(key, verb, ...more),
  label,
  kind,
  at: kind === "build" ? build.at : publish.at,
});

function lowerHead(branch: Branch): Term<{ readonly source: Watched["source"]; readonly commit: string }> {
  const { watched, name } = branch;
  const box: Box = { ...boxOf(branch, "head", name, "head") };
  const find = (heads: Heads): Result<string> => {
    const found = heads.get(name);
    if (found !== undefined) return success(found);
    const known = [...heads.keys()].slice(0, BRANCHES_SHOWN).join(", ") || "none";
    return failure(problem("MISSING_BRANCH", `${watched.source.url} has no branch "${name}"; it has ${known}`));
  };
  const commit = mapResult(watched.heads, box, find, (found) => found.slice(0, 8));
  return map(commit, (found) => ({ source: watched.source, commit: found }));
}

/** Build, then push under a tag that is named after the build: nobody else moves it. */
function lowerBuild(branch: Branch, key: Term<DockerBuildKey>) {
  const { ports, build, publish } = branch;
  const { repository } = imageOf(publish);
  const builder = ports.builders.build;
  const box = boxOf(branch, "build", build.options.name ?? build.dockerfile, "build");
  const built = cached(ports.engine, box, builder, ports.build, key, { tell: ({ image }) => image });
  const wanted = map(pair(built, key), ([{ image }, of]) => {
    return pushKey(builder, repository, image, of);
  });
  const tell = ({ digest }: PushedImage): string => digest;
  const pushBox = boxOf(branch, "push", repository, "push");
  return { built, pushed: cached(ports.engine, pushBox, dockerPush, ports.push, wanted, { tell }) };
}

function imageOf(publish: Publish): ImageReference & { readonly repository: string } {
  const image = parseImage(publish.image);
  if (typeof image === "string") throw new Error(`${publish.at}: image ${publish.image} ${image}`); // validate() refused it
  return { ...image, repository: `${image.registry}/${image.path}` };
}

/** The public tag first; the services follow it, each in a lane of its own. */
function lowerDeploys(branch: Branch, image: Term<PushedImage>, commit: Term<string>, key: Term<DockerBuildKey>) {
  const { ports, publish, watched, repo, name } = branch;
  const source = `${repo} ${name}`;
  const { repository, tag, registry } = imageOf(publish);
  const fresh = async (running: string): Promise<Result<void>> => {
    const read = await watched.monitor.refresh();
    if (!read.ok) return read;
    const heads = watched.heads.output;
    const head = heads.state === "ok" ? heads.value.get(name) : undefined;
    return vouchFor(
      ports.engine.store.queries,
      ports.builders.build,
      { head, build: key.output, repo: repository },
      running,
    );
  };
  const tagBox = boxOf(branch, "tag", publish.image, "tag");
  const tagged = deploy(ports.engine, tagBox, ports.tag, { repo: repository, tag }, image, {
    owner: ports.owner,
    fresh,
    ...driftOf(publish),
  });
  const about = { name: publish.image, host: registry, place: publish.image, source, at: publish.at };
  const following = gate(image, tagged.term);
  const deployed = publish.services.map((declared) => {
    const box: Box = {
      ...boxOf(branch, "deploy", targetLabel(declared), "deploy", declared.host.host, declared.service),
      at: declared.at,
    };
    const made = lowerTarget(declared, { ports, box, image: following, fresh, source });
    const { url, place } = made.service.declared;
    tell(branch, { ...made, commit, place, before: [tagBox.key], ...(url === undefined ? {} : { url }) });
    return made;
  });
  if (publish.services.length === 0) {
    const rolledOut = (generation: number): boolean => tagged.lane.rolledOut(generation);
    tell(branch, { term: tagged.term, rolledOut, commit, place: publish.image, before: [] });
  }
  const parts = Object.fromEntries(deployed.map(({ term, service }) => [service.declared.name, term]));
  return {
    result: all(ports.engine.world, { ...parts, tag: tagged.term }),
    services: [serviceOf(tagged.lane, about), ...deployed.map(({ service }) => service)],
  };
}

/** One place that a branch is deployed to, for those who are told of it. */
interface Place {
  readonly commit: Term<string>;
  readonly term: Term<Deployed>;
  readonly rolledOut: (generation: number) => boolean;
  readonly place: string;
  /** Keys of terms whose failure is this deploy's. */
  readonly before: readonly string[];
  readonly url?: string;
}

function tell(branch: Branch, { commit, term, rolledOut, place, before, url }: Place): void {
  const { ports, repo, name, onGitHub } = branch;
  if (ports.tellers === undefined) return;
  tellDeploy(ports.engine, ports.tellers, {
    about: { term: term.key, repo, branch: name, place, ...(url === undefined ? {} : { url }) },
    commit,
    deployed: term,
    before,
    making: ["fetch", "build", "push"].map((verb) => keys.term(branch.key, verb)),
    rolledOut,
    onGitHub,
    box: (verb, label) => boxOf(branch, verb, label, "check", place),
  });
}
