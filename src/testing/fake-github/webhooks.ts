import { createHmac, randomUUID } from "node:crypto";
import type { Clock } from "../../engine/clock.ts";
import { EVENT_PERMISSIONS, payloadOf } from "./events.ts";
import type { Shape } from "./schema.ts";

/** GitHub waits no longer for an answer. */
const ANSWER_MS_MAX = 10_000;

/** A webhook that was sent, or is to be sent. */
export interface Delivery {
  /** X-GitHub-Delivery: the same when it is sent again. */
  readonly id: string;
  readonly event: string;
  /** The JSON exactly as it is signed. */
  readonly body: string;
  /** The answers so far; 0: there was none. */
  readonly answers: number[];
}

/** What is different about one sending: a test's way to be a bad or a careless sender. */
export interface SendOptions {
  readonly id?: string;
  readonly secret?: string;
  /** Beside, or in place of, GitHub's own. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends webhooks as GitHub does: signed, not in order for certain, never again by itself. */
export class Webhooks {
  /** Where the app wants them; undefined: nowhere. */
  url: string | undefined;
  /** "drop": they get lost · "hold": they wait for `release`. */
  mode: "deliver" | "drop" | "hold" = "deliver";
  /** The events that the owner of the app has ticked: others are not told. Default: those that doc/github.md names. */
  readonly events = new Set(Object.keys(EVENT_PERMISSIONS));
  /** They leave so much later. */
  delayMs = 0;
  /** How often each one is sent. */
  times = 1;
  /** All of them, oldest first. */
  readonly deliveries: Delivery[] = [];
  readonly #clock: Clock;
  readonly #secret: string;
  readonly #appId: number;
  readonly #violated: (what: string) => void;
  #held: Delivery[] = [];
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(clock: Clock, secret: string, appId: number, violated: (what: string) => void) {
    this.#clock = clock;
    this.#secret = secret;
    this.#appId = appId;
    this.#violated = violated;
  }

  /** Something happened. */
  tell(event: string, payload: Shape): void {
    const body = JSON.stringify(payloadOf(event, payload, this.#violated));
    const delivery = { id: randomUUID(), event, body, answers: [] };
    this.deliveries.push(delivery);
    if (this.url === undefined || this.mode === "drop") return;
    if (this.mode === "hold") this.#held.push(delivery);
    else if (this.delayMs > 0) this.#clock.after(this.delayMs, () => this.#start(delivery));
    else this.#start(delivery);
  }

  /** Those that are held leave, each one when the one before is answered; ends when all are. */
  async release(order: "in order" | "reversed" = "in order"): Promise<void> {
    const held = order === "reversed" ? this.#held.toReversed() : this.#held;
    this.#held = [];
    for (const delivery of held) await this.#sendAll(delivery);
  }

  /** Somebody presses "Redeliver". */
  async redeliver(id: string): Promise<number> {
    const delivery = this.deliveries.find((one) => one.id === id);
    if (delivery === undefined) throw new Error(`nothing was delivered as ${id}`);
    return this.#send(delivery, {});
  }

  /** Sends anything, as it is; the status of the answer, 0 when there is none. */
  async deliver(event: string, payload: Shape | string, options: SendOptions = {}): Promise<number> {
    const body = typeof payload === "string" ? payload : JSON.stringify(payload);
    const delivery = { id: options.id ?? randomUUID(), event, body, answers: [] };
    this.deliveries.push(delivery);
    return this.#send(delivery, options);
  }

  /** The headers that GitHub sends with a body. */
  headers({ id, event, body }: Pick<Delivery, "id" | "event" | "body">, secret = this.#secret): Record<string, string> {
    const signed = (algorithm: string): string => createHmac(algorithm, secret).update(body).digest("hex");
    return {
      accept: "*/*",
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/0123456",
      "x-github-delivery": id,
      "x-github-event": event,
      "x-github-hook-id": "1",
      "x-github-hook-installation-target-id": String(this.#appId),
      "x-github-hook-installation-target-type": "integration",
      "x-hub-signature": `sha1=${signed("sha1")}`,
      "x-hub-signature-256": `sha256=${signed("sha256")}`,
    };
  }

  /** Ends when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #start(delivery: Delivery): void {
    const sent = this.#sendAll(delivery).finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  async #sendAll(delivery: Delivery): Promise<void> {
    for (let sent = 0; sent < this.times; sent += 1) await this.#send(delivery, {});
  }

  async #send(delivery: Delivery, { secret, headers: own }: SendOptions): Promise<number> {
    const { url } = this;
    if (url === undefined) throw new Error("the app has no address for webhooks: set webhooks.url");
    const headers = { ...this.headers(delivery, secret), ...own };
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const status = await fetch(url, { method: "POST", headers, body: delivery.body, redirect: "manual", signal }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      () => 0,
    );
    delivery.answers.push(status);
    return status;
  }
}
