import type { Failure, Result } from "../../term/output.ts";
import { success } from "../../term/output.ts";
import type { Engine } from "../engine.ts";
import type { JobId } from "../job.ts";
import type { Level } from "../level.ts";
import type { RunningJob } from "../running-job.ts";
import type { Write } from "../store/store.ts";
import type { Wanted } from "./wants.ts";

const SENT = "the deploy has been sent: it is observed until it has ended";

interface About {
  readonly generation: number;
  readonly running: string;
  readonly events: readonly number[];
  /** Told when the job takes up what a dead process left open. */
  readonly resumes?: string;
}

/** The job of a lane: at most one at a time. */
export class LaneJob {
  current: RunningJob | undefined;
  /** The wanted value that it was begun for. */
  generation = 0;
  readonly #engine: Engine;
  readonly #spec: {
    readonly op: string;
    readonly term: string;
    readonly key: string;
    readonly description: string;
    readonly level: Level;
  };
  readonly #moved: () => void;

  constructor(
    engine: Engine,
    spec: {
      readonly op: string;
      readonly term: string;
      readonly key: string;
      readonly description: string;
      readonly level: Level;
    },
    moved: () => void,
  ) {
    this.#engine = engine;
    this.#spec = spec;
    this.#moved = moved;
  }

  get id(): JobId | undefined {
    return this.current?.id;
  }
  get interrupted(): boolean {
    return this.current?.stopped === "interrupted";
  }

  log(line: string): void {
    this.current?.log(line);
  }

  /** The job for this wanted value, made when there is none. */
  for({ generation, running, events, resumes }: About): RunningJob {
    if (this.current !== undefined) return this.current;
    this.generation = generation;
    this.current = this.#engine.jobs.create({
      ...this.#spec,
      inputs: { wanted: running, ...(resumes === undefined ? {} : { resumes }) },
      events,
      build: generation,
      moved: this.#moved,
    });
    return this.current;
  }

  /** The same for what is wanted now. */
  forWanted({ generation, running, events }: Wanted<unknown>, resumes: Pick<About, "resumes"> = {}): RunningJob {
    return this.for({ generation, running, events: events.map(({ id }) => id), ...resumes });
  }

  /** Waits for the threshold; at once when the job runs already. */
  async started(job: RunningJob, level: Level): Promise<Result<void>> {
    return job.row.state === "running" ? success(undefined) : job.start({ level });
  }

  /** From here on it cannot be cancelled. */
  seal(): void {
    if (this.current !== undefined) this.current.sealed = SENT;
  }

  /** Not yet started, and begun for another value than the newest: it has no more use. */
  supersede(newest: number | undefined): void {
    const { current } = this;
    if (current === undefined || newest === undefined || newest === this.generation) return;
    if (current.row.state !== "running") current.cancel("superseded: a newer value is wanted");
  }

  /** Not yet started: nobody will start it. */
  leave(): void {
    if (this.current?.row.state !== "running") this.current?.interrupt("its target is not followed any more");
  }

  /** Ends it; `writes` become durable in the same transaction. */
  async end(error: Failure | undefined, ...writes: readonly Write[]): Promise<void> {
    const job = this.current;
    this.current = undefined;
    if (job !== undefined) await job.end(error, ...writes);
    else if (writes.length > 0) await this.#engine.journal.save(...writes);
  }
}
