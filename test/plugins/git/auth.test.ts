// What git reads with a token: from a private repository of a strict GitHub on this machine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { Secret, scrub } from "../../../src/engine/secret.ts";
import { withAuth } from "../../../src/plugins/git/auth.ts";
import { createGit, type GitSource, gitFetch, readHeads } from "../../../src/plugins/git/index.ts";
import type { GitHub } from "../../../src/plugins/github/index.ts";
import { success } from "../../../src/term/output.ts";
import { FakeGitHub } from "../../../src/testing/index.ts";
import { clientOf } from "../../support/github.ts";
import { testJob } from "../../support/job.ts";

const signal = new AbortController().signal;
const state = mkdtempSync(join(tmpdir(), "millrace-auth-"));
const context = createGit(state, createClock());
let fake: FakeGitHub;
let source: GitSource;
let url: string;
let github: GitHub;

beforeAll(async () => {
  fake = await FakeGitHub.start();
  fake.repo("acme/vault", { private: true });
  fake.install("acme");
  github = clientOf(fake);
  url = github.gitUrl("acme/vault");
  source = {
    url,
    auth: (during) => github.gitAuth("acme/vault", during),
    refused: (token, how) => github.gitRefused(token, how),
  };
});
afterAll(async () => {
  rmSync(state, { recursive: true, force: true });
  if (fake.violations.length > 0) throw new Error(fake.violations.join("\n"));
  await fake.close();
});

it("a private repository is fetched with the token, and not without", async () => {
  const commit = fake.push("acme/vault", "live", { "a.txt": "1" });
  const job = testJob();
  expect(await gitFetch.build(context, { source, commit }, job)).toMatchObject({ ok: true, value: { commit } });
  expect(job.text()).not.toMatch(/ghs_/);
  const heads = await readHeads(context, source, signal);
  expect(heads.ok && heads.value.get("live")).toBe(commit);
});

it.each(["acme/vault", "acme/valt"] as const)(
  "without a token %s is not read, and it says what that takes",
  async (name) => {
    const hidden = await readHeads(context, { url: github.gitUrl(name) }, signal);
    expect(hidden).toMatchObject({ ok: false, error: { code: "REPO_HIDDEN", class: "failed" } });
    expect(hidden.ok ? "" : hidden.error.message).toMatch(
      /acme\/va.*\.git does not exist, or it is private and takes a token to be read/,
    );
  },
);

it("a token that ended early is replaced at once, for heads and for fetches, and all of its installation with it", async () => {
  const commit = fake.push("acme/vault", "live", { "a.txt": "3" });
  expect(await readHeads(context, source, signal)).toMatchObject({ ok: true });
  fake.expireTokens();
  expect(await readHeads(context, source, signal)).toMatchObject({ ok: true });
  fake.expireTokens();
  expect(await gitFetch.build(context, { source, commit }, testJob())).toMatchObject({ ok: true, value: { commit } });
  await github.refs("acme/vault", {}, signal);
  fake.expireTokens();
  expect(await github.refs("acme/vault", {}, signal)).toMatchObject({ ok: true });
  const before = fake.requests.length;
  expect(
    await gitFetch.build(context, { source, commit: fake.push("acme/vault", "live", {}) }, testJob()),
  ).toMatchObject({
    ok: true,
  });
  expect(fake.requests.slice(before).filter(({ path }) => path.startsWith("/acme"))[0]?.status).toBe(200);
});

it("a token that is refused late ends none that came after it", async () => {
  const first = await github.gitAuth("acme/vault", signal);
  if (!first.ok || first.value === undefined) throw new Error("no token");
  github.gitRefused(first.value, "unknown");
  const second = await github.gitAuth("acme/vault", signal);
  github.gitRefused(first.value, "unknown");
  const third = await github.gitAuth("acme/vault", signal);
  expect(second.ok && second.value).not.toBe(first.value);
  expect(third.ok && third.value).toBe(second.ok && second.value);
  expect(scrub(first.value.reveal())).toBe("‹secret›"); // somebody may still be at it
});

it("what is forbidden to a token costs one new one, and the others of its installation none", async () => {
  fake.repo("acme/other", { private: true });
  const minted = (): number => fake.requests.filter(({ path }) => path.endsWith("/access_tokens")).length;
  for (const repo of ["acme/vault", "acme/other"] as const) await github.refs(repo, {}, signal);
  expect(await readHeads(context, source, signal)).toMatchObject({ ok: true });
  const before = minted();
  fake.mishap({ mishap: { does: "status", status: 403 }, on: /vault\.git/, times: 99 });
  expect(await readHeads(context, source, signal)).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE" } });
  fake.heal();
  for (const repo of ["acme/vault", "acme/other"] as const) await github.refs(repo, {}, signal);
  expect(await readHeads(context, source, signal)).toMatchObject({ ok: true });
  expect(minted() - before).toBe(1);
});

it("what does not answer is asked with one more token, and not for ever", async () => {
  let [given, refused] = [0, 0];
  const odd: GitSource = {
    url,
    auth: async () => {
      given += 1;
      return success(new Secret(`ghs_unknown${given}`));
    },
    refused: () => {
      refused += 1;
    },
  };
  expect(await readHeads(context, odd, signal)).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE" } });
  expect([given, refused]).toEqual([2, 2]);
});

it("what was fetched with a token is not there for whoever names the address without one", async () => {
  const commit = fake.push("acme/vault", "live", { "a.txt": "2" });
  expect(await gitFetch.build(context, { source, commit }, testJob())).toMatchObject({ ok: true });
  expect(await gitFetch.build(context, { source: { url }, commit }, testJob())).toMatchObject({ ok: false });
});

it("the token goes to that address only, and over no redirect", async () => {
  const env = await withAuth(source, signal, async (given) => success(given));
  expect(env).toMatchObject({
    ok: true,
    value: { GIT_CONFIG_KEY_0: `http.${url}.extraHeader`, GIT_CONFIG_VALUE_1: "false" },
  });
});
