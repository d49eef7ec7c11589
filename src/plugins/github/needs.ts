import type { Installation } from "./api.ts";

type Level = "read" | "write";

/** What an app is given, as doc/github.md lists it. */
export const appPermissions: Readonly<Record<string, Level>> = {
  metadata: "read",
  contents: "read",
  pull_requests: "read",
  issues: "read",
  checks: "write",
  deployments: "write",
};

/** The events that it is told, as doc/github.md lists them. */
export const appEvents: readonly string[] = [
  "push",
  "create",
  "delete",
  "pull_request",
  "repository",
  "issue_comment",
  "check_run",
  "check_suite",
];

/** Only for approvals by comment: who wants none of those gives neither. */
const COMMENTS = "issues";
const COMMENTED = "issue_comment";

/** What an installation lacks. */
export interface Lacks {
  /** As people read them: `checks (write)`. Something fails without each. */
  readonly permissions: readonly string[];
  /** As GitHub names them. Without them things are seen later, or cannot be asked for on GitHub. */
  readonly events: readonly string[];
  /** Whether the teams of the organisation can be looked up. */
  readonly members: boolean;
}

/** Compares what an account has granted with what is needed. What the app asks for, but nobody accepted yet, is lacking. */
export function lacksOf({ permissions, events }: Pick<Installation, "permissions" | "events">): Lacks {
  const has = (name: string, level: Level): boolean => {
    const given = permissions[name];
    return given === "write" || given === "admin" || (level === "read" && given === "read");
  };
  const wanted = Object.entries(appPermissions).filter(([name]) => name !== COMMENTS);
  const told = appEvents.filter((name) => name !== COMMENTED || has(COMMENTS, "read"));
  return {
    permissions: wanted.flatMap(([name, level]) => (has(name, level) ? [] : [`${name} (${level})`])),
    events: told.filter((name) => !events.includes(name)),
    members: !has("members", "read"),
  };
}
