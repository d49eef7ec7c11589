// Kills a real server again and again while it deploys, and holds what it has said and done against what was wanted.
import { repeatable } from "../../src/testing/rig.ts";
import type { Server, StartOptions } from "../scenario/server.ts";
import { until } from "../scenario/until.ts";
import { need } from "../support/need.ts";
import type { RecordingProxy } from "../support/recording-proxy.ts";
import { Accounts, isTag, isUpdate } from "./accounts.ts";
import { type Death, killLiving, killNewborn, type Late } from "./life.ts";
import { BRANCHES, dockerfileOf, type Place, startPlace } from "./place.ts";
import { planRound, type Round, type Strike, strikeText } from "./plan.ts";
import { readRecords } from "./records.ts";
import { expectSettled } from "./settled.ts";
import { Tally } from "./tally.ts";
import { Witness } from "./witness.ts";

const LATE_MS = 30_000;

export interface KillOptions {
  readonly seed: number;
  /** At least so many kills. */
  readonly kills: number;
  /** And at least so many intents that were open when their server was killed, each counted once. */
  readonly interrupted: number;
  /** Services for each of the two branches. Default 4. */
  readonly each?: number;
  /** Instead of rounds by the seed. */
  readonly rounds?: readonly Round[];
  /** Arguments for node that lead to another build of the product. */
  readonly entry?: readonly string[];
  /** Told one line for each kill and round. */
  readonly tell?: (line: string) => void;
}

/** @throws {Error} that says what is wrong, what was done before, and how to do it again. */
export async function runKills(options: KillOptions): Promise<Tally> {
  const tally = new Tally();
  const place = await startPlace(options.each ?? 4);
  const run = new Run(place, tally, options);
  try {
    await run.begin();
    if (options.rounds !== undefined) for (const round of options.rounds) await run.round(round);
    else await runBySeed(run, tally, options);
    tally.end(run.accounts, run.witness);
    return tally;
  } catch (error) {
    throw new Error(`${String(error)}\n${tally.lastLines().join("\n")}\n${again(options, tally)}`, { cause: error });
  } finally {
    await place.close();
  }
}

async function runBySeed(run: Run, tally: Tally, { seed, kills, interrupted }: KillOptions): Promise<void> {
  const random = repeatable(seed);
  const means = { branches: BRANCHES, strace: need("strace") };
  while (tally.kills < kills || tally.interrupted < interrupted) await run.round(planRound(random, means));
}

const again = ({ seed, each = 4 }: KillOptions, { kills }: Tally): string =>
  `Once more: npm run kill -- --seed ${seed} --kills ${kills} --interrupted 0 --services ${each}`;

class Run {
  readonly accounts: Accounts;
  readonly witness: Witness;
  readonly #place: Place;
  readonly #tally: Tally;
  readonly #options: KillOptions;
  /** Undefined while it is dead. */
  #server: Server | undefined;
  #held: Late[] = [];
  readonly #commits = new Map<string, string>();
  #versions = 0;

  constructor(place: Place, tally: Tally, options: KillOptions) {
    this.#place = place;
    this.#tally = tally;
    this.#options = options;
    this.accounts = new Accounts(place);
    this.witness = new Witness(() => place.seen());
  }

  /** A first version everywhere, undisturbed. */
  async begin(): Promise<void> {
    await this.#push(BRANCHES, "newer");
    await this.#settle(await this.#alive());
  }

  async round(round: Round): Promise<void> {
    const { branches, strikes, lateWrites } = round;
    this.#say(`round ${this.#tally.rounds + 1}: a push to ${branches.join(" and ")}`);
    for (const [index, strike] of strikes.entries()) {
      const push = index === 0 ? await this.#prepare(branches) : () => {};
      const death = await this.#strike(strike, push);
      await this.#afterDeath(strike, death);
      if (strike.meanwhile !== "nothing") await this.#push(branches, strike.meanwhile);
    }
    const server = await this.#alive();
    if (lateWrites === "at the start") await this.#release();
    await this.#settle(server);
    if (this.#held.length > 0) {
      await this.#release();
      await this.#settle(server);
    }
    this.#tally.rounds += 1;
  }

  async #strike(strike: Strike, push: () => void): Promise<Death> {
    if (strike.from === "birth") return killNewborn(this.#place, strike, (how) => this.#start(how));
    return killLiving(this.#place, await this.#alive(), strike, push);
  }

  async #afterDeath(strike: Strike, { aimed, held }: Death): Promise<void> {
    this.#server = undefined;
    // A registry compares nothing: what a dead server sent to a tag must not arrive when its successor works already.
    if (strike.weapon.by === "write" && strike.weapon.to === "tag") await letGo(held, this.#place.registry, isTag);
    else this.#held.push(...held);
    const records = readRecords(this.#place.world.dir);
    this.accounts.note(records.intents);
    await this.accounts.noteTasks();
    this.#tally.killed(strike, aimed, records.open);
    const open = records.open.map(({ state }) => state).join(" ");
    this.#say(`kill ${this.#tally.kills} ${strikeText(strike)}${aimed ? "" : ` (by hand)`}: open ${open || "none"}`);
    const wrong = [...this.witness.lost(records), ...this.witness.lies];
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  }

  /** The living server; a new one when it is dead. */
  async #alive(): Promise<Server> {
    this.#server ??= await this.#start({});
    return this.#server;
  }

  async #start(how: StartOptions): Promise<Server> {
    const { entry } = this.#options;
    const server = await this.#place.world.start({ ...how, ...(entry === undefined ? {} : { entry }) });
    void this.witness.watch(server);
    return server;
  }

  async #settle(server: Server): Promise<void> {
    await expectSettled(this.#place, server, this.accounts, (branch) => this.#commitOf(branch));
    const records = readRecords(this.#place.world.dir);
    this.accounts.note(records.intents);
    const wrong = [...(await this.accounts.errors()), ...this.witness.lost(records), ...this.witness.lies];
    if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\n${server.output()}`);
  }

  #commitOf(branch: string): string {
    return this.#commits.get(this.accounts.newest(branch)) ?? "";
  }

  async #push(branches: readonly string[], what: "newer" | "back"): Promise<void> {
    if (what === "newer") return (await this.#prepare(branches))();
    for (const branch of branches) {
      const before = this.accounts.before(branch);
      const to = this.#commits.get(before);
      if (to === undefined) continue;
      this.accounts.wants(branch, before);
      this.#place.world.push({}, { branch, to });
    }
  }

  /** What pushes a new version to each branch, all but the push. */
  async #prepare(branches: readonly string[]): Promise<() => void> {
    const files = new Map<string, string>();
    for (const branch of branches) {
      this.#versions += 1;
      files.set(branch, `v${this.#versions}`);
    }
    const dockerfiles = new Map<string, string>();
    for (const version of files.values()) dockerfiles.set(version, await dockerfileOf(version));
    return () => {
      for (const [branch, version] of files) {
        this.accounts.wants(branch, version);
        const { commit } = this.#place.world.push({ Dockerfile: dockerfiles.get(version) ?? "" }, { branch });
        this.#commits.set(version, commit);
      }
    };
  }

  /** Late writes to services go on. */
  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    await letGo(held, this.#place.engine, isUpdate);
  }

  #say(line: string): void {
    this.#tally.note(line);
    this.#options.tell?.(line);
  }
}

/** Lets late writes go on, and waits until they have been answered. */
async function letGo(late: readonly Late[], proxy: RecordingProxy, match: typeof isTag): Promise<void> {
  const answered = proxy.answered(match) + late.filter(({ unanswered }) => unanswered).length;
  for (const { release } of late) release();
  await until("late writes have been answered", LATE_MS, () => proxy.answered(match) >= answered);
}
