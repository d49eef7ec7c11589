// What is used of the rivals. They are installed by `npm run bench` only, and the project is checked without them.

declare module "@preact/signals-core" {
  interface Signal {
    readonly value: number;
  }
  export function signal(value: number): { value: number };
  export function computed(compute: () => number): Signal;
  export function effect(run: () => void): () => void;
  export function batch(work: () => void): void;
}

declare module "alien-signals" {
  interface Source {
    (): number;
    (value: number): void;
  }
  export function signal(value: number): Source;
  export function computed(compute: () => number): () => number;
  export function effect(run: () => void): () => void;
  export function startBatch(): void;
  export function endBatch(): void;
}

declare module "mobx" {
  interface Box {
    get(): number;
    set(value: number): void;
  }
  export const observable: { box(value: number, options: { readonly deep: boolean }): Box };
  export function computed(compute: () => number): { get(): number };
  export function autorun(run: () => void): () => void;
  export function runInAction(work: () => void): void;
  export function configure(options: { readonly enforceActions: "never" }): void;
}
