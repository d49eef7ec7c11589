import { problem } from "../engine/errors.ts";
import { suggestion } from "../pipeline/nearest.ts";
import { shownPath } from "../pipeline/source-line.ts";
import type { Deployer, Problem } from "../pipeline/types.ts";
import { validate } from "../pipeline/validate.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import type { Call } from "./command.ts";
import { githubAccess } from "./github-access.ts";
import { loadPipeline } from "./load.ts";
import { messageAccess } from "./message-access.ts";
import { oauthFile } from "./oauth-file.ts";
import type { LocalOptions, OAuthClient, PipelineOptions, PlanOptions, ServeOptions } from "./options.ts";
import { pathOf } from "./path-of.ts";
import { reportProblems } from "./report.ts";
import { machineAround } from "./surroundings.ts";

const DOCKER_SOCKET = "unix:///var/run/docker.sock";

/** A pipeline that may be run, and the absolute path of its file. */
export interface OpenPipeline {
  readonly deployer: Deployer;
  readonly pipeline: string;
}

/**
 * Loads `--pipeline` and validates it; problems are printed, each at its line.
 *
 * @param tolerate Problems that are printed (unless `quiet`) but do not stop: what can heal while a server runs.
 */
export async function openPipeline(
  call: Call,
  tolerate: readonly string[] = [],
  how: { readonly quiet?: boolean } = {},
): Promise<Result<OpenPipeline>> {
  const pipeline = pathOf(call, call.given.text("pipeline") ?? "");
  const loaded = await loadPipeline(pipeline);
  if (!loaded.ok) return loaded;
  const problems = validate(loaded.value, machineAround(pipeline));
  const fatal = problems.filter(({ code }) => !tolerate.includes(code));
  reportProblems(call.io, how.quiet === true ? fatal : problems);
  return fatal.length === 0 ? success({ deployer: loaded.value, pipeline }) : failure(invalid(pipeline, fatal));
}

export const invalid = (pipeline: string, problems: readonly Problem[]): Failure =>
  problem(
    "PIPELINE_INVALID",
    `${shownPath(pipeline)} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`,
  );

/** What `serve` needs. A repository that is not there yet does not stop it: it is shown as out of reach and retried. */
export async function serveOptions(
  call: Call,
  tolerate: readonly string[] = ["NO_REPOSITORY"],
): Promise<Result<ServeOptions>> {
  const common = await pipelineOptions(call, tolerate);
  if (!common.ok) return common;
  const release = call.given.number("confirmAutoRelease");
  const oauth = oauthOf(call, common.value);
  if (!oauth.ok) return oauth;
  const untrusted = call.given.text("untrustedDockerHost");
  const messages = messageAccess(call);
  if (!messages.ok) return messages;
  return success({
    ...common.value,
    host: call.given.text("host") ?? "127.0.0.1",
    port: call.given.number("port") ?? 0,
    trustProxy: call.given.text("trustProxy")?.split(",") ?? [],
    confirm: call.given.threshold(),
    readers: call.given.readers(),
    ...(release === undefined ? {} : { confirmAutoReleaseSec: release }),
    messages: messages.value,
    ...(oauth.value === undefined ? {} : { oauth: oauth.value }),
    ...(untrusted === undefined ? {} : { untrustedDockerHost: untrusted }),
  });
}

/** The provider sends people back to a fixed address, so there must be one. */
function oauthOf(call: Call, { deployer, flavour }: PipelineOptions): Result<OAuthClient | undefined> {
  const file = call.given.text("githubOauth");
  if (file === undefined) return success(undefined);
  if (deployer.flavours[flavour]?.url !== undefined) return oauthFile(pathOf(call, file));
  const message = `--github-oauth needs the url of the flavour ${flavour} in pipeline.ts: GitHub sends people back there`;
  return failure(problem("USAGE", message));
}

/** What `local` needs: as `serve`, for all of the flavour or one repository of it. */
export async function localOptions(call: Call): Promise<Result<LocalOptions>> {
  const options = await serveOptions(call, []);
  return options.ok ? withOnly(call, options.value) : options;
}

/** What `plan` needs. */
export async function planOptions(call: Call): Promise<Result<PlanOptions>> {
  const options = await pipelineOptions(call, []);
  return options.ok ? withOnly(call, { ...options.value, confirm: call.given.threshold() }) : options;
}

async function pipelineOptions(call: Call, tolerate: readonly string[]): Promise<Result<PipelineOptions>> {
  const opened = await openPipeline(call, tolerate);
  if (!opened.ok) return opened;
  const flavour = chooseFlavour(call.given.text("flavour"), opened.value.deployer);
  if (!flavour.ok) return flavour;
  const github = githubAccess(call);
  if (!github.ok) return github;
  return success({
    ...opened.value,
    flavour: flavour.value,
    state: pathOf(call, call.given.text("state") ?? ""),
    dockerHost: dockerHostOf(call),
    ...registryAuthOf(call),
    github: github.value,
    verbose: call.given.has("verbose"),
  });
}

export const dockerHostOf = (call: Call): string =>
  call.given.text("dockerHost") ?? call.io.dockerHost ?? DOCKER_SOCKET;

export function registryAuthOf(call: Call): { readonly registryAuth?: string } {
  const file = call.given.text("registryAuth");
  return file === undefined ? {} : { registryAuth: pathOf(call, file) };
}

/** The flavour that is asked for, or the only one. */
function chooseFlavour(asked: string | undefined, deployer: Deployer): Result<string> {
  const names = Object.keys(deployer.flavours);
  const [only, ...others] = names;
  if (asked !== undefined) {
    if (names.includes(asked)) return success(asked);
    return failure(problem("UNKNOWN_FLAVOUR", `unknown flavour "${asked}". ${suggestion(asked, names)}`));
  }
  if (only !== undefined && others.length === 0) return success(only);
  return failure(problem("UNKNOWN_FLAVOUR", `--flavour is needed: there are ${names.length}: ${names.join(", ")}`));
}

function withOnly<T extends PipelineOptions>(call: Call, options: T): Result<T & { readonly only?: string }> {
  const [only] = call.args;
  if (only === undefined) return success(options);
  const repos = Object.keys(options.deployer.flavours[options.flavour]?.repos ?? {});
  if (repos.includes(only)) return success({ ...options, only });
  const message = `the flavour ${options.flavour} has no repository "${only}". ${suggestion(only, repos)}`;
  return failure(problem("UNKNOWN_REPO", message));
}
