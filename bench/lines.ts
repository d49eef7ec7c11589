import type { EngineName } from "./engines/engine.ts";
import type { Unit } from "./maths.ts";

export type Rival = Exclude<EngineName, "millrace"> | "ocurrent";

/** What is to be reached, by its number in `doc/performance.md`. */
export interface Goal {
  readonly number: number;
  readonly atMost?: number;
  readonly exactly?: number;
  /** How many times more (or less, where more is better) a rival has to take. */
  readonly times?: Partial<Record<Rival, number>>;
}

/** One line of the report: a figure of a case, with what it is compared with. */
export interface Line {
  readonly row: string;
  readonly title: string;
  /** The case (see `cases.ts`) and the name of its figure. */
  readonly of: string;
  readonly figure: string;
  readonly unit: Unit;
  /** Shown as a ratio to the same figure of this case. */
  readonly per?: string;
  /** Compared with this other figure of the same process: the plain way of doing the same. */
  readonly plain?: { readonly figure: string; readonly name: string };
  /** OCurrent's figure, in the unit of the line. */
  readonly ocurrent?: number;
  /** A larger figure is the better one. */
  readonly moreIsBetter?: true;
  readonly goal?: Goal;
}

/**
 * OCurrent's figures cannot be measured by `npm run bench`: it is written in OCaml. They are quoted.
 *
 * @source Measured for the project's reference with ocurrent/ocurrent on a 2-core Debian 12 machine, OCaml 4.13.1,
 *   fresh process a figure, medians. Where a range was measured, its better end is quoted.
 */
export const QUOTED = "ocurrent/ocurrent, measured on a 2-core Debian 12 machine with OCaml 4.13.1";

const count = (size: number): string => size.toLocaleString("en-US");

type More = Omit<Line, "row" | "of" | "figure" | "unit" | "title">;

/** What is shown of one figure of one case: its title and unit, and what it is compared with. */
type Shown = readonly [figure: string, title: string, unit: Unit, more?: More | undefined];

const linesOf = (row: string, of: string, shown: readonly Shown[]): readonly Line[] =>
  shown.map(([figure, title, unit, more]) => ({ row, of, figure, title, unit, ...more }));

const goal = (number: number, limits: Omit<Goal, "number">): Pick<Line, "goal"> => ({ goal: { number, ...limits } });

const star: readonly Line[] = [
  ...linesOf("star", "star flat 1000", [
    ["anyUs", "one source of 1,000, any", "µs"],
    ["allMs", "all sources of 1,000", "ms"],
  ]),
  ...linesOf("star", "star flat 10000", [
    [
      "anyUs",
      "one source of 10,000, any",
      "µs",
      { ocurrent: 1_054, ...goal(1, { atMost: 10, times: { ocurrent: 100, preact: 5, alien: 5, rxjs: 3 } }) },
    ],
    ["firstUs", "one source of 10,000, the first", "µs", { ocurrent: 5, ...goal(1, { atMost: 10 }) }],
    ["lastUs", "one source of 10,000, the last", "µs", { ocurrent: 3_258, ...goal(1, { atMost: 10 }) }],
    ["allMs", "all sources of 10,000", "ms", { ocurrent: 83 }],
  ]),
  ...linesOf("star", "star flat 100000", [
    [
      "anyUs",
      "one source of 100,000, any",
      "µs",
      { ocurrent: 24_399, ...goal(2, { atMost: 20, times: { ocurrent: 800, alien: 40, rxjs: 11 } }) },
    ],
    ["firstUs", "one source of 100,000, the first", "µs", goal(2, { atMost: 20 })],
    ["lastUs", "one source of 100,000, the last", "µs", { ocurrent: 65_361, ...goal(2, { atMost: 20 }) }],
    ["anyUs", "· any: 100,000 to 1,000 terms", "times", { per: "star flat 1000", ...goal(2, { atMost: 3 }) }],
    [
      "allMs",
      "all sources of 100,000",
      "ms",
      { ocurrent: 1_085, ...goal(3, { atMost: 15, times: { ocurrent: 70, rxjs: 300 } }) },
    ],
    ["allTold", "· the root was told", "times", goal(3, { exactly: 1 })],
  ]),
  ...[1_000, 10_000, 100_000].flatMap((size) => [
    ...modeLines("tiered", size, "a join a repository"),
    ...modeLines("unit", size, "cut off at the status"),
  ]),
];

function modeLines(mode: string, size: number, about: string): readonly Line[] {
  return linesOf("star", `star ${mode} ${size}`, [
    ["anyUs", `one source of ${count(size)}, ${about}`, "µs"],
    ["allMs", `all sources of ${count(size)}, ${about}`, "ms"],
  ]);
}

const builds: readonly Line[] = [
  ...linesOf("build", "build 10000", [
    [
      "coldMs",
      "cold build of 10,000 terms",
      "ms",
      { ocurrent: 142, ...goal(6, { atMost: 35, times: { ocurrent: 4 } }) },
    ],
  ]),
  ...linesOf("build", "build 100000", [
    [
      "coldMs",
      "cold build of 100,000 terms",
      "ms",
      { ocurrent: 1_518, ...goal(6, { atMost: 250, times: { ocurrent: 6 } }) },
    ],
  ]),
  ...linesOf("build", "star flat 100000", [
    [
      "termB",
      "memory a term of 100,000 (RSS)",
      "B",
      { ocurrent: 2_230, ...goal(7, { atMost: 600, times: { ocurrent: 3.7 } }) },
    ],
  ]),
];

const toldOnce = goal(4, { exactly: 1 });
const notMixed = goal(4, { exactly: 0 });

const shapes: readonly Line[] = [
  ...linesOf("ladder", "ladder 16", [
    ["told", "16 diamonds: its end was told", "times"],
    ["mixed", "16 diamonds: mixed inputs", "times"],
  ]),
  ...linesOf("ladder", "ladder 100", [
    ["told", "100 diamonds: its end was told", "times", toldOnce],
    ["mixed", "100 diamonds: mixed inputs", "times", notMixed],
    ["changeUs", "100 diamonds: one change", "µs"],
  ]),
  ...linesOf("ladder", "ladder of jobs", [
    ["told", "100 diamonds of jobs: its end was told", "times", toldOnce],
    ["mixed", "100 diamonds of jobs: mixed inputs", "times", notMixed],
  ]),
  ...linesOf("comb", "comb 100", [
    ["told", "comb of 100: its end was told", "times"],
    ["mixed", "comb of 100: mixed inputs", "times"],
    ["changeUs", "comb of 100: one change", "µs"],
  ]),
  ...linesOf("chain", "chain 100000", [
    [
      "changeUs",
      "100,000 deep: one change",
      "µs",
      { ocurrent: 76_000, ...goal(5, { atMost: 40_000, times: { ocurrent: 2 } }) },
    ],
  ]),
  ...linesOf("chain", "chain depth", [
    [
      "deepest",
      "deepest chain that is right",
      "",
      { moreIsBetter: true, ...goal(5, { times: { rxjs: 25, preact: 25, alien: 25, mobx: 25 } }) },
    ],
  ]),
];

const engine: readonly Line[] = [
  ...linesOf("restart", "restart 10000", [
    [
      "restartMs",
      "restart on 10,000 results",
      "ms",
      { ocurrent: 490, ...goal(8, { atMost: 100, times: { ocurrent: 5 } }) },
    ],
    ["openMs", "· of it, opening the store", "ms"],
    ["rerun", "· jobs run again", "", goal(8, { exactly: 0 })],
  ]),
  ...linesOf("job", "restart 10000", [
    ["anyJobMs", "one job among 10,000, any: engine", "ms", goal(9, { atMost: 0.5 })],
    [
      "firstJobMs",
      "one job among 10,000, the first",
      "ms",
      { ocurrent: 1.7, ...goal(9, { atMost: 0.5, times: { ocurrent: 3 } }) },
    ],
    [
      "lastJobMs",
      "one job among 10,000, the last",
      "ms",
      { ocurrent: 48.6, ...goal(9, { atMost: 0.5, times: { ocurrent: 97 } }) },
    ],
    ["jobsAChange", "· jobs run for each", "", goal(9, { exactly: 1 })],
  ]),
  ...linesOf("idle", "idle 10000", [
    [
      "idleUs",
      "a step without a change, 10,000 jobs",
      "µs",
      { ocurrent: 300, ...goal(10, { atMost: 2, times: { ocurrent: 150 } }) },
    ],
    ["idleUs", "· 10,000 to 1,000 jobs", "times", { per: "idle 1000", ...goal(10, { atMost: 1.5 }) }],
  ]),
  ...branchLines(2_000, 13.6, 136),
  ...branchLines(20_000, 215, 2_150),
  ...linesOf("bookkeeping", "bookkeeping", [
    [
      "jobCpuMs",
      "a job with nothing to do: CPU",
      "ms",
      { ocurrent: 0.5, ...goal(12, { atMost: 0.1, times: { ocurrent: 5 } }) },
    ],
    ["jobMainMs", "· of it, on the main thread", "ms"],
  ]),
];

function branchLines(size: number, ocurrent: number, times: number): readonly Line[] {
  return linesOf("branch", `branch ${size}`, [
    [
      "addMs",
      `add a branch to ${count(size)}`,
      "ms",
      { ocurrent, ...goal(11, { atMost: 0.1, times: { ocurrent: times } }) },
    ],
    ["removeMs", `remove one of ${count(size)}`, "ms", goal(11, { atMost: 0.1 })],
  ]);
}

const single = (figure: string): More => ({ plain: { figure, name: "commit an event" } });

const outside: readonly Line[] = [
  ...linesOf("burst", "burst", [
    ["groupedMs", "1,000 × 20 kB, 50 at a time: p99", "ms", single("singleMs")],
    ["groupedMedianMs", "the same: median", "ms", single("singleMedianMs")],
    ["transactions", "· transactions for them", ""],
    ["lost", "· lost", ""],
  ]),
  ...linesOf("webhooks", "webhooks", [
    ["p99Ms", "1,000 signed deliveries of 20 kB, 50 at a time: p99", "ms", goal(14, { atMost: 500 })],
    ["p50Ms", "the same: median", "ms"],
    ["maxMs", "the same: the longest", "ms"],
    ["lost", "· lost", "", goal(14, { exactly: 0 })],
    ["aSecond", "· answered in a second", "", { moreIsBetter: true }],
    ["serverCpuMs", "· CPU of the server for all of them", "ms"],
    ["clientCpuMs", "· CPU of those who send them", "ms"],
  ]),
  ...linesOf("unsigned", "unsigned", [
    ["growthMB", "a body of 200 MB that nobody signed: memory", "MB", goal(14, { atMost: 30 })],
    ["bodyCpuMs", "· CPU of the server for it", "ms"],
    ["taken", "· taken", "", goal(14, { exactly: 0 })],
  ]),
  ...linesOf("streams", "streams", [
    ["p99Ms", "a state to 200 open pages: p99", "ms", goal(15, { atMost: 50 })],
    ["p50Ms", "the same: median", "ms"],
    ["missed", "· missed", "", goal(15, { exactly: 0 })],
  ]),
  ...pictureLines(500, 60, {}),
  ...pictureLines(2_000, 610, {}),
  ...pictureLines(5_000, 6_800, {
    first: goal(13, { atMost: 2_000 }),
    delay: goal(13, { atMost: 20 }),
    repo: goal(13, { atMost: 10 }),
    layouts: goal(13, { exactly: 0 }),
  }),
  ...linesOf("browser", "browser", [
    ["paintMs", "500 boxes open: 99 change their state", "ms", goal(13, { atMost: 50 })],
    ["changedBoxes", "· boxes that were recoloured", ""],
  ]),
];

function pictureLines(
  size: number,
  ocurrent: number,
  goals: Partial<Record<"first" | "delay" | "repo" | "layouts", Pick<Line, "goal">>>,
): readonly Line[] {
  return linesOf("drawing", `drawing ${size}`, [
    ["firstCpuMs", `${count(size)} boxes: first picture, CPU`, "ms", { ocurrent, ...goals.first }],
    ["firstDelayMs", "· longest delay of the main loop", "ms", goals.delay],
    ["repoMs", `${count(size)} boxes: one repository changed`, "ms", { ocurrent, ...goals.repo }],
    ["repoLayoutMs", "· of it, its layout", "ms"],
    ["stateMs", `${count(size)} boxes: only a state changed`, "ms", { ocurrent }],
    ["stateLayouts", "· layouts for it", "", goals.layouts],
  ]);
}

/** In the order of the report. */
export const lines: readonly Line[] = [...star, ...builds, ...shapes, ...engine, ...outside];
