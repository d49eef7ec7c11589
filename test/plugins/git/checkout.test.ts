import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { cacheDir } from "../../../src/plugins/git/cache.ts";
import { type Checkout, checkout, createGit, sweepCheckouts } from "../../../src/plugins/git/index.ts";
import type { Result } from "../../../src/term/output.ts";
import { execGit, makeRepository, type TestRepository } from "../../support/git.ts";
import { testJob } from "../../support/job.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-state-"));
const context = createGit(state, createClock());
const take = (repository: TestRepository, includeGit = false): Promise<Result<Checkout>> => {
  const commit = repository.git("rev-parse", "HEAD");
  return checkout(context, { url: repository.dir }, commit, { includeGit, submodules: true }, testJob());
};
const dirOf = (taken: Result<Checkout>): string => {
  if (!taken.ok) throw new Error(taken.error.message);
  return taken.value.dir;
};
afterAll(() => rmSync(state, { recursive: true, force: true }));

describe("the files of a commit", () => {
  let work: TestRepository;
  beforeAll(() => {
    work = makeRepository({
      Dockerfile: "FROM x\n",
      "bin/run": { script: "#!/bin/sh\n" },
      outside: { link: "/etc/passwd" },
      ".gitattributes": "*.txt filter=evil\n",
      "a.txt": "plain\n",
      "odd\nname\u202e": "odd",
    });
  });
  afterAll(() => work.dispose());

  test("are written as they are, links as links, without .git; dispose removes them", async () => {
    const taken = await take(work);
    const dir = dirOf(taken);
    const names = [".gitattributes", "Dockerfile", "a.txt", "bin", "odd\nname\u202e", "outside"];
    expect(readdirSync(dir).toSorted()).toEqual(names.toSorted());
    expect(lstatSync(join(dir, "outside")).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(dir, "bin/run")).mode & 0o777).toBe(0o755);
    if (taken.ok) await taken.value.dispose();
    expect(readdirSync(join(state, "tmp"))).toEqual([]);
  });

  test("go through no filter and no hook, even if our cache's configuration names one", async () => {
    const mark = join(state, "ran");
    const cache = cacheDir(context, { url: work.dir });
    mkdirSync(join(cache, "hooks"), { recursive: true });
    writeFileSync(join(cache, "hooks/post-checkout"), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const home = mkdtempSync(join(tmpdir(), "millrace-home-"));
    writeFileSync(join(home, ".gitconfig"), `[filter "evil"]\n\tsmudge = touch ${mark}; cat\n\trequired = true\n`);
    const before = process.env["HOME"];
    process.env["HOME"] = home;
    for (const includeGit of [false, true]) {
      const dir = dirOf(await take(work, includeGit));
      expect(readFileSync(join(dir, "a.txt"), "utf8")).toBe("plain\n");
    }
    process.env["HOME"] = before;
    rmSync(home, { recursive: true });
    expect(existsSync(mark)).toBe(false);
  });

  test("come with a .git of their own when asked: detached, whole, without any way back to us", async () => {
    const first = work.git("rev-parse", "HEAD");
    const second = work.commit({ "a.txt": "newer\n" });
    const dir = dirOf(await take(work, true));
    rmSync(cacheDir(context, { url: work.dir }), { recursive: true });
    const git = (...args: string[]): string => execGit(dir, args);
    expect(git("rev-parse", "HEAD")).toBe(second);
    expect(git("rev-list", "HEAD")).toBe(`${second}\n${first}`);
    expect(git("status", "--porcelain")).toBe("");
    expect(git("branch", "--list", "--format=%(refname)")).toBe("(no branch)");
    expect(git("remote")).toBe("");
    expect(git("fsck", "--strict")).not.toContain("error");
    const found = spawnSync("grep", ["-rlF", "-e", state, "-e", work.dir, join(dir, ".git")]);
    expect(found.stdout.toString()).toBe("");
  });

  test("are had again after the cache was damaged behind our back", async () => {
    dirOf(await take(work));
    const cache = cacheDir(context, { url: work.dir });
    const commit = execFileSync("git", ["cat-file", "commit", "HEAD"], { cwd: work.dir });
    rmSync(join(cache, "objects"), { recursive: true });
    mkdirSync(join(cache, "objects"));
    const keep = ["--git-dir", cache, "hash-object", "-t", "commit", "-w", "--stdin"];
    execFileSync("git", keep, { input: commit, stdio: "pipe" });
    expect(readFileSync(join(dirOf(await take(work)), "a.txt"), "utf8")).toBe("newer\n");
  });

  test("that a dead process left are swept away; those of this process stay", async () => {
    const mine = dirOf(await take(work));
    const left = join(state, "tmp", "checkout-0123456789ab-xyz", "tree");
    mkdirSync(left, { recursive: true });
    await sweepCheckouts(state);
    expect([existsSync(mine), existsSync(left)]).toEqual([true, false]);
  });
});

describe("submodules", () => {
  const parent = mkdtempSync(join(tmpdir(), "millrace-forge-"));
  const library = makeRepository({ "lib.txt": "lib" });
  const secret = makeRepository({ "secret.txt": "secret" });
  execGit(parent, ["clone", "--quiet", "--bare", library.dir, "library.git"]);
  execGit(parent, ["clone", "--quiet", "-b", "main", library.dir, "app"]);
  afterAll(() => {
    rmSync(parent, { recursive: true });
    library.dispose();
    secret.dispose();
  });
  const app = join(parent, "app");
  const pinned = library.git("rev-parse", "HEAD");
  const withSubmodule = (url: string, path = "deps/lib", commit = pinned): string => {
    execGit(app, ["rm", "--quiet", "-rf", "--ignore-unmatch", "--cached", "."]);
    writeFileSync(join(app, ".gitmodules"), `[submodule "x"]\n\tpath = ${path}\n\turl = ${url}\n`);
    writeFileSync(join(app, "Dockerfile"), "FROM scratch\n");
    execGit(app, ["add", "--force", ".gitmodules", "Dockerfile"]);
    execGit(app, ["update-index", "--add", "--cacheinfo", `160000,${commit},${path}`]);
    const made = execGit(app, ["commit-tree", "-m", "submodule", execGit(app, ["write-tree"])]);
    execGit(app, ["update-ref", "refs/heads/main", made]);
    return made;
  };
  const takeApp = (commit: string, includeGit = false): Promise<Result<Checkout>> =>
    checkout(context, { url: app }, commit, { includeGit, submodules: true }, testJob());

  test.each([false, true])("beside a local repository are filled (with .git: %s)", async (includeGit) => {
    const dir = dirOf(await takeApp(withSubmodule("../library.git"), includeGit));
    expect(readFileSync(join(dir, "deps/lib/lib.txt"), "utf8")).toBe("lib");
    expect(existsSync(join(dir, "deps/lib/.git"))).toBe(includeGit);
    expect(includeGit ? execGit(dir, ["status", "--porcelain"]) : "").toBe("");
  });

  test("outside of the directory of a local repository, and by other protocols, are refused", async () => {
    const mark = join(state, "pwned");
    const urls = [
      secret.dir,
      `file://${secret.dir}`,
      `../../${secret.dir.split("/").at(-1)}`,
      `ext::sh -c touch% ${mark}`,
    ];
    for (const url of [...urls, "git://127.0.0.1:1/x", "http://127.0.0.1:1/x", "../nothing.git"]) {
      const answer = await takeApp(withSubmodule(url, "deps/lib", secret.git("rev-parse", "HEAD")));
      expect({ url, answer }).toMatchObject({ url, answer: { ok: false, error: { code: "SUBMODULE_FAILED" } } });
    }
    expect(existsSync(mark)).toBe(false);
  });

  test("an address that is an option is refused by git's own check of what it fetches", async () => {
    const answer = await takeApp(withSubmodule("-oProxyCommand=x"));
    expect(answer).toMatchObject({ ok: false, error: { code: "COMMIT_REFUSED", class: "failed" } });
  });

  test("a link in the directory beside a local repository does not lead out of it", async () => {
    execFileSync("ln", ["-s", secret.dir, join(parent, "innocent.git")]);
    const answer = await takeApp(withSubmodule("../innocent.git", "deps/lib", secret.git("rev-parse", "HEAD")));
    expect(answer).toMatchObject({ ok: false, error: { code: "SUBMODULE_FAILED" } });
  });

  test("a commit that the submodule's repository lacks names the submodule", async () => {
    const answer = await takeApp(withSubmodule("../library.git", "deps/lib", "1".repeat(40)));
    expect(answer).toMatchObject({ ok: false, error: { code: "COMMIT_GONE" } });
    expect(JSON.stringify(answer)).toContain("submodule deps/lib: ");
  });

  test("of a commit that is only checked come from its own host, or not at all", async () => {
    for (const url of ["https://other.example/x.git", "ssh://git@other.example/x.git", "git@other.example:x.git"]) {
      const commit = withSubmodule(url);
      const options = { includeGit: false, submodules: "own host" } as const;
      const answer = await checkout(context, { url: app }, commit, options, testJob());
      expect(answer).toMatchObject({ ok: false, error: { code: "SUBMODULE_FAILED" } });
      expect(JSON.stringify(answer)).toContain("own host only");
    }
  });

  test("without an address, or with update = none, stay empty and are mentioned", async () => {
    const commit = withSubmodule("../library.git\n\tupdate = none");
    const job = testJob();
    const taken = await checkout(context, { url: app }, commit, { includeGit: false, submodules: true }, job);
    expect(readdirSync(join(dirOf(taken), "deps/lib"))).toEqual([]);
    expect(job.text()).toContain('submodule "deps/lib": update = none, left empty');
  });
});
