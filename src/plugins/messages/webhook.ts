import { createHmac } from "node:crypto";
import { digestOf } from "../../engine/cache/digest.ts";
import type { Clock } from "../../engine/clock.ts";
import type { Sender } from "../../engine/effects/sender.ts";
import type { Secret } from "../../engine/secret.ts";
import { type Ending, type Message, messageSender } from "./message.ts";
import { post } from "./post.ts";

/**
 * Messages as signed JSON to any address: one a deploy.
 *
 * `X-Millrace-Signature-256` is `sha256=` and the HMAC-SHA256 of the body's bytes under the shared secret;
 * `X-Millrace-Delivery` is the same whenever the same message comes again.
 */
export const webhookSender = (url: string, secret: Secret, clock: Clock, site: string): Sender<Ending> =>
  messageSender({
    kind: "webhook",
    site,
    post: (message, signal) => {
      const body = JSON.stringify(payload(message));
      const headers = {
        "content-type": "application/json; charset=utf-8",
        "x-millrace-delivery": digestOf(message.id),
        "x-millrace-signature-256": `sha256=${createHmac("sha256", secret.reveal()).update(body).digest("hex")}`,
      };
      return post(clock, { to: new URL(url).origin, url, headers, body }, signal);
    },
  });

function payload(message: Message): object {
  const { term, repo, branch, commit, place, state, running, code, why, job, url, recovered, text, link } = message;
  const facts = { term, repo, branch, commit, place, state, running, code, why, job, url };
  return { event: "deploy", ...facts, recovered, text, link };
}
