import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { createGit, readDates } from "../../../src/plugins/git/index.ts";
import { makeRepository } from "../../support/git.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-state-"));
const context = createGit(state, createClock());
const signal = new AbortController().signal;
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** More than one command line has; each commit a second younger than the one before. */
const MANY = 1_200;
const FIRST_SEC = 1_600_000_000;

describe("readDates", () => {
  test("reads those of thousands of commits in a few fetches, and keeps nothing", async () => {
    const work = makeRepository({ a: "1" });
    const stream = Array.from({ length: MANY }, (_, at) =>
      [
        `commit refs/heads/branch-${at}`,
        `committer a <a@b.example> ${FIRST_SEC + at} +0000`,
        "data 1",
        "m",
        "M 100644 inline a",
        `data ${String(at).length}`,
        `${at}\n`,
      ].join("\n"),
    ).join("\n");
    work.git("config", "uploadpack.allowFilter", "true");
    execFileSync("git", ["fast-import", "--quiet"], { cwd: work.dir, input: `${stream}\n` });
    const commits = work.git("for-each-ref", "--format=%(objectname)", "--sort=creatordate", "refs/heads/branch-*");
    const dates = await readDates(context, { url: `file://${work.dir}` }, commits.split("\n"), signal);
    expect(dates.ok && [...dates.value.values()]).toEqual(
      Array.from({ length: MANY }, (_, at) => (FIRST_SEC + at) * 1000),
    );
    expect(readdirSync(join(state, "tmp"))).toEqual([]);
    work.dispose();
  }, 60_000);

  test("fails transiently, as a whole, when a commit is not there any more or nobody answers", async () => {
    const work = makeRepository({ a: "1" });
    const head = work.git("rev-parse", "HEAD");
    const gone = await readDates(context, { url: `file://${work.dir}` }, [head, `${"0".repeat(39)}1`], signal);
    expect(gone).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE", class: "transient" } });
    const away = await readDates(context, { url: "git://127.0.0.1:1/x.git" }, [head], signal);
    expect(away).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE" } });
    const stopped = await readDates(context, { url: `file://${work.dir}` }, [head], AbortSignal.abort("enough"));
    expect(stopped).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
    expect(readdirSync(join(state, "tmp"))).toEqual([]);
    work.dispose();
  });

  test("tells what it could read before a fault, and which commits do not say", async () => {
    const work = makeRepository({ a: "1" });
    work.git("config", "uploadpack.allowFilter", "true");
    work.git("config", "uploadpack.allowAnySHA1InWant", "true");
    const tree = work.git("rev-parse", "HEAD^{tree}");
    const text = `tree ${tree}\nauthor a <a@b.example> 1 +0000\ncommitter a <a@b.example> once\n\nm\n`;
    const args = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
    const undated = execFileSync("git", args, { cwd: work.dir, input: text, encoding: "utf8" }).trim();
    const head = work.git("rev-parse", "HEAD");
    const many = [undated, ...Array.from({ length: 999 }, () => head)];
    const commits = [...many, `${"0".repeat(39)}1`];
    const dates = await readDates(context, { url: `file://${work.dir}` }, commits, signal);
    expect(dates.ok && [...dates.value]).toEqual([
      [undated, undefined],
      [head, Number(work.git("log", "-1", "--format=%ct")) * 1000],
    ]);
    work.dispose();
  });
});
