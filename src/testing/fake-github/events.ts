import type { Json } from "../../engine/json.ts";
import { complete, eventSchema, faults, type Shape, unknownNames } from "./schema.ts";
import type { Permissions } from "./world.ts";

/** The webhooks that are sent, as GitHub's description names them: the event, and the action when it has one. */
export const EVENTS = [
  "check-run-requested-action",
  "check-run-rerequested",
  "check-suite-rerequested",
  "create",
  "delete",
  "installation-created",
  "installation-deleted",
  "installation-suspend",
  "installation-unsuspend",
  "issue-comment-created",
  "issue-comment-edited",
  "pull-request-closed",
  "pull-request-edited",
  "pull-request-opened",
  "pull-request-reopened",
  "pull-request-synchronize",
  "push",
  "repository-deleted",
  "repository-renamed",
  "repository-transferred",
] as const;

/**
 * The events that an app ticks, each with the permission that it takes; that the app was installed is told to all.
 *
 * @source https://docs.github.com/webhooks/webhook-events-and-payloads
 */
export const EVENT_PERMISSIONS: Readonly<Record<string, Permissions>> = {
  push: { contents: "read" },
  create: { contents: "read" },
  delete: { contents: "read" },
  pull_request: { pull_requests: "read" },
  repository: { metadata: "read" },
  issue_comment: { issues: "read" },
  check_run: { checks: "read" },
  check_suite: { checks: "read" },
};

/** A payload with everything that GitHub describes of its event; `violated` is told what is not as described. */
export function payloadOf(event: string, payload: Shape, violated: (what: string) => void): Json {
  const { action } = payload;
  const name = [event, ...(typeof action === "string" ? [action] : [])].join("-").replaceAll("_", "-");
  const schema = eventSchema(name);
  if (schema === undefined) {
    violated(`the event ${name} is not described`);
    return payload;
  }
  const whole = complete(schema, payload);
  for (const fault of faults(schema, whole)) violated(`the webhook ${name}: ${fault}`);
  for (const unknown of unknownNames(schema, payload)) violated(`the webhook ${name}: unknown ${unknown}`);
  return whole;
}
