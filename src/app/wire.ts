import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClock } from "../engine/clock.ts";
import { openStore } from "../engine/store/open.ts";
import { openStoreReadOnly } from "../engine/store/read-only.ts";
import { gitThere } from "../plugins/git/index.ts";
import { type Failure, type Result, success } from "../term/output.ts";
import { DeployerProcess, type Mode } from "./deployer.ts";
import type { LocalOptions, Plan, PlanOptions, Running, ServeOptions } from "./options.ts";

/** The service: engine, effects and pages. Resolves once it answers; recovery may still be at work. */
export const startServer = (options: ServeOptions): Promise<Result<Running>> => startOn(options, true);

/**
 * The same for one person's machine: no statuses, no messages, the threshold never stored. With the threshold at
 * harmless it is a dry run: the state is read and nothing is written but a temporary directory.
 */
export const startLocal = (options: LocalOptions): Promise<Result<Running>> =>
  options.confirm === "harmless" ? startDry(options) : startOn(options, false);

async function startOn(options: LocalOptions, keepThreshold: boolean): Promise<Result<Running>> {
  const there = await gitThere();
  if (!there.ok) return there; // before anything is made or locked: no half start
  const clock = createClock();
  let die: (error: Failure) => void = () => {};
  const fatal = new Promise<Failure>((resolve) => {
    die = resolve;
  });
  const store = await openStore({ dir: options.state, writer: "thread", onFatal: (error) => die(error), clock });
  if (!store.ok) return store;
  const dispose = (): Promise<void> => store.value.close();
  return orDispose(
    { clock, store: store.value, dir: options.state, keepThreshold, tells: keepThreshold, dry: false, fatal, dispose },
    options,
  );
}

/** A deployer that may look at everything and change nothing: every job that is not a read waits for ever. */
async function startDry(options: LocalOptions): Promise<Result<DeployerProcess>> {
  const there = await gitThere();
  if (!there.ok) return there;
  const store = openStoreReadOnly({ dir: options.state });
  if (!store.ok) return store;
  const dir = await mkdtemp(join(tmpdir(), "millrace-dry-"));
  const dispose = async (): Promise<void> => {
    await store.value.close();
    await rm(dir, { recursive: true, force: true });
  };
  const fatal = new Promise<Failure>(() => {});
  const clock = createClock();
  const mode: Mode = { clock, store: store.value, dir, keepThreshold: false, tells: false, dry: true, fatal, dispose };
  return orDispose(mode, { ...options, confirm: "harmless" });
}

async function orDispose(mode: Mode, options: LocalOptions): Promise<Result<DeployerProcess>> {
  const started = await DeployerProcess.start(options, mode);
  if (!started.ok) await mode.dispose();
  return started;
}

/** What a server with this threshold would do now. Reads the state, writes nothing anywhere. */
export async function makePlan(options: PlanOptions): Promise<Result<Plan>> {
  const dry = await startDry({ ...options, host: "127.0.0.1", port: 0 });
  if (!dry.ok) return dry;
  await dry.value.settled();
  const plan = dry.value.plan(options.confirm);
  await dry.value.stop("the plan is made");
  return success(plan);
}
