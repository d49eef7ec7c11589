import { digestOf } from "../../src/engine/cache/digest.ts";
import type { JobId } from "../../src/engine/job.ts";
import type { Store, Write } from "../../src/engine/store/store.ts";
import { boxOf } from "../engines/terms.ts";
import { commitOf, trivial } from "./pipeline.ts";

const BATCH = 500;
const FINISHED_MS = 1_795_000_000_000;

/** Fills a store with what an earlier process would have left: for each branch a job, its input and its result. */
export async function record(store: Store, branches: number): Promise<void> {
  for (let from = 0; from < branches; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, branches - from) }, (_, index) => from + index);
    await store.commit(numbers.flatMap(writesOf));
  }
}

function writesOf(branch: number): readonly Write[] {
  const commit = commitOf(branch);
  const key = digestOf({ version: trivial.version, key: trivial.key(commit) });
  const id = `2026-11-20/090000-trivial-${branch.toString(16).padStart(8, "0")}`;
  if (!isJobId(id)) throw new Error(`${id} is no job id`);
  const times = { createdMs: FINISHED_MS, startedMs: FINISHED_MS, endedMs: FINISHED_MS };
  const about = { op: trivial.id, term: boxOf(branch, "build").key, key, description: trivial.describe(commit) };
  const job = { id, ...about, ...times, state: "ok", level: trivial.level, pool: null, log: `job/${id}.log` } as const;
  const result = { op: trivial.id, key, job: id, value: `made of ${commit}`, finishedMs: FINISHED_MS, build: 1 };
  return [
    { put: "job", row: { ...job, events: [], build: 1, error: null, note: null, headline: null } },
    { put: "jobInput", row: { job: id, name: "commit", digest: digestOf(commit), text: commit, changed: true } },
    { put: "result", row: { ...result, error: null, rebuild: false } },
  ];
}

const isJobId = (text: string): text is JobId => /^\d{4}-\d\d-\d\d\/\d{6}-[\w-]+$/.test(text);
