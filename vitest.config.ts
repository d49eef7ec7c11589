import { defineConfig } from "vitest/config";

/** Each group after the one before. */
interface Group {
  readonly order: number;
  /** Test files at a time; by default as many as there are cores. */
  readonly maxWorkers?: number;
  readonly testTimeout: number;
}

/** A container that comes or goes changes the machine's networks, for which Chromium ends its requests. */
const BROWSER = "test/real/pages.test.ts";
/** Killing at one write of many is aimed by the order of answers: nothing else may take the processor then. */
const KILLS = "test/scenario/kill*.test.ts";

const project = (name: string, include: readonly string[], { order, maxWorkers, testTimeout }: Group) => ({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    name,
    include: [...include],
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
    sequence: { groupOrder: order },
    testTimeout,
    hookTimeout: 120_000,
  },
});

/**
 * unit: no outside parts · real: Docker, a registry, git, a browser · scenario: the built product from outside. What has
 * to be alone is a project of its own, which `npm test -- real` and `npm test -- scenario` mean too. Files with outside
 * parts mostly wait: two at a time fit on two cores.
 */
export default defineConfig({
  test: {
    projects: [
      project("unit", ["test/**/*.test.ts", "!test/real/**", "!test/scenario/**"], { order: 0, testTimeout: 10_000 }),
      project("real", ["test/real/**/*.test.ts", `!${BROWSER}`], { order: 1, maxWorkers: 2, testTimeout: 120_000 }),
      project("real-alone", [BROWSER], { order: 2, maxWorkers: 1, testTimeout: 120_000 }),
      project("scenario", ["test/scenario/**/*.test.ts", `!${KILLS}`], {
        order: 3,
        maxWorkers: 2,
        testTimeout: 300_000,
      }),
      project("scenario-alone", [KILLS], { order: 4, maxWorkers: 1, testTimeout: 300_000 }),
    ],
  },
});
