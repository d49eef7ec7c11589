import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { emitterEventNames } from "@octokit/webhooks";
import type { Clock } from "../../engine/clock.ts";
import type { DeliveryHeaders, Door, DoorAnswer, DoorCount } from "../../engine/inbound.ts";
import type { Inbox } from "../../engine/inbox.ts";
import type { Secret } from "../../engine/secret.ts";
import { hintOf } from "./hints.ts";

/** GitHub sends no more. */
const BYTES_MAX = 25 * 1024 * 1024;
const SIGNATURE = /^sha256=[0-9a-f]{64}$/;
const DELIVERY = /^[A-Za-z0-9-]{1,64}$/;
const EVENT = /^[a-z0-9_]{1,64}$/;
const known: ReadonlySet<string> = new Set(emitterEventNames);

export interface DoorOptions {
  readonly secret: Secret;
  readonly inbox: Pick<Inbox, "receive">;
  readonly appId?: number;
  readonly clock: Clock;
  /** Told in a line, at most once an hour, that deliveries are refused; default: nobody. */
  readonly report?: (line: string) => void;
}

/** The door with what came through it. */
export interface GitHubDoor extends Door {
  counts(): readonly DoorCount[];
}

const UNSIGNED: DoorAnswer = { status: 401, note: "the signature is missing or wrong" };
/** Anybody can send what is refused. */
const REPORT_EVERY_MS = 60 * 60_000;

/**
 * Takes GitHub's deliveries. The signature comes first, over the bytes as they came; then the name of the delivery,
 * then its JSON, of which a few fields are looked at. It is durable before it is confirmed.
 *
 * @source https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 */
export function githubDoor(options: DoorOptions): GitHubDoor {
  const counts = new Map<string, number>();
  const refused = refusals(options);
  const answer = async (headers: DeliveryHeaders, body: Buffer): Promise<Outcome> => {
    const signature = headers["x-hub-signature-256"];
    const signed = isSignature(signature) && body.length > 0 && isSigned(options.secret, body, signature);
    return signed ? accept(options, headers, body) : { ...UNSIGNED, outcome: "refused" };
  };
  return {
    forge: "github",
    bytesMax: BYTES_MAX,
    refuses: (headers) => {
      if (isSignature(headers["x-hub-signature-256"])) return undefined;
      count(counts, "other", "refused");
      refused();
      return UNSIGNED;
    },
    receive: async (headers, body) => {
      const { status, note, outcome } = await answer(headers, body);
      count(counts, outcome === "refused" ? "other" : kindOf(headers), outcome);
      if (outcome === "refused") refused();
      return { status, note };
    },
    counts: () => [...counts].map(([key, number]) => countOf(key, number)),
  };
}

interface Outcome extends DoorAnswer {
  readonly outcome: string;
}

async function accept({ inbox, appId }: DoorOptions, headers: DeliveryHeaders, body: Buffer): Promise<Outcome> {
  const { "x-github-delivery": delivery, "x-github-event": event } = headers;
  if (typeof delivery !== "string" || !DELIVERY.test(delivery))
    return { status: 400, note: "X-GitHub-Delivery is missing or odd", outcome: "odd" };
  if (typeof event !== "string" || !EVENT.test(event))
    return { status: 400, note: "X-GitHub-Event is missing or odd", outcome: "odd" };
  const payload = parse(body);
  if (payload === undefined) return { status: 400, note: "the body is not JSON", outcome: "odd" };
  const hint = hintOf(event, payload.value, appId);
  const bodyDigest = createHash("sha256").update(body).digest("hex");
  const receipt = await inbox.receive({ id: `github ${delivery}`, kind: event, bodyDigest, hint });
  if (receipt === "full") return { status: 503, note: "nothing can be stored right now", outcome: "full" };
  if (receipt === "known") return { status: 202, note: "taken before", outcome: "known" };
  if (hint === undefined) return { status: 202, note: "nothing in it is for this deployer", outcome: "ignored" };
  return { status: 202, note: "taken", outcome: "taken" };
}

/** Says so, for who has set up a wrong secret; nothing of what came, nor of what would have been right. */
function refusals({ clock, report }: DoorOptions): () => void {
  let [since, untilMs] = [0, 0];
  return () => {
    since += 1;
    if (report === undefined || clock.elapsed() < untilMs) return;
    untilMs = clock.elapsed() + REPORT_EVERY_MS;
    report(
      `a webhook was refused, for its signature is missing or wrong (${since} since this was last said). ` +
        "If GitHub shows it as sent, the webhook's secret is another one there",
    );
    since = 0;
  };
}

/** Over the bytes: several that are no text would be read as the same text. */
function isSigned(secret: Secret, body: Buffer, signature: string): boolean {
  const right = createHmac("sha256", secret.reveal()).update(body).digest();
  return timingSafeEqual(right, Buffer.from(signature.slice("sha256=".length), "hex"));
}

const isSignature = (value: unknown): value is string => typeof value === "string" && SIGNATURE.test(value);

/** Nobody but GitHub can make these up, yet a list that grows with what comes in is no list for metrics. */
function kindOf({ "x-github-event": event }: DeliveryHeaders): string {
  return typeof event === "string" && known.has(event) ? event : "other";
}

function count(counts: Map<string, number>, kind: string, outcome: string): void {
  const key = `${kind} ${outcome}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function countOf(key: string, number: number): DoorCount {
  const [kind = "", outcome = ""] = key.split(" ");
  return { kind, outcome, count: number };
}

function parse(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) };
  } catch {
    return undefined;
  }
}
