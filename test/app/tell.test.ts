import { Subject } from "rxjs";
import { expect, it } from "vitest";
import type { Io } from "../../src/app/io.ts";
import { tellJobs } from "../../src/app/tell.ts";
import { problem } from "../../src/engine/errors.ts";
import { isJobId } from "../../src/engine/job.ts";
import type { JobView } from "../../src/engine/view.ts";

const id = "2026-11-21/101500-docker-build-1a2b3c4d";
if (!isJobId(id)) throw new Error("an id has another shape now");
const job: JobView = {
  id,
  op: "docker-build",
  term: "me/hello/Dockerfile/branch:live/build",
  description: "docker build Dockerfile of 9fceb02",
  state: "ready",
  build: 1,
  createdMs: 0,
  can: { rebuild: false, cancel: true, start: false },
};
const progress = { done: 1, total: 3, label: "RUN make" };

function told(verbose: boolean, ...changes: readonly Partial<JobView>[]): readonly string[] {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const paint = (_: unknown, text: string): string => text;
  const io: Io = { out: say, err: say, write: say, paint, paintErr: paint, cwd: "/", dockerHost: undefined };
  const jobs = new Subject<JobView>();
  const telling = tellJobs(io, jobs, verbose);
  for (const change of changes) jobs.next({ ...job, ...change });
  telling.unsubscribe();
  jobs.next({ ...job, state: "failed", endedMs: 9 });
  return lines;
}

const line = (state: string): string => `${state.padEnd(12)}${job.id}  ${job.description}  me/hello · live`;

it("tells what a job came to, once, and nothing after it was stopped", () => {
  expect(told(false, {}, { state: "running" }, { state: "running", progress }, { state: "ok", endedMs: 5 })).toEqual([
    line("ok"),
  ]);
});

it("tells what waits for a person, and why a job failed", () => {
  const error = problem("BUILD_FAILED", "RUN make: exit code 2");
  const waiting = { state: "waiting", waitingFor: "confirmation: the threshold is average" } as const;
  expect(told(false, waiting, waiting, { state: "failed", error, endedMs: 5 })).toEqual([
    line("waiting"),
    `${" ".repeat(12)}confirmation: the threshold is average`,
    line("failed"),
    `${" ".repeat(12)}RUN make: exit code 2`,
  ]);
});

it("tells every state, but no progress, when it is to say more", () => {
  expect(told(true, {}, { state: "running" }, { state: "running", progress }, { state: "ok", endedMs: 5 })).toEqual([
    line("ready"),
    line("running"),
    line("ok"),
  ]);
});
