import { defineConfig } from "vitest/config";

/** unit: no outside parts · real: Docker, a registry, git, a browser · scenario: the built product from outside. */
const project = (name: string, include: readonly string[], parallel: boolean, testTimeout: number) => ({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: { name, include: [...include], fileParallelism: parallel, testTimeout, hookTimeout: 120_000 },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", ["test/**/*.test.ts", "!test/real/**", "!test/scenario/**"], true, 10_000),
      project("real", ["test/real/**/*.test.ts"], false, 120_000),
      project("scenario", ["test/scenario/**/*.test.ts"], false, 300_000),
    ],
  },
});
