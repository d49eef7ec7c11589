import type { Clock } from "../../engine/clock.ts";
import type { Sender } from "../../engine/effects/sender.ts";
import type { Secret } from "../../engine/secret.ts";
import { type Ending, type Message, messageSender } from "./message.ts";
import { post } from "./post.ts";

/**
 * Messages to a Slack channel, by an incoming webhook: one a deploy.
 *
 * Such a webhook can neither edit nor thread, so nothing is said before a deploy has ended.
 *
 * @param url The webhook's address; whoever has it may post.
 * @source https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export const slackSender = (url: Secret, clock: Clock, site: string): Sender<Ending> =>
  messageSender({
    kind: "slack",
    site,
    post: (message, signal) => {
      const headers = { "content-type": "application/json; charset=utf-8" };
      return post(clock, { to: "Slack", url: url.reveal(), headers, body: JSON.stringify(payload(message)) }, signal);
    },
  });

function payload(message: Message): { readonly text: string; readonly unfurl_links: false } {
  const { state, recovered, text, link, url } = message;
  const sign = state === "failed" ? ":x:" : recovered ? ":large_green_circle:" : ":white_check_mark:";
  const seen = url === undefined ? "" : ` · <${address(url)}|open>`;
  return { text: `${sign} ${escaped(text)} · <${address(link)}|log>${seen}`, unfurl_links: false };
}

/** Nothing of somebody else's text is a link or calls people. */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const address = (url: string): string => escaped(url.replaceAll("|", "%7C"));
