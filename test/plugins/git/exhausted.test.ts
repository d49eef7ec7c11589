// A machine that lacks something: file handles, inodes. Neither the repository nor the commit is to blame.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { run } from "../../../src/engine/process.ts";
import { checkout, createGit } from "../../../src/plugins/git/index.ts";
import { makeRepository, type TestRepository } from "../../support/git.ts";
import { testJob } from "../../support/job.ts";
import { mayMount, smallDisk } from "../../support/tmpfs.ts";

const CHILD = fileURLToPath(new URL("../../support/handles-child.ts", import.meta.url));
const HANDLES = 60;

function withSubmodule(): TestRepository {
  const inner = makeRepository({ "word.txt": "content\n" });
  const outer = makeRepository({ "a.txt": "a\n" });
  onTestFinished(inner.dispose);
  onTestFinished(outer.dispose);
  outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.dir, "inner");
  outer.commit({});
  return outer;
}

test("too few file handles: the whole commit or a failure that heals, never something in between", () => {
  const work = withSubmodule();
  const command = `ulimit -n ${HANDLES} && exec "$@"`;
  const child = [process.execPath, "--import", "tsx", CHILD, work.dir, work.git("rev-parse", "HEAD"), "inner/word.txt"];
  const said = execFileSync("sh", ["-c", command, "sh", ...child], { encoding: "utf8", cwd: resolve(CHILD, "../..") });
  const endings = said.trim().split("\n");
  const kinds = new Set(endings.map((line) => line.replace(/^\d+ /, "")));
  expect([...kinds].toSorted()).toEqual(["NO_PROCESS", "content"]);
  expect([endings[0], endings.at(-1)]).toEqual(["0 NO_PROCESS", "30 content"]);
}, 60_000);

describe.skipIf(!mayMount())("a disk without inodes", () => {
  test("is a full disk, which heals", async () => {
    const disk = smallDisk("size=8m,nr_inodes=200");
    const work = withSubmodule();
    const git = createGit(disk, createClock());
    const take = () =>
      checkout(
        git,
        { url: work.dir },
        work.git("rev-parse", "HEAD"),
        { includeGit: false, submodules: true },
        testJob(),
      );
    mkdirSync(join(disk, "many"));
    const made = fillInodes(join(disk, "many"));
    expect(made).toBeGreaterThan(100);
    const codes: string[] = [];
    for (;;) {
      const taken = await take();
      if (taken.ok) break;
      codes.push(taken.error.code);
      execFileSync("sh", [
        "-c",
        'ls "$1" | head -3 | while read name; do rm "$1/$name"; done',
        "sh",
        join(disk, "many"),
      ]);
    }
    expect([...new Set(codes)]).toEqual(["STORE_FULL"]);
  }, 60_000);
});

test("a program that is not there is named, and does not heal", async () => {
  const message = "cannot run millrace-no-such-program: spawn millrace-no-such-program ENOENT";
  const error = { code: "COMMAND_NOT_FOUND", class: "system", message };
  expect(await run({ argv: ["millrace-no-such-program"] })).toMatchObject({ ok: false, error });
});

function fillInodes(dir: string): number {
  for (let made = 0; ; made += 1)
    try {
      writeFileSync(join(dir, String(made)), "");
    } catch {
      return made;
    }
}
