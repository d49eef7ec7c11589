import type { Json } from "../../../engine/json.ts";
import {
  type Answer,
  byId,
  flagIn,
  parameter,
  Refused,
  type RepositoryCall,
  type RepositoryRoute,
  textIn,
} from "../route.ts";
import { commitOf, type Deployment, type DeploymentStatus, type Repository } from "../world.ts";
import { commitNamed } from "./repositories.ts";

const DESCRIPTION_MAX = 140;

/** Deployments, and the statuses of commits. */
export const deploymentRoutes: readonly RepositoryRoute[] = [
  { operation: "POST /repos/{owner}/{repo}/deployments", permission: { deployments: "write" }, answer: deploy },
  {
    operation: "GET /repos/{owner}/{repo}/deployments",
    permission: { deployments: "read" },
    answer: ({ query, repository, shapes }) => {
      const isMeant = (one: Deployment): boolean =>
        (query.get("sha") ?? one.commit) === one.commit &&
        (query.get("ref") ?? one.ref) === one.ref &&
        (query.get("task") ?? one.task) === one.task &&
        (query.get("environment") ?? one.environment) === one.environment;
      const found = repository.deployments.filter(isMeant).toReversed();
      return { list: found.map((one) => shapes.deployment(repository, one)) };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/deployments/{deployment_id}",
    permission: { deployments: "read" },
    answer: (call) => ({ json: call.shapes.deployment(call.repository, deploymentIn(call)) }),
  },
  {
    operation: "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    permission: { deployments: "write" },
    answer: report,
  },
  {
    operation: "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    permission: { deployments: "read" },
    answer: (call) => {
      const deployment = deploymentIn(call);
      const newestFirst = deployment.statuses.toReversed();
      return { list: newestFirst.map((one) => call.shapes.deploymentStatus(call.repository, deployment, one)) };
    },
  },
  { operation: "POST /repos/{owner}/{repo}/statuses/{sha}", permission: { statuses: "write" }, answer: setStatus },
  {
    operation: "GET /repos/{owner}/{repo}/commits/{ref}/statuses",
    permission: { statuses: "read" },
    answer: (call) => {
      const commit = commitNamed(call, parameter(call, "ref"));
      const found = call.repository.statuses.filter((status) => status.commit === commit).toReversed();
      return { list: found.map((status) => call.shapes.status(call.repository, status)) };
    },
  },
];

const deploymentIn = (call: RepositoryCall): Deployment =>
  byId(call.repository.deployments, parameter(call, "deployment_id"));

function deploy(call: RepositoryCall): Answer {
  const { body, repository, world, shapes } = call;
  const ref = textIn(body, "ref") ?? "";
  const commit = commitOf(repository, ref);
  if (commit === undefined) throw new Refused(422, `No ref found for: ${ref}`);
  const base = repository.heads.branches.get(repository.defaultBranch);
  if (flagIn(body, "auto_merge", true) && base !== undefined && !repository.git.contains(commit, base))
    return { status: 202, json: { message: `Auto-merged ${repository.defaultBranch} into ${ref} on deployment.` } };
  if (!areContextsGreen(repository, commit, body["required_contexts"]))
    throw new Refused(409, `Conflict: Commit status checks failed for ${ref}.`);
  const environment = textIn(body, "environment") ?? "production";
  const deployment: Deployment = {
    id: world.nextId(),
    commit,
    ref,
    environment,
    task: textIn(body, "task") ?? "deploy",
    description: within(textIn(body, "description") ?? "") || null,
    payload: body["payload"] ?? {},
    transient: flagIn(body, "transient_environment", false),
    production: flagIn(body, "production_environment", environment === "production"),
    createdMs: world.clock.now(),
    statuses: [],
  };
  repository.deployments.push(deployment);
  return { status: 201, json: shapes.deployment(repository, deployment) };
}

/** Every context of the commit, unless the request names those that count. */
function areContextsGreen({ statuses, checkRuns }: Repository, commit: string, required: Json | undefined): boolean {
  const newest = new Map(statuses.filter((one) => one.commit === commit).map(({ context, state }) => [context, state]));
  for (const { fields, commit: of } of checkRuns)
    if (of === commit) newest.set(textIn(fields, "name") ?? "", textIn(fields, "conclusion") ?? "pending");
  const counted = Array.isArray(required) ? required.map(String) : [...newest.keys()];
  return counted.every((context) => newest.get(context) === "success");
}

function report(call: RepositoryCall): Answer {
  const { body, repository, world, shapes } = call;
  const deployment = deploymentIn(call);
  const status: DeploymentStatus = {
    id: world.nextId(),
    state: textIn(body, "state") ?? "",
    description: within(textIn(body, "description") ?? ""),
    environmentUrl: textIn(body, "environment_url") ?? "",
    logUrl: textIn(body, "log_url") ?? textIn(body, "target_url") ?? "",
    createdMs: world.clock.now(),
  };
  deployment.statuses.push(status);
  if (status.state === "success" && flagIn(body, "auto_inactive", true)) retire(call, deployment);
  return { status: 201, json: shapes.deploymentStatus(repository, deployment, status) };
}

/** What was deployed to the same place before is inactive now. */
function retire({ repository, world }: RepositoryCall, newest: Deployment): void {
  const isOlder = (one: Deployment): boolean =>
    one.id < newest.id && one.environment === newest.environment && !one.transient && !one.production;
  for (const deployment of repository.deployments.filter(isOlder)) {
    const last = deployment.statuses.at(-1);
    if (last?.state === "success")
      deployment.statuses.push({ ...last, id: world.nextId(), state: "inactive", createdMs: world.clock.now() });
  }
}

function setStatus(call: RepositoryCall): Answer {
  const { body, repository, world, shapes } = call;
  const status = {
    id: world.nextId(),
    commit: commitNamed(call, parameter(call, "sha")),
    context: textIn(body, "context") ?? "default",
    state: textIn(body, "state") ?? "",
    description: within(textIn(body, "description") ?? "") || null,
    targetUrl: textIn(body, "target_url") ?? null,
    createdMs: world.clock.now(),
  };
  repository.statuses.push(status);
  return { status: 201, json: shapes.status(repository, status) };
}

function within(description: string): string {
  if (description.length > DESCRIPTION_MAX)
    throw new Refused(422, `Validation Failed: description is too long (maximum is ${DESCRIPTION_MAX} characters)`);
  return description;
}
