import type { Job } from "../../engine/job.ts";
import type { EngineEvent } from "./events.ts";

/** What is said about a layer that needs nothing more. */
const DONE = /^(?:Pushed|Layer already exists|Mounted from)/;

/** Turns the events of a push into one log line for each change of a layer, and progress in layers. */
export class PushLog {
  readonly #job: Job;
  readonly #layers = new Map<string, string>();

  constructor(job: Job) {
    this.#job = job;
  }

  add({ id, status, error }: EngineEvent): void {
    if (error !== undefined) this.#job.write(`${error}\n`);
    if (status === undefined) return;
    // The first line names the repository, the last one the tag: neither is a layer.
    if (id === undefined || status.startsWith("The push refers")) return this.#job.write(`${status}\n`);
    if (this.#layers.get(id) === status) return;
    this.#layers.set(id, status);
    this.#job.write(`${id}: ${status}\n`);
    const done = [...this.#layers.values()].filter((said) => DONE.test(said)).length;
    this.#job.progress({ done, total: this.#layers.size, label: "layers" });
  }
}
