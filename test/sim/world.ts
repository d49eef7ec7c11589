import { TestClock } from "../../src/testing/index.ts";
import { Builds } from "./builds.ts";
import { Deployer, type Planted } from "./deployer.ts";
import { Dice } from "./dice.ts";
import { Disk } from "./disk.ts";
import { Forge } from "./forge.ts";
import { History } from "./history.ts";
import { Ledger } from "./ledger.ts";
import { Outside } from "./outside.ts";
import type { Plan } from "./plan.ts";
import { laneOf, type Shape, shapes } from "./shapes.ts";
import { Swarms } from "./swarm.ts";

/** How often a process that was started again dies soon, during its recovery. */
const DIES_AGAIN = 0.3;

/** Everything there is in one run: the fakes, and the process that is up at the moment. */
export class World {
  readonly clock = new TestClock();
  readonly history = new History(this.clock);
  readonly ledger = new Ledger();
  readonly shape: Shape;
  readonly dice: Dice;
  readonly outside: Outside;
  readonly forge: Forge;
  readonly builds: Builds;
  readonly swarms: Swarms;
  readonly disk: Disk;
  readonly planted: Planted;
  readonly processes: Deployer[] = [];
  /** No more faults. */
  calm = false;
  readonly #seed: number;
  readonly #said = new Map<string, string>();

  constructor({ seed, shape }: Plan, planted: Planted) {
    const found = shapes[shape];
    if (found === undefined) throw new Error(`there is no shape ${shape}`);
    this.shape = found;
    this.planted = planted;
    this.#seed = seed;
    this.dice = new Dice(seed ^ 0x5eed);
    this.outside = new Outside(this.clock, this.dice, this.history);
    this.forge = new Forge(this.outside);
    this.builds = new Builds(this.outside, this.forge);
    const compares = planted.noCompare !== true;
    this.swarms = new Swarms(this.outside, this.shape, (image) => this.forge.fate(image), compares);
    this.disk = new Disk(this.outside, planted.earlyConfirm === true);
  }

  /** The process that is up; none while it is down. */
  get up(): Deployer | undefined {
    return this.processes.findLast(({ lives }) => lives);
  }

  lanes(): readonly string[] {
    return this.shape.branches.flatMap(({ services }) => services.map((one) => laneOf(one)));
  }

  start(): void {
    if (this.up !== undefined) return;
    const number = this.processes.length + 1;
    this.history.note(`process ${number} starts`);
    this.forge.forget();
    this.disk.broken = false;
    const ended = (how: string, downMs: number): void => {
      this.history.note(`process ${number} ${how}`);
      this.clock.after(downMs, () => this.start());
    };
    const next = new Deployer(this, number, this.#seed, ended);
    this.processes.push(next);
    if (!this.calm && number > 1 && this.dice.chance(DIES_AGAIN))
      next.death = { point: this.dice.between(1, 60), of: "" };
  }

  /** Notes what the pages say now, when it is something new. */
  look(): void {
    const view = this.up?.view;
    for (const { kind, name, host, state, running, detail } of view?.services() ?? []) {
      const lane = kind === "swarm" ? `swarm/${host}/${name}` : `registry-tag/${name}`;
      const said = `${state} ${running ?? "nothing"} ${detail}`;
      if (this.#said.get(lane) === said) continue;
      this.#said.set(lane, said);
      this.history.note(`shows ${lane} ${said}`);
      this.history.shown.push({ atMs: this.history.nowMs, lane, state, running, detail });
    }
  }
}
