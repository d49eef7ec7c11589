import { type Clock, createClock } from "../../src/engine/clock.ts";
import { Secret } from "../../src/engine/secret.ts";
import { createGitHub, type GitHub } from "../../src/plugins/github/index.ts";
import { FakeGitHub } from "../../src/testing/index.ts";

/** A GitHub with these empty repositories, whose owners have installed the app. */
export async function startFake(...repos: readonly `${string}/${string}`[]): Promise<FakeGitHub> {
  const fake = await FakeGitHub.start();
  for (const repo of repos) fake.repo(repo);
  for (const owner of new Set(repos.map((repo) => repo.split("/")[0] ?? repo))) fake.install(owner);
  return fake;
}

/** @throws {Error} when something that was asked or answered is not as GitHub describes it. */
export async function closeStrictly(fake: FakeGitHub): Promise<void> {
  const { violations } = fake;
  await fake.close();
  if (violations.length > 0) throw new Error(violations.join("\n"));
}

/** The app's client, which does not wait between requests. */
export function clientOf(
  fake: FakeGitHub,
  more: { readonly clock?: Clock; readonly allowlist?: readonly string[] } = {},
): GitHub {
  const app = { id: fake.app.appId, key: new Secret(fake.app.privateKey) };
  return createGitHub({ clock: createClock(), app, api: new URL(fake.apiUrl), polite: false, ...more });
}
