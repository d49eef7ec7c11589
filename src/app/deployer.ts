import { EMPTY, type Observable } from "rxjs";
import type { Clock } from "../engine/clock.ts";
import { Engine } from "../engine/engine.ts";
import { problem } from "../engine/errors.ts";
import { LogFiles } from "../engine/job-log.ts";
import { heldBy, isLevel, type Threshold } from "../engine/level.ts";
import { LiveView } from "../engine/live-view.ts";
import { startLogSearch } from "../engine/log-rules/search.ts";
import { scrub } from "../engine/secret.ts";
import type { Store } from "../engine/store/store.ts";
import type { JobView, View } from "../engine/view.ts";
import { lower, type Pipeline } from "../pipeline/lower.ts";
import type { Ports } from "../pipeline/ports.ts";
import { sweepCheckouts } from "../plugins/git/index.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import { type RunningWeb, startWeb } from "../web/server.ts";
import { accessOf } from "./access.ts";
import { listen, withChecks } from "./checks.ts";
import { connect } from "./connect.ts";
import { forgeViewOf, type Inlet, inletOf } from "./inlet.ts";
import type { LocalOptions, Plan, Running } from "./options.ts";
import { planOf, settled } from "./plan.ts";
import { type Tellers, tellersOf, telling } from "./tellers.ts";
import { actingToken } from "./token.ts";
import { packageVersion } from "./version.ts";

const THRESHOLD = "confirm";
/** How long an orderly exit waits for jobs to let go, in milliseconds. */
const GRACE_MS = 4_000;

/** What differs between the service, a local run and a dry run. */
export interface Mode {
  readonly clock: Clock;
  readonly store: Store;
  /** Where logs, git caches, checkouts and the token go: the state directory, or a temporary one for a dry run. */
  readonly dir: string;
  /** Whether a threshold that is changed on the page outlives the process. */
  readonly keepThreshold: boolean;
  /** Whether the forge and people are told how things go. */
  readonly tells: boolean;
  /** A dry run: the threshold stays where it is, and every action is refused. */
  readonly dry: boolean;
  /** Resolves with what the process must end for. */
  readonly fatal: Promise<Failure>;
  /** Undoes what the mode made, after everything else has stopped. */
  dispose(): Promise<void>;
}

/** A flavour at work: engine, lanes and pages. */
export class DeployerProcess implements Running {
  readonly url: string;
  readonly state: string;
  readonly jobs: Observable<JobView>;
  readonly done: Promise<Result<void>>;
  readonly #options: LocalOptions;
  readonly #mode: Mode;
  readonly #engine: Engine;
  readonly #pipeline: Pipeline;
  readonly #web: RunningWeb;
  #stopping: Promise<void> | undefined;
  #end: (result: Result<void>) => void = () => {};

  private constructor(
    options: LocalOptions,
    mode: Mode,
    engine: Engine,
    pipeline: Pipeline,
    view: View,
    web: RunningWeb,
  ) {
    this.#options = options;
    this.#mode = mode;
    this.#engine = engine;
    this.#pipeline = pipeline;
    this.#web = web;
    this.url = web.url;
    this.state = mode.dir;
    this.jobs = mode.dry ? EMPTY : view.jobChanges;
    this.done = new Promise((resolve) => {
      this.#end = resolve;
    });
    void mode.fatal.then((error) => this.#end(failure(error)));
  }

  /** Opens the pages, then begins to work. */
  static async start(options: LocalOptions, mode: Mode): Promise<Result<DeployerProcess>> {
    const logs = new LogFiles(mode.dir, mode.clock);
    let fault = (error: unknown): void => {
      throw error; // before there is anything to end: the process ends
    };
    const { clock, store } = mode;
    const search = startLogSearch(clock);
    const engine = new Engine({ clock, store, logs, search, onFault: (error) => fault(error) });
    const inlet = mode.tells ? inletOf(engine, options.github) : undefined;
    const ways = connect(engine, {
      ...options,
      scratch: mode.dir,
      ...(inlet === undefined ? {} : { hints: inlet.inbox }),
    });
    if (!ways.ok) return ways;
    const able = mode.tells ? withChecks(ways.value, options.untrustedDockerHost) : ways;
    if (!able.ok) return able;
    await engine.jobs.closeOrphans();
    await sweepCheckouts(mode.dir);
    setThreshold(engine, options, mode);
    const tellers = mode.tells ? tellersFor(engine, able.value, options) : undefined;
    const ports = tellers === undefined ? able.value : telling(able.value, tellers);
    const pipeline = makePipeline(ports, options);
    const view = viewOf(engine, pipeline, ports, logs, options, mode, inlet);
    const { host, port, trustProxy = [] } = options;
    const token = actingToken(mode.dir);
    const flavour = options.deployer.flavours[options.flavour];
    const { github: forge } = ports.forge ?? {};
    const access = accessOf({ ...options, ...(forge === undefined ? {} : { forge }), engine, token, flavour });
    const doors = inlet === undefined ? {} : { doors: [inlet.door] };
    const site = { view, host, port, trustProxy, token, access, clock: mode.clock, report: warn, ...doors };
    const web = await startWeb(site);
    if (!web.ok) {
      await quiesce(engine, pipeline, "the pages cannot be served");
      return web;
    }
    if (inlet !== undefined && tellers !== undefined) listen(engine, ports, tellers, inlet, pipeline.followed);
    inlet?.inbox.start();
    engine.change({ kind: "restart", subject: options.flavour, detail: "Millrace started" }, () => {});
    const running = new DeployerProcess(options, mode, engine, pipeline, view, web.value);
    fault = (error) => running.#fault(error);
    return success(running);
  }

  #fault(error: unknown): void {
    const message =
      error instanceof Error ? (this.#options.verbose ? (error.stack ?? error.message) : error.message) : String(error);
    this.#end(failure(problem("PROGRAM_FAULT", message)));
  }

  async settled(): Promise<Plan> {
    await settled(this.#engine, this.#pipeline);
    return this.plan(this.#options.confirm);
  }

  /** What a deployer with this threshold would do now. */
  plan(confirm: Threshold): Plan {
    return planOf(this.#engine, this.#pipeline, this.#options.flavour, (level) => heldBy(confirm, level));
  }

  /** Pages first, so that nobody asks for more; then jobs let go; deploys that were sent go on without us. */
  stop(why: string): Promise<void> {
    this.#stopping ??= this.#stop(why);
    return this.#stopping;
  }

  async #stop(why: string): Promise<void> {
    await this.#web.close();
    await quiesce(this.#engine, this.#pipeline, `Millrace is being stopped (${why})`);
    await this.#mode.dispose();
    this.#end(success(undefined));
  }
}

/** A page that fails is a fault to be told of, not one to end for. */
function warn(error: unknown): void {
  process.stderr.write(`millrace: a page failed: ${scrub(error instanceof Error ? error.message : String(error))}\n`);
}

/** No new work, open jobs let go, nothing writes to the store any more. */
async function quiesce(engine: Engine, pipeline: Pipeline, why: string): Promise<void> {
  for (const monitor of pipeline.monitors) monitor.stop();
  for (const service of pipeline.services) service.stop();
  await engine.jobs.stopAll(why, GRACE_MS);
  engine.close();
  await engine.store.flush();
}

function makePipeline(ports: Ports, options: LocalOptions): Pipeline {
  const flavour = options.deployer.flavours[options.flavour];
  if (flavour === undefined) throw new Error(`flavour ${options.flavour} was checked before`);
  return lower(ports, flavour, options.only);
}

/** Where people find the pages. */
const siteOf = ({ deployer, flavour, host, port }: LocalOptions): string =>
  deployer.flavours[flavour]?.url ?? `http://${host}:${port}`;

function tellersFor(engine: Engine, { forge, owner }: Ports, options: LocalOptions): Tellers {
  const { app } = options.github;
  return tellersOf(engine, {
    owner,
    ...(forge?.github === undefined ? {} : { github: forge.github }),
    ...(app === undefined ? {} : { appId: app.id }),
    site: siteOf(options),
    messages: options.messages ?? {},
  });
}

/** The stored threshold holds for as long as the flag is what it was when it was stored; then it is forgotten. */
function setThreshold(engine: Engine, options: LocalOptions, mode: Mode): void {
  const stored = mode.keepThreshold ? engine.store.queries.setting(THRESHOLD) : undefined;
  const kept = storedThreshold(stored, options.confirm);
  engine.confirm.set(kept ?? options.confirm, kept === undefined ? "--confirm" : "kept from before the restart");
  if (stored !== undefined && kept === undefined) keepThreshold(engine, options.confirm, options.confirm); // for good
  // A dry run never lets go: what it would deploy it would deploy from a store that is thrown away.
  if (mode.dry || kept !== undefined) return;
  if (options.confirmAutoReleaseSec !== undefined && options.confirm !== "none")
    engine.confirm.autoRelease(options.confirmAutoReleaseSec * 1000);
}

function keepThreshold(engine: Engine, flag: Threshold, threshold: Threshold): void {
  engine.journal.note({ put: "setting", row: { name: THRESHOLD, value: { flag, threshold } } });
}

function storedThreshold(stored: unknown, flag: Threshold): Threshold | undefined {
  if (typeof stored !== "object" || stored === null || !("flag" in stored) || !("threshold" in stored))
    return undefined;
  const { threshold } = stored;
  if (stored.flag !== flag || typeof threshold !== "string") return undefined;
  return threshold === "none" || isLevel(threshold) ? threshold : undefined;
}

function viewOf(
  engine: Engine,
  pipeline: Pipeline,
  ports: Ports,
  logs: LogFiles,
  options: LocalOptions,
  mode: Mode,
  inlet: Inlet | undefined,
): LiveView {
  return new LiveView({
    engine,
    services: pipeline.services,
    adopts: pipeline.adopts,
    pools: ports.pools,
    logs,
    flavour: options.flavour,
    version: packageVersion(),
    url: siteOf(options),
    ready: () => engine.step > 0,
    dry: mode.dry,
    forge: () => forgeViewOf(ports.forge?.github, inlet, ports.tellers?.outbox),
    ...(mode.keepThreshold ? { keepThreshold: (chosen) => keepThreshold(engine, options.confirm, chosen) } : {}),
  });
}
