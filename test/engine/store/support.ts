import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import type { JobId } from "../../../src/engine/job.ts";
import { openStore, type StoreOptions } from "../../../src/engine/store/open.ts";
import type { EventRow, IntentRow, JobRow, Store } from "../../../src/engine/store/store.ts";
import type { Failure } from "../../../src/term/output.ts";

/** A directory of this test's own, gone when it ends. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "millrace-store-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface Opened {
  readonly store: Store;
  readonly fatal: readonly Failure[];
}

/** Opens a store that must open; closed when the test ends. */
export async function opened(dir: string, options: Partial<StoreOptions> = {}): Promise<Opened> {
  const fatal: Failure[] = [];
  const onFatal = (error: Failure): void => void fatal.push(error);
  const store = await openStore({ dir, writer: "inline", clock: createClock(), onFatal, ...options });
  if (!store.ok) throw new Error(`${store.error.code}: ${store.error.message}`);
  onTestFinished(() => store.value.close());
  return { store: store.value, fatal };
}

export async function refusal(dir: string, options: Partial<StoreOptions> = {}): Promise<Failure> {
  const store = await openStore({ dir, writer: "inline", clock: createClock(), onFatal: () => {}, ...options });
  if (store.ok) {
    await store.value.close();
    throw new Error("the store opened");
  }
  return store.error;
}

export const asJob = (text: string): JobId => {
  const isId = (id: string): id is JobId => id !== "";
  if (!isId(text)) throw new Error("an empty job id");
  return text;
};

export const event = (id: number, detail = "branch moved"): EventRow => ({
  id,
  atMs: 1_700_000_000_000 + id,
  kind: "poll",
  subject: "acme/web main",
  detail,
});

export const jobRow = (id: string, more: Partial<JobRow> = {}): JobRow => ({
  id: asJob(id),
  op: "docker-build",
  term: "acme/web/Dockerfile/branch:main/build",
  key: "k1",
  description: "build acme/web",
  state: "ready",
  level: "average",
  pool: null,
  log: `job/${id}.log`,
  events: [],
  build: 1,
  createdMs: 1_700_000_000_000,
  startedMs: null,
  endedMs: null,
  error: null,
  note: null,
  headline: null,
  ...more,
});

export const intentRow = (id: string, more: Partial<IntentRow> = {}): IntentRow => ({
  id,
  lane: "swarm:here/web",
  kind: "swarm",
  term: "acme/web/Dockerfile/branch:main/deploy",
  job: asJob("2026-11-21/070000-deploy-1"),
  generation: 1,
  epoch: 1,
  wanted: { image: "sha256:abc" },
  digest: "sha256:abc",
  before: null,
  seenVersion: "",
  state: "planned",
  ref: null,
  evidence: null,
  createdMs: 1,
  endedMs: null,
  ...more,
});
