import type { Subscription } from "rxjs";
import { type Fields, isFields } from "../../src/plugins/swarm/fields.ts";
import type { Outside } from "./outside.ts";

interface Task {
  readonly id: string;
  readonly slot: number;
  readonly image: string;
  readonly createdMs: number;
  desired: "running" | "shutdown";
  state: "starting" | "running" | "shutdown" | "failed";
}

export type Spec = Fields & { readonly Name: string; readonly Labels: Fields };

const ENDED_MAX = 4;
/** Until a manager begins with what it was told. */
const BEGIN_MS = 200;

/** What a service does about an update whose task fails. */
export type FailureAction = "rollback" | "pause" | "continue";

/**
 * A service as a Swarm moves it: task by task, undone, halted, or moved on regardless when a task of the new image fails.
 * After real Swarm: a write of labels alone replaces nothing, not a task that has failed either, and makes it forget an
 * update; a roll-back takes the labels back too.
 */
export class Service {
  readonly id: string;
  spec: Spec;
  version = 10;
  tasks: Task[] = [];
  update: { State: string; StartedAt: string; Message: string } | undefined;
  #updatedMs: number;
  #previous: Spec;
  #next: Subscription | undefined;
  #tasks = 0;
  readonly #lane: string;
  readonly #outside: Outside;
  readonly #action: FailureAction;
  /** What becomes of a task of this image, and when. */
  readonly #fate: (image: string) => { readonly fails: boolean; readonly afterMs: number };

  constructor(
    outside: Outside,
    lane: string,
    image: string,
    how: { readonly replicas: number; readonly action: FailureAction },
    fate: (image: string) => { readonly fails: boolean; readonly afterMs: number },
  ) {
    this.#outside = outside;
    this.#lane = lane;
    this.#fate = fate;
    this.#action = how.action;
    this.id = `id-${lane.replaceAll("/", "-")}`;
    this.spec = {
      Name: lane.split("/").at(-1) ?? "",
      Labels: { "com.example.team": "web" },
      Mode: { Replicated: { Replicas: how.replicas } },
      TaskTemplate: { ContainerSpec: { Image: image } },
      UpdateConfig: { Parallelism: 1, FailureAction: how.action, Monitor: 5e9 },
    };
    this.#previous = this.spec;
    this.#updatedMs = outside.clock.now();
    for (let slot = 1; slot <= how.replicas; slot += 1) this.#start(slot, image).state = "running";
    this.#tell();
  }

  get image(): string {
    return imageOf(this.spec);
  }

  /** The image that all of it runs, and nothing is under way. */
  get steady(): string | undefined {
    const all = this.tasks.filter(({ desired }) => desired === "running");
    const still = !["updating", "rollback_started", "paused"].includes(this.update?.State ?? "");
    return still && all.every(({ state, image }) => state === "running" && image === this.image)
      ? this.image
      : undefined;
  }

  /** Whether it goes on by itself. */
  get moving(): boolean {
    const state = this.update?.State ?? "";
    if (["paused", "rollback_paused"].includes(state)) return false;
    return ["updating", "rollback_started"].includes(state) || this.#behind() !== undefined;
  }

  /** Takes a new spec; whether tasks have to be replaced for it. */
  write(spec: Spec): boolean {
    const replaced = imageOf(spec) !== this.image;
    this.#previous = this.spec;
    this.#set(spec);
    this.update = undefined;
    this.#tell();
    if (this.#behind() !== undefined) this.#roll("updating");
    return replaced;
  }

  #set(spec: Spec): void {
    this.spec = spec;
    this.version += 1;
    this.#updatedMs = this.#outside.clock.now();
  }

  #roll(state: "updating" | "rollback_started"): void {
    this.#after(BEGIN_MS, () => {
      const StartedAt = this.update?.StartedAt ?? this.#time();
      this.update = { State: state, StartedAt, Message: state };
      this.#replace(state);
    });
  }

  #replace(state: "updating" | "rollback_started"): void {
    const task = this.#behind();
    if (task === undefined) {
      this.#end(state === "updating" ? "completed" : "rollback_completed");
      return;
    }
    if (task.state !== "failed") task.state = "shutdown";
    task.desired = "shutdown";
    const next = this.#start(task.slot, this.image);
    const { fails, afterMs } = this.#fate(this.image);
    this.#after(afterMs, () => {
      next.state = fails ? "failed" : "running";
      if (!fails || (state === "updating" && this.#action === "continue")) this.#replace(state);
      else if (state === "rollback_started") this.#end("rollback_paused");
      else if (this.#action === "pause") this.#end("paused");
      else this.#rollBack();
    });
  }

  #rollBack(): void {
    this.#outside.history.note(`${this.#lane} rolls back from ${short(this.image)}`);
    this.#set(this.#previous);
    this.#roll("rollback_started");
  }

  #end(state: string): void {
    this.update = { State: state, StartedAt: this.update?.StartedAt ?? this.#time(), Message: `update ${state}` };
    this.#tell();
  }

  /** A task that is still to be replaced, or has just been begun. */
  #behind(): Task | undefined {
    return this.tasks.find(
      ({ desired, state, image }) => desired === "running" && (image !== this.image || state === "starting"),
    );
  }

  #start(slot: number, image: string): Task {
    this.#tasks += 1;
    const createdMs = this.#outside.clock.now();
    const task: Task = {
      id: `t${this.#tasks}-${this.id}`,
      slot,
      image,
      createdMs,
      desired: "running",
      state: "starting",
    };
    const ended = this.tasks.filter(({ desired }) => desired === "shutdown").slice(-ENDED_MAX);
    this.tasks = [...ended, ...this.tasks.filter(({ desired }) => desired === "running"), task];
    return task;
  }

  #after(ms: number, then: () => void): void {
    this.#next?.unsubscribe();
    this.#next = this.#outside.clock.after(ms, then);
  }

  #tell(): void {
    const { history } = this.#outside;
    history.note(`${this.#lane} ${this.update?.State ?? "written"} ${short(this.image)} version ${this.version}`);
    history.steady.push({ atMs: history.nowMs, of: this.#lane, value: this.steady });
  }

  #time(): string {
    return new Date(this.#outside.clock.now()).toISOString();
  }

  /** As the engine tells it. */
  json(): object {
    return {
      ID: this.id,
      Version: { Index: this.version },
      UpdatedAt: new Date(this.#updatedMs).toISOString(),
      Spec: this.spec,
      ...(this.update === undefined ? {} : { UpdateStatus: { ...this.update } }),
    };
  }

  tasksJson(err: string): readonly object[] {
    return this.tasks.map((task) => ({
      ID: task.id,
      Slot: task.slot,
      CreatedAt: new Date(task.createdMs).toISOString(),
      Spec: { ContainerSpec: { Image: task.image } },
      DesiredState: task.desired,
      Status: {
        State: task.state,
        Err: task.state === "failed" ? err : "",
        ContainerStatus: { ContainerID: `c-${task.id}` },
      },
    }));
  }
}

export function imageOf(spec: Fields): string {
  const template = spec["TaskTemplate"];
  const container = isFields(template) ? template["ContainerSpec"] : undefined;
  const image = isFields(container) ? container["Image"] : undefined;
  return typeof image === "string" ? image : "";
}

export const withImage = (spec: Spec, image: string): Spec => ({
  ...spec,
  TaskTemplate: { ContainerSpec: { Image: image } },
});

export const short = (image: string): string => image.replace(/^.*@sha256:/, "").slice(0, 8);
