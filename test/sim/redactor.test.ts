import { expect, it, vi } from "vitest";
import { find } from "./find.ts";

const SEEDS = 20;

vi.mock("../../src/engine/secret.ts", async (original) => ({
  ...(await original<object>()),
  scrub: (text: string) => text,
  secretsIn: () => [],
  unfinishedSecret: () => 0,
}));

it.each(["the database", "a log", "the services"])(
  `the simulation notices that secrets are not masked in %s any more, within ${SEEDS} seeds`,
  async (where) => {
    const found = await find(
      SEEDS,
      () => ({}),
      ({ checker, what }) => checker === "secret" && what.endsWith(`in ${where}`),
    );
    expect(found?.seed).toBeLessThanOrEqual(SEEDS);
  },
  60_000,
);
