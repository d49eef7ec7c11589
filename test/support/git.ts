import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What is in a file: text, a symbolic link, text that may be executed, or nothing any more. */
export type FileContent = string | Uint8Array | { readonly link: string } | { readonly script: string } | null;
export type Files = Readonly<Record<string, FileContent>>;

/** A working copy with its own `.git`, on branch main. */
export interface TestRepository {
  readonly dir: string;
  git(...args: string[]): string;
  /** Writes the files (null removes one), commits everything and returns the commit. */
  commit(files: Files, message?: string): string;
  /** Pushes HEAD to `branch` of another repository, by force. */
  push(remote: string, branch?: string): void;
  readonly dispose: () => void;
}

/** A repository with one commit of `files`. Without files it has no commit at all. */
export function makeRepository(files?: Files): TestRepository {
  const dir = mkdtempSync(join(tmpdir(), "millrace-git-"));
  const git = (...args: string[]): string => execGit(dir, args);
  git("init", "--quiet", "--initial-branch=main");
  const commit = (files: Files, message = "a commit"): string => {
    for (const [path, content] of Object.entries(files)) writeContent(join(dir, path), content);
    git("add", "--all", "--force");
    git("commit", "--quiet", "--allow-empty", "-m", message);
    return git("rev-parse", "HEAD");
  };
  if (files !== undefined) commit(files);
  return {
    dir,
    git,
    commit,
    push: (remote, branch = "main") => void git("push", "--quiet", "--force", remote, `HEAD:refs/heads/${branch}`),
    dispose: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** An empty bare repository; push to its `dir`. */
export function makeBareRepository(): { readonly dir: string; readonly dispose: () => void } {
  const parent = mkdtempSync(join(tmpdir(), "millrace-bare-"));
  const dir = join(parent, "repo.git");
  execGit(parent, ["init", "--quiet", "--bare", "--initial-branch=main", dir]);
  return { dir, dispose: () => rmSync(parent, { recursive: true, force: true }) };
}

/** Runs git away from the configuration of whoever runs the tests; returns its output without the line end. */
export function execGit(cwd: string, args: readonly string[]): string {
  const identity = { NAME: "Ada Tester", EMAIL: "ada@example.org", DATE: "2026-01-02T03:04:05Z" };
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
  for (const [name, value] of Object.entries(identity)) {
    env[`GIT_AUTHOR_${name}`] = value;
    env[`GIT_COMMITTER_${name}`] = value;
  }
  const options = ["-c", "protocol.file.allow=always"];
  return execFileSync("git", [...options, ...args], { cwd, env, encoding: "utf8", stdio: "pipe" }).trimEnd();
}

function writeContent(path: string, content: FileContent): void {
  rmSync(path, { force: true, recursive: true });
  if (content === null) return;
  mkdirSync(dirname(path), { recursive: true });
  if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(path, content);
  else if ("link" in content) symlinkSync(content.link, path);
  else {
    writeFileSync(path, content.script);
    chmodSync(path, 0o755);
  }
}
