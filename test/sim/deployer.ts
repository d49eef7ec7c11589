import type { TargetKind } from "../../src/engine/effects/target.ts";
import { Engine } from "../../src/engine/engine.ts";
import { LiveView } from "../../src/engine/live-view.ts";
import { Pool } from "../../src/engine/pool.ts";
import type { Store, Write } from "../../src/engine/store/store.ts";
import { lower, type Pipeline } from "../../src/pipeline/lower.ts";
import type { Ports } from "../../src/pipeline/ports.ts";
import { createGit } from "../../src/plugins/git/command.ts";
import { tagKind } from "../../src/plugins/registry/tag.ts";
import type { SwarmSeen, SwarmSpec } from "../../src/plugins/swarm/observe.ts";
import type { SwarmRef, SwarmWanted } from "../../src/plugins/swarm/ref.ts";
import { swarmKind } from "../../src/plugins/swarm/service.ts";
import { MemoryLogs, repeatable } from "../../src/testing/index.ts";
import { MortalStore } from "../../src/testing/mortal-store.ts";
import { mortalClock } from "../../src/testing/test-clock.ts";
import { credential } from "./canary.ts";
import type { Caller } from "./outside.ts";
import { OWNER } from "./shapes.ts";
import type { World } from "./world.ts";

type Swarm = TargetKind<SwarmSpec, SwarmWanted, SwarmSeen, SwarmRef>;

/** One protection switched off, by what is put between the product and the fakes. */
export interface Planted {
  /** A manager that takes a write of whatever version. */
  readonly noCompare?: true;
  /** A commit is confirmed before it is written. */
  readonly earlyConfirm?: true;
  readonly kind?: (kind: Swarm) => Swarm;
  /** Writes that never get to the store. */
  readonly drop?: (write: Write) => boolean;
  /** Between the forge and its monitor. */
  readonly heads?: (heads: Ports["heads"]) => Ports["heads"];
}

/** One process of the product, from its start to its death. */
export class Deployer implements Caller {
  readonly number: number;
  readonly logs: MemoryLogs;
  readonly engine: Engine;
  /** Undefined until the start is over. */
  pipeline: Pipeline | undefined;
  view: LiveView | undefined;
  readonly alive: (point: string) => boolean;
  lives = true;
  /** Dies at this many points from now, of those whose name has `of` in it. */
  death: { readonly point: number; readonly of: string } | undefined;
  onDeath: (() => void) | undefined;
  /** For how long it is down when it has died. */
  downMs = 1_000;
  readonly #world: World;
  readonly #ended: (how: string, downMs: number) => void;

  constructor(world: World, number: number, seed: number, ended: (how: string, downMs: number) => void) {
    this.#world = world;
    this.number = number;
    this.#ended = ended;
    this.alive = (point) => this.#pass(point);
    const clock = mortalClock(world.clock, () => this.lives);
    this.logs = new MemoryLogs(clock);
    const onFatal = (): void => void clock.after(0, () => this.kill("ends: the disk is broken"));
    const store = new WatchedStore(world, this, world.disk.open({ clock, onFatal }));
    const random = repeatable(seed * 1_009 + number);
    const onFault = (error: unknown): void => world.history.fault(`program fault: ${String(error)}`);
    this.engine = new Engine({ clock, store, logs: this.logs, random, onFault });
    this.engine.background(() => this.#start());
  }

  async #start(): Promise<void> {
    const { engine, logs } = this;
    const { history, shape } = this.#world;
    for (const what of this.#world.ledger.missing(engine.store.queries)) history.fault(`lost: ${what}`);
    await engine.jobs.closeOrphans();
    engine.confirm.set(storedThreshold(engine), "kept");
    const ports = this.#ports();
    this.pipeline = lower(ports, shape.flavour);
    this.view = new LiveView({
      engine,
      services: this.pipeline.services,
      pools: ports.pools,
      logs,
      flavour: OWNER,
      version: "0",
      url: "http://sim",
      ready: () => engine.step > 0,
      keepThreshold: (value) => engine.journal.note({ put: "setting", row: { name: "confirm", value } }),
    });
    engine.steps.subscribe(() => this.#world.look());
    engine.jobs.changes.subscribe((id) => {
      const row = engine.jobs.newest(id);
      history.note(`job ${id} of ${row?.term} ${row?.state} ${row?.error?.code ?? ""}`);
    });
    engine.change({ kind: "restart", subject: OWNER, detail: "Millrace started" }, () => {});
  }

  #ports(): Ports {
    const { engine } = this;
    const { forge, builds, swarms, planted } = this.#world;
    const [building, pushing] = [new Pool("docker-build", 2), new Pool("docker-push", 4)];
    const dockerEngine = builds.engine(this);
    const swarm = swarmKind({
      engine: (host) => swarms.client(this, host),
      credentials: credential,
      clock: engine.clock,
    });
    const heads = forge.heads(this);
    return {
      engine,
      git: createGit("/nowhere", engine.clock),
      heads: planted.heads?.(heads) ?? heads,
      builders: { fetch: forge.fetch(this), build: builds.builder(this) },
      build: {
        engine: dockerEngine,
        pool: building,
        checkout: () => Promise.reject(new Error("nothing is checked out")),
      },
      push: builds.pushContext(this, pushing),
      swarm: planted.kind?.(swarm) ?? swarm,
      tag: tagKind({ client: builds.registry(this), clock: engine.clock }),
      pools: [building, pushing],
      owner: OWNER,
      folder: "/nowhere",
    };
  }

  #pass(point: string): boolean {
    const { death } = this;
    if (!this.lives || death === undefined || !point.includes(death.of)) return this.lives;
    this.death = { ...death, point: death.point - 1 };
    if (this.death.point <= 0) this.kill(`dies: ${point}`);
    return this.lives;
  }

  /** kill -9. */
  kill(how: string): void {
    if (!this.lives) return;
    this.lives = false;
    this.#world.disk.cut();
    this.engine.close();
    this.#ended(how, this.downMs);
    this.onDeath?.();
  }

  /** SIGTERM: as the product ends itself. */
  async stop(): Promise<void> {
    const { engine, pipeline } = this;
    this.#world.history.note(`process ${this.number} is told to stop`);
    for (const monitor of pipeline?.monitors ?? []) monitor.stop();
    for (const service of pipeline?.services ?? []) service.stop();
    await engine.jobs.stopAll("Millrace is being stopped", 4_000);
    engine.close();
    await engine.store.flush();
    this.kill("has ended");
  }
}

/** The store as one process has it: what it is confirmed is noted, and each commit is a point to die at. */
class WatchedStore extends MortalStore {
  readonly #world: World;

  constructor(world: World, caller: Caller, store: Store) {
    super(store, store.epoch, (point) => {
      world.history.note(`process ${caller.number} ${point}`);
      return caller.alive(point);
    });
    this.#world = world;
  }

  override async commit(batch: readonly Write[], unhurried = false): Promise<void> {
    const { drop } = this.#world.planted;
    const kept = drop === undefined ? batch : batch.filter((write) => !drop(write));
    const confirmed = this.#world.ledger.hand(kept);
    await super.commit(kept, unhurried);
    confirmed();
  }
}

function storedThreshold(engine: Engine): "none" | "average" | "dangerous" {
  const stored = engine.store.queries.setting("confirm");
  return stored === "average" || stored === "dangerous" ? stored : "none";
}
