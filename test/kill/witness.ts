import { Type } from "typebox";
import { DeployJson, JobsJson, ServiceJson } from "../../src/web/api/schemas.ts";
import type { Deploy, Server, Service } from "../scenario/server.ts";
import type { Records } from "./records.ts";

/** How often it looks, in milliseconds. */
const EVERY_MS = 120;
const ROWS = 40;
/** Endings that are looked for: a run of a night says more than the records can be asked for at once. */
const KEPT = 4_000;
const Deploys = Type.Array(DeployJson);
const Services = Type.Array(ServiceJson);

/** A service on the engine at one moment. */
export interface One {
  /** What the specification says. */
  readonly image: string;
  /** Images of the tasks that run and are to run. */
  readonly tasks: readonly string[];
}
export type Seen = ReadonlyMap<string, One>;

/**
 * Asks a server all the time, as people's browsers do, and remembers what it has said.
 *
 * What was said to be over has to be in the records for ever; a service that is said to be as wanted has to be so.
 */
export class Witness {
  /** How many endings were said so far. */
  said = 0;
  readonly #lies = new Set<string>();
  readonly #ended = new Map<string, string>();
  readonly #seen: () => Promise<Seen>;

  constructor(seen: () => Promise<Seen>) {
    this.#seen = seen;
  }

  /** What was said and is not true. */
  get lies(): readonly string[] {
    return [...this.#lies];
  }

  /** Looks until the server does not answer any more. */
  async watch(server: Server): Promise<void> {
    for (;;) {
      try {
        await this.#look(server);
      } catch (error) {
        if (await answers(server)) this.#lies.add(String(error));
        else return;
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  /** Endings that were said and are not in the records of a dead server, or not as they were said. */
  lost({ intents, job }: Records): readonly string[] {
    const deploys = new Map(intents.map((row) => [row.id, row]));
    const lost: string[] = [];
    for (const [id, said] of this.#ended) {
      const row = deploys.get(id) ?? job(id);
      const found = row === undefined ? "not at all" : ending(row.state, row.endedMs);
      if (found !== said) lost.push(`${id}: it was said "${said}", and is recorded "${found}"`);
    }
    return lost;
  }

  async #look(server: Server): Promise<void> {
    const deploys = await server.read(`history?limit=${ROWS}`, Deploys);
    const before = await this.#seen();
    const services = await server.read("services", Services);
    const after = await this.#seen();
    const deploysAfter = await server.read(`history?limit=${ROWS}`, Deploys);
    const { jobs } = await server.read(`jobs?limit=${ROWS}`, JobsJson);
    for (const [name, found] of before) {
      if (JSON.stringify(found) !== JSON.stringify(after.get(name))) continue; // it moved meanwhile
      this.#compare(name, found, services);
      const [first, last] = [newestOf(name, deploys), newestOf(name, deploysAfter)];
      if (first?.state === "verified" && first.id === last?.id && found.tasks.join() !== found.image)
        this.#lies.add(`deploy ${first.id} of ${name} is said to be verified: ${JSON.stringify(found)} is found`);
    }
    for (const { id, state, ended } of deploysAfter)
      if (ended !== undefined) this.#remember(id, ending(state, Date.parse(ended)));
    for (const { id, state, ended } of jobs)
      if (ended !== undefined) this.#remember(id, ending(state, Date.parse(ended)));
  }

  #remember(id: string, said: string): void {
    if (!this.#ended.has(id)) this.said += 1;
    this.#ended.set(id, said);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > KEPT && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** What is said to be as wanted has to run, and to be what is wanted. */
  #compare(name: string, found: One, services: readonly Service[]): void {
    const told = services.find((one) => one.name === name);
    if (told?.state !== "ok") return;
    const { running, wanted = running } = told;
    if (wanted !== running)
      this.#lies.add(`${name} is said to be as wanted: it runs ${running}, and ${wanted} is wanted`);
    if (found.image !== running || found.tasks.join() !== running)
      this.#lies.add(`${name} is said to run ${running}: ${JSON.stringify(found)} is found`);
  }
}

const newestOf = (service: string, deploys: readonly Deploy[]): Deploy | undefined =>
  deploys.find(({ lane }) => lane.endsWith(`/${service}`));

const ending = (state: string, endedMs: number | null): string =>
  `${state} at ${endedMs === null ? "no time" : new Date(endedMs).toISOString()}`;

const answers = (server: Server): Promise<boolean> =>
  fetch(`${server.url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
