export type Checker = "lost" | "duplicate" | "stale" | "truth" | "secret" | "stuck" | "program";

/** What a checker found wrong. */
export interface Fault {
  readonly checker: Checker;
  readonly what: string;
}
