import { execFileSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { createGit, locate, masked, readHeads } from "../../../src/plugins/git/index.ts";
import { makeBareRepository, makeRepository } from "../../support/git.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-state-"));
const context = createGit(state, createClock());
const signal = new AbortController().signal;
afterAll(() => rmSync(state, { recursive: true, force: true }));

describe("readHeads", () => {
  test("reads every branch of a path, a bare repository and a file URL", async () => {
    const work = makeRepository({ a: "1" });
    const bare = makeBareRepository();
    work.push(bare.dir, "main");
    work.push(bare.dir, "feature/ä-ü");
    const head = work.git("rev-parse", "HEAD");
    const wanted = new Map([["feature/ä-ü", head]]).set("main", head);
    for (const url of [bare.dir, `file://${bare.dir}`]) {
      expect(await readHeads(context, { url }, signal)).toEqual({ ok: true, value: wanted });
    }
    const own = await readHeads(context, { url: work.dir }, signal);
    expect(own).toEqual({ ok: true, value: new Map([["main", head]]) });
    work.dispose();
    bare.dispose();
  });

  test("a tag, a pull request and a branch of nearly that name are no branch of that name", async () => {
    const work = makeRepository({ a: "1" });
    const head = work.git("rev-parse", "HEAD");
    const names = ["Live", "l\u0456ve", "x/live", "refs/heads/live"];
    for (const ref of ["refs/tags/live", "refs/pull/1/head", "refs/live", "refs/notes/refs/heads/live"])
      work.git("update-ref", ref, head);
    for (const name of names) work.git("update-ref", `refs/heads/${name}`, head);
    const heads = await readHeads(context, { url: work.dir }, signal);
    expect(heads.ok && [...heads.value.keys()].toSorted()).toEqual([...names, "main"].toSorted());
    work.dispose();
  });

  test("an empty repository has no branches; a missing one is unreachable, which is transient", async () => {
    const bare = makeBareRepository();
    expect(await readHeads(context, { url: bare.dir }, signal)).toEqual({ ok: true, value: new Map() });
    bare.dispose();
    const gone = await readHeads(context, { url: bare.dir }, signal);
    expect(gone).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE", class: "transient" } });
    const port = await readHeads(context, { url: "git://127.0.0.1:1/x.git" }, signal);
    expect(port).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE" } });
  });

  test.runIf(process.getuid?.() === 0)("reads a local repository of another user", async () => {
    const work = makeRepository({ a: "1" });
    execFileSync("chown", ["-R", "65534:65534", work.dir]);
    expect(await readHeads(context, { url: work.dir }, signal)).toMatchObject({ ok: true });
    work.dispose();
  });

  test("leaves nothing behind on the signal of a monitor, which lives for long", async () => {
    const work = makeRepository({ a: "1" });
    const lasting = new AbortController().signal;
    for (let reads = 0; reads < 3; reads += 1) await readHeads(context, { url: work.dir }, lasting);
    // Node notes what was made of a signal under a symbol of its own.
    const notes = Object.getOwnPropertySymbols(lasting).filter(({ description }) =>
      /depend[ae]nt/i.test(description ?? ""),
    );
    const noted = notes.map((name): unknown => Reflect.get(lasting, name)).filter(Boolean);
    expect([getEventListeners(lasting, "abort").length, noted]).toEqual([0, []]);
    work.dispose();
  });

  test("stops when it is cancelled", async () => {
    const answer = await readHeads(context, { url: "/tmp" }, AbortSignal.abort("not wanted"));
    expect(answer).toMatchObject({ ok: false, error: { code: "CANCELLED", message: "not wanted" } });
  });
});

describe("locate", () => {
  test.each([
    ["/srv/git/shop.git", "file"],
    ["file:///srv/git/shop.git", "file"],
    ["https://git.example.org/shop.git", "https"],
    ["ssh://git@git.example.org:2222/shop.git", "ssh"],
    ["git@git.example.org:shop.git", "ssh"],
    ["git@git.example.org:/srv/shop.git", "ssh"],
    ["git://git.example.org/shop.git", "git"],
  ])("%s goes by %s", (url, protocol) => {
    expect(locate({ url })).toMatchObject({ ok: true, value: { url, protocol } });
  });

  test.each([
    "ext::sh -c 'touch /tmp/x'",
    "ext::sh",
    "-upload-pack=x",
    "ssh://-oProxyCommand=touch/x",
    "ssh://-oProxyCommand=x@host/y",
    "ssh://%2doProxyCommand=x@host/y",
    "-oProxyCommand=x:y",
    "host:-x",
    "https://host\\@evil/x",
    "http://169.254.169.254/latest",
    "gopher://host/x",
    "file://host/x",
    "https:///x",
    "./relative",
    "",
    "/srv/a\nb",
    "https://ada:hunter2@host/x",
  ])("refuses %j", (url) => {
    const answer = locate({ url });
    expect(answer).toMatchObject({ ok: false, error: { code: "REPO_REFUSED" } });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });

  test("masks a password", () => {
    expect(masked("https://ada:hunter2@host/x")).toBe("https://ada:‹secret›@host/x");
    expect(masked("https://host/x@y:z")).toBe("https://host/x@y:z");
  });
});
