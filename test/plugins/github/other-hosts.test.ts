// Whatever an answer names, nothing is sent to another host: a request bears a token.
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { FakeGitHub } from "../../../src/testing/index.ts";
import { clientOf, startFake } from "../../support/github.ts";

const signal = new AbortController().signal;
let fake: FakeGitHub;
let other: Server;
let elsewhere: string;
let callers: number;

beforeEach(async () => {
  fake = await startFake("acme/shop");
  fake.fill("acme/shop", { branches: 110, pulls: 110 });
  callers = 0;
  other = createServer((socket) => {
    callers += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  elsewhere = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
});
afterEach(async () => {
  other.close();
  await fake.close();
});

it.each([
  ["a redirect of a reading", "GET /repos/{owner}/{repo}", "redirect"],
  ["a redirect of a request for a token", "POST /app/installations/{installation_id}/access_tokens", "redirect"],
  ["a redirect of a writing", "POST /repos/{owner}/{repo}/check-runs", "redirect"],
  ["the next page of branches", "GET /repos/{owner}/{repo}/branches", "foreign link"],
  ["the next page of pull requests", "GET /repos/{owner}/{repo}/pulls", "foreign link"],
] as const)("%s", async (_what, on, does) => {
  const github = clientOf(fake);
  fake.mishap({ mishap: { does, to: elsewhere }, on, times: 99 });
  const refs = await github.refs("acme/shop", {}, signal);
  const head_sha = fake.repository("acme/shop").heads.branches.get("main") ?? "";
  const check = await github.ask("acme/shop", "POST /repos/{owner}/{repo}/check-runs", { name: "x", head_sha }, signal);
  const missed = [refs.ok ? refs.value.outdated : refs.error, check.ok ? undefined : check.error];
  expect(missed.filter((failure) => failure !== undefined)).not.toEqual([]);
  expect(callers).toBe(0);
});
