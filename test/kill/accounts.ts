import { Type } from "typebox";
import { Check } from "typebox/value";
import type { IntentRow } from "../../src/engine/store/store.ts";
import type { Answered, Recorded } from "../support/recording-proxy.ts";
import { BRANCHES, type Place, type Task } from "./place.ts";

/** The version that every service runs before anything was pushed. */
const START = "start";

const Update = Type.Object({
  Name: Type.String(),
  Labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  TaskTemplate: Type.Object({ ContainerSpec: Type.Object({ Image: Type.String() }) }),
});

export const isUpdate = ({ method, path }: Recorded): boolean =>
  method === "POST" && /\/services\/[^/]+\/update\b/.test(path);
/** A public tag that is put on a manifest; our own tags have another name. */
export const isTag = ({ method, path }: Recorded): boolean =>
  method === "PUT" && BRANCHES.some((branch) => path.includes(`/manifests/${branch}`));

/** What was wanted, what was done, and whether the two agree. */
export class Accounts {
  /** Versions in the order in which they were pushed, for each branch. */
  readonly #pushed = new Map<string, string[]>();
  readonly #place: Place;
  readonly #tasks = new Map<string, Task>();
  readonly #intents = new Map<string, IntentRow>();
  /** Accepted updates that had the same image and receipt as the one before, of one service. */
  readonly #repeated: string[] = [];
  /** Image and receipt of the last accepted update of a service that was no fence. */
  readonly #moved = new Map<string, string>();
  fences = 0;
  /** Updates that the engine refused, such as late ones of dead servers. */
  refused = 0;

  constructor(place: Place) {
    this.#place = place;
    for (const branch of BRANCHES) this.#pushed.set(branch, []);
    place.engine.tell(isUpdate, (answered) => this.#updated(answered));
  }

  wants(branch: string, version: string): void {
    this.#pushed.get(branch)?.push(version);
  }

  newest(branch: string): string {
    return this.#pushed.get(branch)?.at(-1) ?? START;
  }

  /** The version that was wanted before the newest one. */
  before(branch: string): string {
    const newest = this.newest(branch);
    return this.#pushed.get(branch)?.findLast((version) => version !== newest) ?? newest;
  }

  /** Everything that was ever recorded, as it was recorded last. */
  note(intents: readonly IntentRow[]): void {
    for (const row of intents) this.#intents.set(row.id, row);
  }

  /** Swarm forgets the tasks of a slot after the fifth: to be called more often than that. */
  async noteTasks(): Promise<void> {
    for (const task of await this.#place.tasks()) this.#tasks.set(task.id, task);
  }

  get deploys(): number {
    return this.#verified().length;
  }
  /** Beside those that every service had at the start. */
  get tasks(): number {
    return this.#tasks.size - BRANCHES.flatMap((branch) => this.#place.services(branch)).length;
  }

  /** What does not agree, once everything has settled. */
  async errors(): Promise<readonly string[]> {
    await this.noteTasks();
    const errors = this.#repeated.map((told) => `an update was repeated: ${told}`);
    for (const branch of BRANCHES) {
      for (const service of this.#place.services(branch)) errors.push(...(await this.#errorsOf(branch, service)));
    }
    return errors;
  }

  /** Of one service: each version that was rolled out made one task, in the order of the pushes, the newest last. */
  async #errorsOf(branch: string, service: string): Promise<readonly string[]> {
    const rolledOut = await Promise.all(
      this.#verified()
        .filter(({ lane }) => lane.endsWith(`/${service}`))
        .map(({ wanted }) => this.#place.versionOf(imageIn(wanted))),
    );
    const tasks = [...this.#tasks.values()].filter((task) => task.service === service);
    const made = new Map<string, number>();
    for (const { image } of tasks) {
      const version = image.includes("@") ? await this.#place.versionOf(image) : START;
      made.set(version, (made.get(version) ?? 0) + 1);
    }
    const pushes = this.#pushed.get(branch) ?? [];
    const about = `${service}: pushed ${pushes.slice(-8).join(" ")}; rolled out ${rolledOut.slice(-8).join(" ")}`;
    const errors: string[] = [];
    for (const version of new Set([...made.keys(), ...rolledOut])) {
      const wanted = [START, ...rolledOut].filter((one) => one === version).length;
      const found = made.get(version) ?? 0;
      if (found !== wanted) errors.push(`${version} made ${found} tasks for ${wanted} deploys: ${about}`);
    }
    if (!isWithin(rolledOut, pushes)) errors.push(`not in the order of the pushes, or more than once: ${about}`);
    if ((rolledOut.at(-1) ?? START) !== this.newest(branch))
      errors.push(`the newest was not rolled out last: ${about}`);
    const living = tasks.filter(({ desired }) => desired === "running");
    for (const { image, state } of living) {
      if ((await this.#place.versionOf(image)) !== this.newest(branch) || state !== "running")
        errors.push(`a task of ${image} is ${state}: ${about}`);
    }
    if (living.length !== 1) errors.push(`${living.length} tasks are to run: ${about}`);
    return errors;
  }

  /** Deploys of services that were recorded as done, oldest first. */
  #verified(): readonly IntentRow[] {
    return [...this.#intents.values()]
      .filter(({ kind, state }) => kind === "swarm" && state === "verified")
      .toSorted((one, other) => one.generation - other.generation);
  }

  #updated({ body, status }: Answered): void {
    const sent: unknown = JSON.parse(body);
    if (!Check(Update, sent)) throw new Error(`no update of a service: ${body}`);
    if (status !== 200) {
      this.refused += 1;
      return;
    }
    const { "millrace.intent": intent = "none", "millrace.fence": fence } = sent.Labels ?? {};
    if (fence !== undefined) {
      this.fences += 1;
      return;
    }
    const told = `${sent.Name} ${sent.TaskTemplate.ContainerSpec.Image} for intent ${intent}`;
    if (this.#moved.get(sent.Name) === told) this.#repeated.push(told);
    this.#moved.set(sent.Name, told);
  }
}

/** Whether one sequence is left when others are taken out of the other one. */
function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  let found = 0;
  for (const one of whole) if (one === part[found]) found += 1;
  return found === part.length;
}

const imageIn = (wanted: IntentRow["wanted"]): string =>
  typeof wanted === "object" && wanted !== null && "image" in wanted && typeof wanted["image"] === "string"
    ? wanted["image"]
    : "";
