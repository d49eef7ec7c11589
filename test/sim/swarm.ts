import { type Fields, isFields, textAt } from "../../src/plugins/swarm/fields.ts";
import type { EngineClient, UpdateCall } from "../../src/plugins/swarm/port.ts";
import { never } from "../../src/testing/mortal-store.ts";
import { CANARY } from "./canary.ts";
import type { Caller, Outside } from "./outside.ts";
import type { Mishap } from "./plan.ts";
import { type FailureAction, imageOf, Service, type Spec, short, withImage } from "./service.ts";
import { laneOf, type Shape } from "./shapes.ts";

/** When an answer that does not come is given up by the line itself. */
const CUT_MS = 1_000;
const LATE_MS = [2_000, 100_000] as const;

const ACTIONS: readonly FailureAction[] = ["rollback", "rollback", "rollback", "pause", "pause", "continue"];

/** Swarm managers by host, with services that writes move. What a process sends lives on when it dies. */
export class Swarms {
  readonly #outside: Outside;
  readonly services = new Map<string, Service>();
  /** One for each of the next writes. */
  readonly mishaps: (Mishap | undefined)[] = [];
  /** The planted bug: a manager that takes a write of whatever version. */
  readonly #compares: boolean;

  constructor(outside: Outside, shape: Shape, fails: (image: string) => "fails" | "slow" | "good", compares: boolean) {
    this.#outside = outside;
    this.#compares = compares;
    const { dice } = outside;
    const fate = (image: string) => {
      const how = fails(image);
      const afterMs = how === "slow" ? dice.between(10_000, 90_000) : dice.between(300, 4_000);
      return { fails: how === "fails", afterMs };
    };
    for (const { services, image } of shape.branches) {
      for (const one of services) {
        const how = { replicas: dice.between(1, 3), action: dice.pick(ACTIONS) };
        const lane = laneOf(one);
        this.services.set(lane, new Service(outside, lane, `${image}@sha256:${"0".repeat(64)}`, how, fate));
      }
    }
  }

  /** Somebody sits down at a manager. */
  byHand(lane: string, change: "image" | "label"): void {
    const service = this.services.get(lane);
    if (service === undefined) return;
    const { history, dice } = this.#outside;
    const mark = String(dice.between(0, 1e9));
    const spec = { ...service.spec, Labels: { ...service.spec.Labels, "com.example.note": mark } };
    history.people.push({ atMs: history.nowMs, of: lane, value: `hand ${change}` });
    history.note(`${lane} by hand: ${change}`);
    const other = `${service.image.split("@")[0]}@sha256:${mark.padStart(64, "f")}`;
    service.write(change === "image" ? withImage(spec, other) : spec);
  }

  client(caller: Caller, host: string): EngineClient {
    const none = new AbortController().signal;
    const ask = <T>(signal: AbortSignal, of: () => T): Promise<T> =>
      this.#outside.ask<T>(caller, host, signal, { of, refused: refuse, cancelled: refuse });
    const find = (id: string): Service => {
      const found = this.#own(host).find((one) => one.id === id || one.spec.Name === id);
      if (found === undefined) throw Object.assign(new Error("no such service"), { statusCode: 404 });
      return found;
    };
    const health = { State: { Health: { Log: [{ ExitCode: 1, Output: `login with ${CANARY} refused` }] } } };
    return {
      getService: (id) => ({
        inspect: ({ abortSignal }) => ask(abortSignal, () => find(id).json()),
        update: (call) => this.#update(caller, host, () => find(id), call),
      }),
      getTask: () => ({
        inspect: ({ abortSignal }) => ask(abortSignal, () => ({})),
        logs: ({ abortSignal }) => ask(abortSignal, () => Buffer.from(`starting\nsecret is ${CANARY}\n`)),
      }),
      getContainer: () => ({ inspect: ({ abortSignal }) => ask(abortSignal ?? none, () => health) }),
      listServices: ({ abortSignal }) => ask(abortSignal, () => this.#own(host).map((one) => one.json())),
      listTasks: ({ filters, abortSignal }) =>
        ask(abortSignal, () => find(filters.service[0] ?? "").tasksJson(`exit 1 with ${CANARY}`)),
    };
  }

  #own(host: string): readonly Service[] {
    return [...this.services].filter(([lane]) => lane.startsWith(`swarm/${host}/`)).map(([, service]) => service);
  }

  /** The request goes its own way: whether anybody waits for its answer changes nothing. */
  #update(
    caller: Caller,
    host: string,
    find: () => Service,
    { _query: query, _body: body }: UpdateCall,
  ): Promise<unknown> {
    if (!caller.alive("before a write")) return never();
    const { clock, dice, history } = this.#outside;
    const mishap = this.#outside.isOut(host) ? "lost" : this.mishaps.shift();
    const late = mishap === "late" || mishap === "slow";
    const afterMs = late ? dice.between(...LATE_MS) : dice.between(2, 40);
    const sentMs = history.nowMs;
    history.note(`process ${caller.number} writes to ${host} for version ${query.version}, ${mishap ?? "well"}`);
    const answer = new Promise<object>((resolve, reject) => {
      const land = (): void => {
        const error = mishap === "lost" ? cut() : this.#land(find(), query.version, specOf(body), sentMs);
        const given = mishap === "answer lost" ? cut() : mishap === "ill answer" ? (error ?? ill()) : error;
        if (given === undefined) resolve({});
        else reject(given);
      };
      clock.after(afterMs, land);
      if (mishap === "late") clock.after(CUT_MS, () => reject(cut()));
    });
    answer.catch(() => {}); // the dead hear nothing
    if (!caller.alive("sent a write")) return never();
    const heard = (): boolean => caller.alive("answer of a write");
    return answer.then(
      (value) => (heard() ? value : never()),
      (error: unknown) => (heard() ? Promise.reject(error instanceof Error ? error : cut()) : never()),
    );
  }

  /** What is wrong with the write, or nothing. */
  #land(service: Service, version: string, spec: Spec, sentMs: number): Error | undefined {
    const { history } = this.#outside;
    const lane = [...this.services].find(([, one]) => one === service)?.[0] ?? "";
    const stamp = (name: string): string => textAt(spec.Labels, `millrace.${name}`);
    const fences = stamp("fence") !== ""; // a write that applies takes the label away
    const conflict = this.#compares && version !== String(service.version);
    const image = imageOf(spec);
    const about = {
      sentMs,
      lane,
      verb: fences ? "fence" : "apply",
      intent: fences ? (stamp("fence").split(" ")[0] ?? "") : stamp("intent"),
      generation: Number(stamp("generation")),
      epoch: Number(stamp("epoch")),
      image,
      conflict,
    } as const;
    history.note(
      `${lane} ${about.verb} ${about.intent} gen ${about.generation} ${short(image)} ${conflict ? "conflict" : "in"}`,
    );
    const replaced = !conflict && service.write(spec);
    history.landings.push({ ...about, atMs: history.nowMs, replaced });
    const text = "rpc error: code = Unknown desc = update out of sequence";
    return conflict ? Object.assign(new Error(text), { statusCode: 500 }) : undefined;
  }
}

const cut = (): Error => Object.assign(new Error(`read ECONNRESET while sending ${CANARY}`), { code: "ECONNRESET" });
const ill = (): Error => Object.assign(new Error(`rpc error: deadline exceeded (auth ${CANARY})`), { statusCode: 500 });

function refuse(): never {
  throw Object.assign(new Error(`connect ECONNREFUSED, was ${CANARY}`), { code: "ECONNREFUSED" });
}

function specOf(body: object): Spec {
  const fields: Fields = Object.fromEntries(Object.entries(body));
  const labels = fields["Labels"];
  return { ...fields, Name: textAt(fields, "Name"), Labels: isFields(labels) ? labels : {} };
}
