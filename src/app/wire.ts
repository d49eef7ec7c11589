import { problem } from "../engine/errors.ts";
import { failure, type Result } from "../term/output.ts";
import type { LocalOptions, Plan, PlanOptions, Running, ServeOptions } from "./options.ts";
import type { World } from "./world.ts";

/** The service: engine, effects and pages. Resolves once it answers; recovery may still be at work. */
export async function startServer(options: ServeOptions): Promise<Result<Running>> {
  return failure(problem("PROGRAM_FAULT", `serve ${options.flavour} is not wired yet`));
}

/** The same for one person's machine: deployment branches only, no statuses, no messages, the threshold never stored. */
export async function startLocal(options: LocalOptions): Promise<Result<Running>> {
  return failure(problem("PROGRAM_FAULT", `local ${options.flavour} is not wired yet`));
}

/** What a server would do now: asks the running one, or else reads the state without writing anything anywhere. */
export async function makePlan(options: PlanOptions): Promise<Result<Plan>> {
  return failure(problem("PROGRAM_FAULT", `plan ${options.flavour} is not wired yet`));
}

/** Read-only access to what a pipeline names, for `millrace check`. Dispose of it after use. */
export async function openWorld(options: {
  readonly pipeline: string;
  readonly dockerHost: string;
  readonly registryAuth?: string;
}): Promise<Result<World & AsyncDisposable>> {
  return failure(problem("PROGRAM_FAULT", `the checks of ${options.pipeline} are not wired yet`));
}
