import type { Outcome } from "./run.ts";

/** What is said of a seed that fails, with the command that plays it again. */
export const failureText = ({ seed, faults }: Outcome): string =>
  [
    `seed ${seed} fails; npm run sim -- --seed ${seed} --trace`,
    ...faults.map(({ checker, what }) => `  ${checker}: ${what}`),
  ].join("\n");
