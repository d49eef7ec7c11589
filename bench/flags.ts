import { parseArgs } from "node:util";
import { rows } from "./cases.ts";

export interface Flags {
  readonly quick: boolean;
  /** Rows to be measured; none: all. */
  readonly only: readonly string[];
  readonly repeat?: number;
  /** Where the results go as JSON, and the picture as SVG. */
  readonly json?: string;
  readonly plot?: string;
  /** Shows an earlier result again instead of measuring. */
  readonly from?: string;
}

export const USAGE = `npm run bench -- [flags]

  --quick            once each, and the long rows left out: under two minutes
  --only ROWS        ${rows.join(",")}
  --repeat N         processes a figure (default 3 or 5, 1 with --quick)
  --json FILE        the results as JSON (default: bench/results/DATE.json)
  --plot FILE        the picture as SVG (default: beside the JSON)
  --from FILE        shows an earlier result again, measures nothing
`;

/** @throws {Error} with a sentence for people. */
export function parseFlags(argv: readonly string[]): Flags | "help" {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: text,
      repeat: text,
      json: text,
      plot: text,
      from: text,
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const only = (values.only ?? "").split(",").filter((row) => row !== "");
  const unknown = only.filter((row) => !rows.includes(row));
  if (unknown.length > 0) throw new Error(`no row is called ${unknown.join(", ")}; there are ${rows.join(", ")}`);
  const repeat = values.repeat === undefined ? undefined : Number(values.repeat);
  if (repeat !== undefined && !(Number.isInteger(repeat) && repeat > 0))
    throw new Error(`--repeat takes a whole number from 1, and not ${values.repeat}`);
  const { json, plot, from } = values;
  return {
    quick: values.quick,
    only,
    ...(repeat === undefined ? {} : { repeat }),
    ...(json === undefined ? {} : { json }),
    ...(plot === undefined ? {} : { plot }),
    ...(from === undefined ? {} : { from }),
  };
}
