import type { Subscription } from "rxjs";
import type { Engine } from "../engine/engine.ts";
import { problem } from "../engine/errors.ts";
import type { Hint, Hints } from "../engine/inbound.ts";
import { failure, type Result } from "../term/output.ts";
import type { Writers } from "./may-build.ts";

type Comment = Extract<Hint, { kind: "comment" }>;

const WORD = /^\/approve(?:[ \t]+(\S*))?[ \t]*$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Lets people approve by a comment whose first line is `/approve COMMIT`, with the commit's full name: what was pushed
 * while they read is not meant, and an abbreviation can be hit on purpose. Whoever comments must be allowed to write to
 * the repository at that moment, by their number. Other comments are nobody's business here.
 *
 * @param provider What people are called by: `github:alice`.
 */
export function followComments(engine: Engine, { changes }: Hints, writers: Writers, provider: string): Subscription {
  return changes.subscribe((hint) => {
    if (hint.kind !== "comment") return;
    const [line = ""] = hint.body.split(/\r\n|\n|\r/, 1);
    const found = WORD.exec(line);
    if (found !== null) engine.background(() => answer(engine, writers, hint, found[1] ?? "", provider));
  });
}

async function answer(
  engine: Engine,
  writers: Writers,
  comment: Comment,
  commit: string,
  provider: string,
): Promise<void> {
  const { repository, pull, author } = comment;
  const waiting = engine.approvals.waiting().find((one) => one.repository === repository && one.pull === pull);
  if (waiting === undefined) return; // not ours, or nothing to approve
  const who = `${provider}:${author.login}`;
  const result = await approve(engine, writers, comment, commit, waiting.name, who);
  const subject = `${waiting.name}#${pull} ${commit}`.trim();
  await engine.audit.record(who, "approve", subject, result.ok ? "by a comment" : `refused: ${result.error.message}`);
}

async function approve(
  engine: Engine,
  writers: Writers,
  { repository, pull, author }: Comment,
  commit: string,
  name: `${string}/${string}`,
  who: string,
): Promise<Result<void>> {
  const may = await writers.mayWrite(name, author.id, new AbortController().signal);
  if (!may.ok) return may;
  if (!may.value) return failure(problem("FORBIDDEN", `${author.login} may not write to ${name}`));
  if (!COMMIT.test(commit))
    return failure(problem("BAD_REQUEST", `"/approve ${commit}" does not end in the full name of a commit`));
  return engine.approvals.approve({ repository, pull, commit }, who, "comment");
}
