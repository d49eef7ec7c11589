// A repository whose pull requests are never listed within the time that a read has for them: the real reader, monitor,
// inbox and checks in virtual time. Only what GitHub answers is stood for.
import { describe, expect, it } from "vitest";
import { Inbox } from "../../src/engine/inbox.ts";
import { Secret } from "../../src/engine/secret.ts";
import { approveByComment } from "../../src/pipeline/approve-comments.ts";
import { lowerChecks } from "../../src/pipeline/checks.ts";
import { docker } from "../../src/pipeline/docker.ts";
import { rereading } from "../../src/pipeline/reread.ts";
import { createGit } from "../../src/plugins/git/index.ts";
import { createGitHub, type GitHub } from "../../src/plugins/github/index.ts";
import type { Ask } from "../../src/plugins/github/pages.ts";
import { RefsReader } from "../../src/plugins/github/read-refs.ts";
import { success } from "../../src/term/output.ts";
import { createRig, type TestClock } from "../../src/testing/index.ts";
import { anyCommit, checkBuilder, noEngine, watchedAt } from "../support/checking.ts";

const REPO = "acme/shop";
const ID = 5;
const ANN = { id: 1, login: "ann" };
const MALLORY = { id: 66, login: "mallory" };
const MINUTE = 60_000;

/** A GitHub that needs so long to list pull requests; what is on the list is what was open when it was asked. */
function slowGitHub(clock: TestClock, listMs: number) {
  const pulls: unknown[] = [];
  let lists = 0;
  const ask: Ask = async (what) => {
    if (what.includes("/branches")) return success({ status: 200, data: [] });
    if (!what.includes("/pulls"))
      return success({ status: 200, data: { id: ID, full_name: REPO, default_branch: "main" } });
    lists += 1;
    const data = [...pulls];
    await clock.sleep(listMs);
    return success({ status: 200, data });
  };
  const api = new URL("https://api.github.example");
  const reader = new RefsReader(api, REPO);
  const github: GitHub = Object.assign(createGitHub({ clock, api, app: { id: 1, key: new Secret("none") } }), {
    refs: (_: string, options: Parameters<GitHub["refs"]>[1], signal: AbortSignal) =>
      reader.read(() => ask, options, clock, signal),
  });
  /** Somebody's fork asks for its commit to be taken; without `fork` it is a branch of the repository. */
  const open = (commit: string, fork?: number): number => {
    const number = pulls.length + 1;
    const head = { sha: commit, ref: "idea", repo: { id: fork ?? ID, full_name: fork ? "mallory/shop" : REPO } };
    pulls.push({ number, head, base: { ref: "main" }, user: MALLORY });
    return number;
  };
  return { github, open, lists: () => lists };
}

function serve(listMs: number) {
  const rig = createRig();
  const { engine, clock } = rig;
  const { github, open, lists } = slowGitHub(clock, listMs);
  const built: string[] = [];
  const builder = checkBuilder(async ({ build: { commit } }) => {
    built.push(commit);
    return success({ commit });
  });
  const writers = { mayWrite: async (_repo: string, user: number) => success(user === ANN.id) };
  const { refs, reread, source } = watchedAt(github, engine, REPO);
  const checks = { writers, builder, build: noEngine(clock) };
  lowerChecks({
    ports: { engine, git: createGit("/nowhere", clock), builders: { fetch: anyCommit }, checks },
    repo: REPO,
    source,
    refs,
    builds: [docker("Dockerfile")],
    deployed: new Map(),
    at: "pipeline.ts:1",
  });
  const inbox = new Inbox(engine);
  inbox.handle(approveByComment(engine, writers, "github", rereading([{ repo: REPO, refs, reread }])));
  inbox.start();
  engine.change(undefined, () => {});
  const approve = (pull: number, commit: string) => {
    const about = { kind: "comment", repository: ID, pull, comment: pull, author: ANN } as const;
    const hint = { ...about, body: `/approve ${commit}` };
    return inbox.receive({ id: `github ${pull}`, kind: "issue_comment", bodyDigest: "", hint });
  };
  const nextList = async (): Promise<void> => {
    const before = lists();
    await clock.until(() => lists() > before);
  };
  return { clock, engine, built, inbox, open, approve, nextList };
}

const commitOf = (letter: string): string => letter.repeat(40);

describe.each([4_000, 7_500, 20_000])("a list of pull requests that always takes %i ms", (listMs) => {
  it("is followed all the same: what is opened is checked", async () => {
    const { clock, built, open } = serve(listMs);
    await clock.advance(5 * MINUTE);
    for (const letter of ["a", "b"]) {
      open(commitOf(letter));
      await clock.advance(2 * MINUTE);
      expect(built.at(-1)).toBe(commitOf(letter));
    }
  });

  it.each([0, 500, 2_000, 3_500])("loses no approval that comes %i ms after it was asked for", async (ms) => {
    const { clock, engine, built, inbox, open, approve, nextList } = serve(listMs);
    await clock.advance(5 * MINUTE);
    await nextList();
    await clock.advance(ms);
    const pull = open(commitOf("c"), 77);
    await approve(pull, commitOf("c"));
    await clock.advance(3 * MINUTE);
    expect(engine.store.queries.audit(9).map(({ who, detail }) => `${who} ${detail}`)).toEqual([
      "github:ann#1 by a comment",
    ]);
    expect(built).toEqual([commitOf("c")]);
    expect(inbox.open).toBe(0);
  });
});
