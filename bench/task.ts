import type { EngineName } from "./engines/engine.ts";

/** One measurement, made in a process of its own. */
export interface Task {
  readonly work: WorkName;
  readonly engine: EngineName;
  readonly size: number;
  /** star: flat, tiered or unit. */
  readonly mode?: string;
  /** Fewer changes each. */
  readonly quick: boolean;
}

export const workNames = [
  "star",
  "build",
  "shape",
  "depth",
  "async",
  "restart",
  "idle",
  "branch",
  "bookkeeping",
  "burst",
  "webhooks",
  "unsigned",
  "streams",
  "drawing",
  "browser",
] as const;
export type WorkName = (typeof workNames)[number];

/** Figures by name; the unit stands last in each name. */
export type Figures = Readonly<Record<string, number>>;

export type Outcome =
  | { readonly ok: true; readonly figures: Figures; readonly load: number }
  | { readonly ok: false; readonly error: string; readonly load: number };

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads what a measuring process printed; undefined when it is something else. */
export function outcomeIn(text: string): Outcome | undefined {
  const line = text.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return undefined;
  const value: unknown = JSON.parse(line);
  if (!isRecord(value) || typeof value["load"] !== "number") return undefined;
  const { load, error, figures } = value;
  if (typeof error === "string") return { ok: false, error, load };
  return isFigures(figures) ? { ok: true, figures, load } : undefined;
}

const isFigures = (value: unknown): value is Figures =>
  isRecord(value) && Object.values(value).every((figure) => typeof figure === "number");
