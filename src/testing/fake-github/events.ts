import type { Json } from "../../engine/json.ts";
import { complete, eventSchema, faults, type Shape, unknownNames } from "./schema.ts";

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
