// Commits that no git would write, made by hand: what a stranger's repository may hold.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { type Checkout, checkout, createGit } from "../../../src/plugins/git/index.ts";
import type { Result } from "../../../src/term/output.ts";
import { makeRepository } from "../../support/git.ts";
import { testJob } from "../../support/job.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-state-"));
const context = createGit(state, createClock());
const work = makeRepository({ "a.txt": "1" });
afterAll(() => {
  rmSync(state, { recursive: true, force: true });
  work.dispose();
});

type Entry = readonly [mode: "100644" | "120000" | "40000" | "160000", name: string, object: string];

const store = (type: "blob" | "tree", content: Buffer): string =>
  execFileSync("git", ["hash-object", "-t", type, "-w", "--literally", "--stdin"], { cwd: work.dir, input: content })
    .toString()
    .trim();
const blob = (text: string): string => store("blob", Buffer.from(text));
const tree = (...entries: readonly Entry[]): string =>
  store(
    "tree",
    Buffer.concat(
      entries.flatMap(([mode, name, object]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]),
    ),
  );
const commitOf = (root: string): string => work.git("commit-tree", "-m", "odd", root);

/** What becomes of it; a branch has to be there for git to give it away. */
async function take(root: string): Promise<Result<Checkout>> {
  const commit = commitOf(root);
  work.git("update-ref", "refs/heads/odd", commit);
  return checkout(context, { url: work.dir }, commit, { includeGit: false, submodules: "own host" }, testJob());
}

const one = blob("[core]\n\tfsmonitor = touch pwned\n");
const pinned = work.git("rev-parse", "HEAD");
const modules = blob(`[submodule "x"]\n\tpath = deps/lib\n\turl = ../lib.git\n`);

describe("a tree that git refuses to take over", () => {
  test.each<[string, () => string]>([
    ["a .git of its own", () => tree(["40000", ".git", tree(["100644", "config", one])])],
    [".GIT, for machines that see no difference", () => tree(["40000", ".GIT", tree(["100644", "config", one])])],
    ["git~1, which is .git on others", () => tree(["40000", "git~1", tree(["100644", "config", one])])],
    ["a way up", () => tree(["40000", "..", tree(["100644", "x", one])])],
    ["a name with a slash", () => tree(["100644", "../x", one])],
    [
      "a link and a directory of one name",
      () => tree(["120000", "deps", blob("/tmp")], ["40000", "deps", tree(["100644", "x", one])]),
    ],
    [
      "a link where a submodule goes",
      () =>
        tree(
          ["100644", ".gitmodules", modules],
          ["120000", "deps", blob("/tmp")],
          ["40000", "deps", tree(["160000", "lib", pinned])],
        ),
    ],
    ["submodules behind a link", () => tree(["120000", ".gitmodules", blob("/etc/passwd")])],
  ])("%s", async (_what, root) => {
    expect(await take(root())).toMatchObject({ ok: false, error: { code: "COMMIT_REFUSED", class: "failed" } });
    expect(existsSync(join(state, "pwned"))).toBe(false);
  });
});

test("files by the hundred million, of a few objects, are too many before any is written", async () => {
  let level = tree(...Array.from({ length: 10 }, (_, at): Entry => ["100644", `f${at}`, one]));
  for (let depth = 0; depth < 7; depth += 1)
    level = tree(...Array.from({ length: 10 }, (_, at): Entry => ["40000", `d${at}`, level]));
  const answer = await take(level);
  expect(answer).toMatchObject({ ok: false, error: { code: "CONTEXT_REFUSED", class: "failed" } });
  expect(readdirSync(join(state, "tmp"))).toEqual([]);
});

test("names of any kind are files, links are not followed, a pointer to other storage stays one", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  const names = ["two\nlines", "\u001b[31mred", "\u202efdp.exe", "-rf", "$(touch pwned)", "a b;c"];
  const attributes: Entry = ["100644", ".gitattributes", blob("* filter=lfs\n*.txt export-subst ident\n")];
  const files = names.map((name): Entry => ["100644", name, one]);
  const more: readonly Entry[] = [
    ["100644", "big.bin", blob(pointer)],
    ["120000", "out", blob("/etc/passwd")],
  ];
  const sorted = [attributes, ...files, ...more].toSorted(([, a], [, b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const root = tree(...sorted);
  const taken = await take(root);
  if (!taken.ok) throw new Error(taken.error.message);
  expect(readdirSync(taken.value.dir).toSorted()).toEqual(sorted.map(([, name]) => name).toSorted());
  expect(readlinkSync(join(taken.value.dir, "out"))).toBe("/etc/passwd");
  expect(readFileSync(join(taken.value.dir, "big.bin"), "utf8")).toBe(pointer);
  await taken.value.dispose();
});
