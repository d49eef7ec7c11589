import { expect, it } from "vitest";
import { writersOf } from "../../src/app/checks.ts";
import { createClock } from "../../src/engine/clock.ts";
import { problem } from "../../src/engine/errors.ts";
import type { GitHub } from "../../src/plugins/github/index.ts";
import { failure, success } from "../../src/term/output.ts";

const { signal } = new AbortController();

it("two commits are compared once, for as long as they are among the last twenty; what failed is asked again", async () => {
  const asked: string[] = [];
  let isDown = true;
  const ask = async (_repo: string, _route: string, { basehead }: { readonly basehead: string }) => {
    asked.push(basehead);
    return isDown
      ? failure(problem("FORGE_UNREACHABLE", "502"))
      : success({ merge_base_commit: { sha: "c0" }, files: [] });
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is used
  const writers = writersOf({ ask } as unknown as GitHub, createClock());
  const compare = async (commit: string) => (await writers.changes?.("acme/web", "base", commit, signal))?.ok;
  expect(await compare("c1")).toBe(false);
  isDown = false;
  expect([await compare("c1"), await compare("c1")]).toEqual([true, true]);
  expect(asked).toEqual(["base...c1", "base...c1"]);
  for (let at = 2; at <= 20; at += 1) await compare(`c${at}`);
  await compare("c1"); // used again: it is not the oldest any more
  await compare("c21");
  asked.length = 0;
  expect([await compare("c1"), await compare("c2")]).toEqual([true, true]);
  expect(asked).toEqual(["base...c2"]);
});
