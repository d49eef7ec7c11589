import { filter } from "rxjs";
import type { View } from "../engine/view.ts";
import { jobJson } from "./api/json.ts";
import { type EventStream, frameOf } from "./sse.ts";

const CHUNK_BYTES = 64 * 1024;

/**
 * Sends a job's log from byte `from`: events without a name, `{from, next, text}` with the id `next`; `job` when the
 * job changes; `end` when it has ended and all is sent. The log's writer only wakes us, and each reader reads the file
 * at its own offset, so a slow one costs one chunk.
 */
export async function streamLog(view: View, stream: EventStream, id: string, from: number): Promise<void> {
  const tail = tailOf(view, id, stream.closed);
  const jobs = view.jobChanges
    .pipe(filter((job) => job.id === id))
    .subscribe((job) => stream.send(frameOf({ event: "job", data: JSON.stringify(jobJson(job)) })));
  try {
    await sendAll(view, stream, id, from, tail);
  } finally {
    tail.stop();
    jobs.unsubscribe();
  }
}

async function sendAll(view: View, stream: EventStream, id: string, from: number, tail: Tail): Promise<void> {
  let next = Math.min(from, (await view.log.size(id)) ?? 0);
  while (!stream.closed.aborted) {
    const { ended, version } = tail.now(); // before the read, so that what comes during it is not missed
    const chunk = await view.log.read(id, next, CHUNK_BYTES);
    if (chunk.length > 0) {
      const data = { from: next, next: next + chunk.length, text: Buffer.from(chunk).toString("utf8") };
      next = data.next;
      if (!stream.send(frameOf({ id: next, data: JSON.stringify(data) }))) await stream.drained();
    } else if (ended) {
      stream.send(frameOf({ event: "end", id: next, data: JSON.stringify({ next, state: view.job(id)?.state }) }));
      return stream.end();
    } else await tail.after(version);
  }
}

type Tail = ReturnType<typeof tailOf>;

/** Counts the growths of a log and lets one reader wait for the next. */
function tailOf(view: View, id: string, closed: AbortSignal) {
  let version = 0;
  let ended = false;
  let wake = (): void => {};
  const moved = (): void => {
    version += 1;
    wake();
  };
  const finish = (): void => {
    ended = true;
    moved();
  };
  const subscription = view.log.grows(id).subscribe({ next: moved, complete: finish, error: finish });
  closed.addEventListener("abort", moved, { once: true });
  return {
    now: () => ({ ended, version }),
    /** Resolves when the log has grown since `seen`, has ended, or the reader has left. */
    after: (seen: number): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
        if (version !== seen || closed.aborted) resolve();
      }),
    stop: () => subscription.unsubscribe(),
  };
}
