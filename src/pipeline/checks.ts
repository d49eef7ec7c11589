import type { Builder } from "../engine/cache/builder.ts";
import { cached } from "../engine/cache/cache.ts";
import type { Engine } from "../engine/engine.ts";
import type { Refs } from "../engine/refs.ts";
import type { CheckedBuild, DockerCheckContext, DockerCheckKey } from "../plugins/docker/index.ts";
import type { FetchedCommit, GitContext, GitFetchKey, GitSource } from "../plugins/git/index.ts";
import { list, map, pair, state } from "../term/combinators.ts";
import { each, option } from "../term/each.ts";
import type { Output } from "../term/output.ts";
import type { Box, Term } from "../term/term.ts";
import { buildKey } from "./build-key.ts";
import { type CheckHead, headsTerm } from "./check-heads.ts";
import { keys, specOf } from "./keys.ts";
import { type Allowed, confinementOf, mayBuild, type Writers } from "./may-build.ts";
import { proposals } from "./proposals.ts";
import type { DockerBuild, RepoName } from "./types.ts";

/** What checking needs of the outside, on top of what deploying needs. */
export interface CheckPorts {
  readonly writers: Writers;
  readonly builder: Builder<DockerCheckContext, DockerCheckKey, CheckedBuild>;
  readonly build: DockerCheckContext;
  /** Tells the forge; the term is ok when it was told. Default: nobody is told. */
  readonly report?: (box: Box, report: Term<CheckReport>) => Term<unknown>;
}

/** The ports, as far as checking uses them. */
interface UsedPorts {
  readonly engine: Engine;
  readonly git: GitContext;
  readonly builders: { readonly fetch: Builder<GitContext, GitFetchKey, FetchedCommit> };
  readonly checks: CheckPorts;
}

/** How far the check of a commit is. */
export interface CheckReport {
  readonly repo: RepoName;
  /** The repository's number at its forge. */
  readonly repository: number;
  readonly commit: string;
  /** Whether it may be built: active and waiting when a maintainer has to look at it first. */
  readonly allowed: Output<unknown>;
  readonly builds: readonly BuildState[];
}

/** One Dockerfile of the commit. */
export interface BuildState {
  /** Names it within the repository. */
  readonly spec: string;
  readonly output: Output<unknown>;
  readonly job?: string;
}

/** A repository whose branches and pull requests are checked. */
export interface Checking {
  readonly ports: UsedPorts;
  readonly repo: RepoName;
  readonly source: GitSource;
  readonly refs: Term<Refs>;
  readonly builds: readonly DockerBuild[];
  /** The builds that are made for deploys, by what their keys begin with: they are not made twice. */
  readonly deployed: ReadonlyMap<string, Term<unknown>>;
  /** A branch whose commit is older is not built, but for the default one and those that are deployed; milliseconds. */
  readonly stalenessMs?: number;
  readonly at: string;
}

/**
 * For each commit that a branch or an open pull request is at: may it be built → fetch → each Dockerfile → told to the
 * forge. Nothing here is pushed or deployed: what comes of a build is only that it went well.
 */
export function lowerChecks(checking: Checking): Term<unknown> {
  const { ports, repo, refs, builds } = checking;
  const isOld = (committedMs: number): boolean => isOlder(checking, committedMs);
  const heads = headsTerm(refs, { mapped: new Set(builds.flatMap(({ branches }) => Object.keys(branches))), isOld });
  return ports.engine.world.grouped(`${repo}-builds`, () =>
    each(heads, (name, head) => lowerHead({ ...checking, name, head })),
  );
}

const isOlder = ({ ports, stalenessMs }: Checking, whenMs: number): boolean =>
  stalenessMs !== undefined && whenMs < ports.engine.clock.now() - stalenessMs;

/** One commit while it is lowered. */
interface One extends Checking {
  readonly name: string;
  readonly head: Term<CheckHead>;
}

function lowerHead(one: One): Term<unknown> {
  const { repo, builds, stalenessMs } = one;
  const allowed = mayBuild(policyOf(one), repo, boxesOf(one)("head", "head"), one.head);
  if (builds.every((build) => one.deployed.has(keyOf(one, build)))) return lowerParts(one, allowed, undefined);
  const fetched = lowerFetch(one, allowed);
  if (stalenessMs === undefined) return lowerParts(one, allowed, fetched);
  // Where the forge does not say how old it is, its commit does: that is fetched, and nothing is made of an old one.
  const young = map(pair(fetched, allowed), ([commit, { head }]) =>
    head.ages && isOlder(one, commit.whenMs) ? undefined : true,
  );
  // The parts look at the fetch itself: `option` would show them the commit before for as long as the next is fetched.
  return option(young, () => lowerParts(one, allowed, fetched));
}

/** The builds of a commit, and what is told of them. */
function lowerParts(one: One, allowed: Term<Allowed>, fetched: Term<FetchedCommit> | undefined): Term<unknown> {
  const { report: tell } = one.ports.checks;
  const parts = one.builds.map((build): Part => {
    const deployed = one.deployed.get(keyOf(one, build));
    if (deployed !== undefined || fetched === undefined) return { spec: specOf(build), term: deployed ?? allowed };
    return { spec: specOf(build), term: lowerBuild(one, build, allowed, fetched) };
  });
  const report = reportOf(one, allowed, parts);
  return tell === undefined ? report : tell(boxesOf(one)("check", "check"), report);
}

const keyOf = ({ repo, name }: One, build: DockerBuild): string => keys.checkedBuild(repo, build, name);

const isDeployed = ({ builds, name }: One): boolean =>
  builds.some(({ branches }) => Object.keys(branches).some((branch) => keys.ofBranch(branch) === name));

interface Part {
  readonly spec: string;
  readonly term: Term<unknown>;
}

function policyOf({ ports, repo, refs, builds }: One): Parameters<typeof mayBuild>[0] {
  const { engine, checks } = ports;
  return {
    approvals: engine.approvals,
    writers: checks.writers,
    propose: proposals(checks.writers, repo, () => refs.output, builds),
    clock: engine.clock,
    background: (work) => engine.background(work),
  };
}

const labelOf = ({ name }: One): string =>
  name.startsWith("pr:") ? `#${name.slice(3)}` : decodeURIComponent(name.slice(7));

const boxesOf =
  (one: One) =>
  (verb: string, kind: string): Box => ({
    key: keys.term(keys.checked(one.repo, one.name), verb),
    label: verb === "head" ? labelOf(one) : verb,
    kind,
    at: one.at,
  });

function lowerFetch(one: One, allowed: Term<Allowed>) {
  const { ports, source } = one;
  const wanted = map(allowed, ({ head }) => ({ source, commit: head.commit }));
  const tell = ({ commit, subject }: FetchedCommit): string => `${commit.slice(0, 8)} ${subject}`;
  const { fetch } = ports.builders;
  // A deploy waits for none of thousands of branches: what it needs itself is not held back here, nor is it one job with
  // what is.
  const behind = !isDeployed(one);
  const builder = behind ? { ...fetch, id: `${fetch.id}-check` } : fetch;
  const git = { ...ports.git, behind };
  return cached(ports.engine, boxesOf(one)("fetch", "fetch"), builder, git, wanted, { tell });
}

function lowerBuild(
  one: One,
  build: DockerBuild,
  allowed: Term<Allowed>,
  fetched: Term<FetchedCommit>,
): Term<CheckedBuild> {
  const { ports, repo, name, source } = one;
  const box: Box = {
    key: keys.term(keys.checkedBuild(repo, build, name), "build"),
    label: specOf(build),
    kind: "build",
    at: build.at,
  };
  const key = map(pair(fetched, allowed), ([{ commit, tree }, may]): DockerCheckKey => {
    const confinement = confinementOf(may, build.options.unsafeNetwork === true);
    return { build: buildKey(build, source, commit, tree), ...confinement };
  });
  return cached(ports.engine, box, ports.checks.builder, ports.checks.build, key, { tell: () => "can be built" });
}

function reportOf(one: One, allowed: Term<Allowed>, parts: readonly Part[]): Term<CheckReport> {
  const { repo, head } = one;
  const outputs = list(
    one.ports.engine.world,
    [allowed, ...parts.map(({ term }) => term)].map((term) => state(term)),
  );
  return map(pair(head, outputs), ([{ commit, repository }, [may, ...states]]): CheckReport => {
    const builds = parts.map(({ spec, term }, at) => buildState(spec, term, states[at] ?? term.output));
    return { repo, repository, commit, allowed: may ?? allowed.output, builds };
  });
}

function buildState(spec: string, { metadata }: Term<unknown>, output: Output<unknown>): BuildState {
  return { spec, output, ...(metadata.job === undefined ? {} : { job: metadata.job }) };
}
