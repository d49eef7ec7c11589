// How many checks are queued or built at once, and that no deploy waits for any.
import { describe, expect, it } from "vitest";
import { withChecks } from "../../src/app/checks.ts";
import { connect } from "../../src/app/connect.ts";
import { Secret } from "../../src/engine/secret.ts";
import type { CheckHead } from "../../src/pipeline/check-heads.ts";
import { confinementOf } from "../../src/pipeline/may-build.ts";
import { createRig } from "../../src/testing/index.ts";

const patient = new AbortController().signal;
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

function scene() {
  const connected = connect(createRig().engine, {
    dockerHost: "unix:///nowhere",
    pipeline: "/nowhere/pipeline.ts",
    flavour: "demo",
    scratch: "/nowhere",
    github: { app: { id: 1, key: new Secret("none") } },
  });
  if (!connected.ok) throw new Error(connected.error.message);
  const ports = withChecks(connected.value, undefined);
  if (!ports.ok || ports.value.checks === undefined) throw new Error("no checks");
  const { checks, build, pools } = ports.value;
  let pull = 0;
  /** A pull request asks for its place; `ends` gives it back. */
  const asks = (author: number, fork: number, repository: number, grounds: "writer" | "approved" = "writer") => {
    pull += 1;
    const from = { pull, author: { id: author, login: "x" }, fork: { id: fork, name: "x/y" as const }, base: "main" };
    const head: CheckHead = { name: `pr:${pull}`, label: "", commit: `c${pull}`, repository, ages: false, from };
    const { shares } = confinementOf({ head, grounds }, false);
    const asked = { builds: false, ends: () => {} };
    void checks.build
      .poolFor(shares)
      .acquire(patient)
      .then((giveBack) => {
        Object.assign(asked, { builds: true, ends: giveBack });
      });
    return asked;
  };
  const pool = pools.find(({ name }) => name === "docker-check");
  return { asks, build, pools, queue: () => [pool?.used, pool?.waiting] };
}

describe("checks at once", () => {
  it("are two of an author, also by several forks and repositories, approved or not; others pass", async () => {
    const { asks, queue } = scene();
    const greedy = [asks(66, 1, 5), asks(66, 2, 6, "approved"), asks(66, 3, 7), asks(66, 4, 8)];
    const other = asks(77, 9, 5);
    await settle();
    expect([...greedy, other].map(({ builds }) => builds)).toEqual([true, true, false, false, true]);
    expect(queue()).toEqual([3, 0]);
    greedy[0]?.ends();
    await settle();
    expect(greedy.map(({ builds }) => builds)).toEqual([true, true, true, false]);
  });

  it("are two of a fork, whoever asks for them", async () => {
    const { asks, queue } = scene();
    const same = [asks(1, 9, 5), asks(2, 9, 5), asks(3, 9, 5)];
    await settle();
    expect([same.map(({ builds }) => builds), queue()]).toEqual([
      [true, true, false],
      [2, 0],
    ]);
  });

  it("are five of a repository's pull requests, queued ones included: the next of another one is before the sixth", async () => {
    const { asks, queue } = scene();
    const [first, ...rest] = Array.from({ length: 8 }, (_, at) => asks(at, at, 5));
    await settle();
    expect(queue()).toEqual([3, 2]);
    const other = asks(99, 99, 6);
    await settle();
    expect(queue()).toEqual([3, 3]);
    for (const one of [first, rest[0], rest[1]]) one?.ends();
    await settle();
    expect(other.builds).toBe(true);
    expect(rest.map(({ builds }) => builds)).toEqual([true, true, true, true, false, false, false]);
  });

  it("take no place of a deploy", async () => {
    const { asks, build, pools } = scene();
    for (let at = 0; at < 20; at += 1) asks(at, at, at);
    await settle();
    const deploy = await build.pool.acquire(patient);
    expect(deploy).toBeDefined();
    expect(pools.map(({ name, used }) => `${name}: ${used}`)).toEqual([
      "docker-build: 1",
      "docker-push: 0",
      "docker-check: 3",
    ]);
  });
});
