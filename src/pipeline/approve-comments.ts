import { Entries, STRANGER_MAX } from "../engine/access/entries.ts";
import { whoIs } from "../engine/access/identity.ts";
import { detailOf } from "../engine/audit.ts";
import type { Engine } from "../engine/engine.ts";
import { problem } from "../engine/errors.ts";
import type { Hint, HintHandler } from "../engine/inbound.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { Writers } from "./may-build.ts";
import type { Reread } from "./reread.ts";
import type { RepoName } from "./types.ts";

type Comment = Extract<Hint, { kind: "comment" }>;

const WORD = /^\/approve(?:[ \t]+(\S*))?[ \t]*$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Lets people approve by a comment whose first line is `/approve COMMIT`, with the commit's full name: what was pushed
 * while they read is not meant, and an abbreviation can be hit on purpose. Whoever comments must be allowed to write to
 * the repository, by their number, as of a minute ago at most. Other comments are nobody's business here.
 *
 * A comment may come before we have seen what it is about. So nothing is refused before the repository has been read
 * after the comment came; until then it is tried again.
 *
 * @param provider What people are called by: `github:alice`.
 */
export function approveByComment(engine: Engine, writers: Writers, provider: string, reread: Reread): HintHandler {
  const refusals = new Entries(engine.clock, (...entry) => engine.audit.note(...entry));
  return async (hint) => {
    if (hint.kind !== "comment") return success(undefined);
    const [line = ""] = hint.body.split(/\r\n|\n|\r/, 1);
    const found = WORD.exec(line);
    if (found === null) return success(undefined);
    const { repository, pull } = hint;
    const name = reread.nameOf(repository);
    if (name === undefined) return reread.read(repository);
    const commit = found[1] ?? "";
    const who = whoIs(provider, hint.author);
    const result = await approve({ engine, writers, reread }, hint, commit, name, who);
    if (!result.ok && result.error.class === "transient") return result;
    const subject = `${name}#${pull} ${commit.slice(0, 64)}`.trim();
    const entry = [who, "approve", subject, detailOf(result, "", "by a comment")] as const;
    if (!result.ok && result.error.code === "FORBIDDEN") refusals.ofKnown(...entry, STRANGER_MAX);
    else await engine.audit.record(...entry);
    return result;
  };
}

async function approve(
  { engine, writers, reread }: { readonly engine: Engine; readonly writers: Writers; readonly reread: Reread },
  { repository, pull, author }: Comment,
  commit: string,
  name: RepoName,
  who: string,
): Promise<Result<void>> {
  const may = await writers.mayWrite(name, author.id, new AbortController().signal);
  if (!may.ok) return may;
  if (!may.value) return failure(problem("FORBIDDEN", `${author.login} may not write to ${name}`));
  if (!COMMIT.test(commit))
    return failure(problem("BAD_REQUEST", `"/approve ${commit}" does not end in the full name of a commit`));
  const approved = await engine.approvals.approve({ repository, pull, commit }, who, "comment");
  if (approved.ok) return approved;
  const read = await reread.read(repository);
  return read.ok ? engine.approvals.approve({ repository, pull, commit }, who, "comment") : read;
}
