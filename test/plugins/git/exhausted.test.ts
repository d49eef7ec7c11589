// A machine that lacks something: file handles, inodes. Neither the repository nor the commit is to blame.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { run, setSearchPath } from "../../../src/engine/process.ts";
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

test("a git that lacks something at any of its calls: the whole commit or a failure that heals", async () => {
  const work = withSubmodule();
  const commit = work.git("rev-parse", "HEAD");
  const dir = mkdtempSync(join(tmpdir(), "millrace-git-fails-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, "git"), failing(execFileSync("which", ["git"], { encoding: "utf8" }).trim()), {
    mode: 0o755,
  });
  setSearchPath(`${dir}:${process.env["PATH"] ?? ""}`);
  onTestFinished(() => setSearchPath(process.env["PATH"] ?? ""));
  const endings: string[] = [];
  for (const state of ["known", undefined])
    for (let nth = 1; ; nth += 1) {
      writeFileSync(join(dir, "fails-at"), String(nth));
      writeFileSync(join(dir, "calls"), "0");
      const git = createGit(join(dir, state ?? `new-${nth}`), createClock());
      const taken = await checkout(git, { url: work.dir }, commit, { includeGit: false, submodules: true }, testJob());
      endings.push(taken.ok ? readFileSync(join(taken.value.dir, "inner/word.txt"), "utf8") : taken.error.code);
      if (Number(readFileSync(join(dir, "calls"), "utf8")) < nth) break;
    }
  expect(endings.length).toBeGreaterThan(20);
  expect([...new Set(endings)].toSorted()).toEqual(["NO_PROCESS", "content\n"]);
}, 60_000);

/** The real git, but for one call: `calls` counts them, `fails-at` says which. */
const failing = (git: string): string => `#!/bin/sh
here=$(dirname "$0")
nth=$(($(cat "$here/calls") + 1))
echo $nth > "$here/calls"
if [ $nth = "$(cat "$here/fails-at")" ]; then echo "fatal: cannot open it: Too many open files" >&2; exit 128; fi
exec ${git} "$@"
`;

test("a checkout that cannot be removed is no reason for what was made of it to fail", async () => {
  const work = makeRepository({ "a.txt": "a\n" });
  onTestFinished(work.dispose);
  const state = mkdtempSync(join(tmpdir(), "millrace-git-stays-"));
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
  const options = { includeGit: false, submodules: true } as const;
  const commit = work.git("rev-parse", "HEAD");
  const taken = await checkout(createGit(state, createClock()), { url: work.dir }, commit, options, testJob());
  rmSync(join(state, "tmp"), { recursive: true });
  writeFileSync(join(state, "tmp"), "no directory any more");
  expect(taken.ok && (await taken.value.dispose())).toBe(undefined);
});

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

test("output that is too long is not cut off and taken for the whole", async () => {
  const error = { code: "OUTPUT_TOO_LONG", message: "head wrote more than 64 MiB, which is the most that is read" };
  expect(await run({ argv: ["head", "-c", "67108865", "/dev/zero"] })).toMatchObject({ ok: false, error });
  expect(await run({ argv: ["cat", "/dev/zero"] })).toMatchObject({ ok: false, error: { code: "OUTPUT_TOO_LONG" } });
  expect(await run({ argv: ["head", "-c", "67108864", "/dev/zero"] })).toMatchObject({ ok: true });
});

test("what the system refuses at once is a failure as well, and no exception", async () => {
  const argv = ["true", "x".repeat(4 * 1024 * 1024)] as const; // more than one argument may have
  expect(await run({ argv })).toMatchObject({ ok: false, error: { message: "cannot run true: spawn E2BIG" } });
});

function fillInodes(dir: string): number {
  for (let made = 0; ; made += 1)
    try {
      writeFileSync(join(dir, String(made)), "");
    } catch {
      return made;
    }
}
