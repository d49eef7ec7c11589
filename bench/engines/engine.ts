import type { Arithmetic } from "../graph/arithmetic.ts";
import type { Plan } from "../graph/plan.ts";

/** A plan at work in one engine. Changes are through before `set` and `setAll` return. */
export interface Graph {
  set(source: number, value: number): void;
  /** All sources, as one change where the engine knows such a thing. */
  setAll(values: readonly number[]): void;
  /** The root as its observer saw it last. */
  readonly root: number;
  /** How often the observer of the root was told. */
  readonly told: number;
  stop(): void;
}

export type Start = (plan: Plan, arithmetic: Arithmetic) => Graph;

export const engineNames = ["millrace", "rxjs", "preact", "alien", "mobx"] as const;
export type EngineName = (typeof engineNames)[number];
export const isEngineName = (text: string): text is EngineName => engineNames.some((name) => name === text);

/** Loads one engine and no other. */
export async function loadEngine(name: EngineName): Promise<Start> {
  switch (name) {
    case "millrace":
      return (await import("./millrace.ts")).startMillrace;
    case "rxjs":
      return (await import("./rxjs.ts")).startRxjs;
    case "preact":
      return (await import("./preact.ts")).startPreact;
    case "alien":
      return (await import("./alien.ts")).startAlien;
    case "mobx":
      return (await import("./mobx.ts")).startMobx;
  }
}

/** The item with a number that was given by whoever made the list. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing has the number ${index} (there are ${items.length})`);
  return item;
}
