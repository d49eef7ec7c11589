import { defineConfig } from "vitest/config";

/** unit: no outside parts · real: Docker, a registry, git, a browser · scenario: the built product from outside. */
const project = (name: string, include: readonly string[], groupOrder: number, testTimeout: number) => ({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    name,
    include: [...include],
    fileParallelism: groupOrder === 0,
    sequence: { groupOrder }, // one project after the other: what is measured in one is not disturbed by the next
    testTimeout,
    hookTimeout: 120_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", ["test/**/*.test.ts", "!test/real/**", "!test/scenario/**"], 0, 10_000),
      project("real", ["test/real/**/*.test.ts"], 1, 120_000),
      project("scenario", ["test/scenario/**/*.test.ts"], 2, 300_000),
    ],
  },
});
