// What git reads with a token: from a private repository of a strict GitHub on this machine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { authEnvironment } from "../../../src/plugins/git/auth.ts";
import { createGit, type GitSource, gitFetch, readHeads } from "../../../src/plugins/git/index.ts";
import { createGitHub } from "../../../src/plugins/github/index.ts";
import { FakeGitHub } from "../../../src/testing/index.ts";
import { testJob } from "../../support/job.ts";

const signal = new AbortController().signal;
const state = mkdtempSync(join(tmpdir(), "millrace-auth-"));
const context = createGit(state, createClock());
let fake: FakeGitHub;
let source: GitSource;
let url: string;

beforeAll(async () => {
  fake = await FakeGitHub.start();
  fake.repo("acme/vault", { private: true });
  fake.install("acme");
  const app = { id: fake.app.appId, key: new Secret(fake.app.privateKey) };
  const github = createGitHub({ clock: createClock(), app, api: new URL(fake.apiUrl) });
  url = github.gitUrl("acme/vault");
  source = { url, auth: (during) => github.gitAuth("acme/vault", during) };
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
  expect(await readHeads(context, { url }, signal)).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE" } });
});

it("what was fetched with a token is not there for whoever names the address without one", async () => {
  const commit = fake.push("acme/vault", "live", { "a.txt": "2" });
  expect(await gitFetch.build(context, { source, commit }, testJob())).toMatchObject({ ok: true });
  expect(await gitFetch.build(context, { source: { url }, commit }, testJob())).toMatchObject({ ok: false });
});

it("the token goes to that address only, and over no redirect", async () => {
  const env = await authEnvironment(source, signal);
  expect(env).toMatchObject({
    ok: true,
    value: { GIT_CONFIG_KEY_0: `http.${url}.extraHeader`, GIT_CONFIG_VALUE_1: "false" },
  });
});
