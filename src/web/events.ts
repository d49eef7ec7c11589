import { distinctUntilChanged, map, type Observable, Subscription, share, skip, timer } from "rxjs";
import type { Clock } from "../engine/clock.ts";
import type { GraphChange, View } from "../engine/view.ts";
import { graphJson, jobJson, stepJson } from "./api/json.ts";
import type { EventStream } from "./sse.ts";

const NOTICE_MS = 2_000;
/** What may wait for a slow reader, on top of its snapshot. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

/**
 * The one stream of a page: `snapshot` (the graph), then `step` ({step, changed, added, removed}), `job` (a job's
 * change) and `notice` (banners or the threshold changed, read them again).
 *
 * A reader that is too slow misses steps and gets a new `snapshot` when it has caught up, so it never sees a gap and
 * costs no memory: after any snapshot, read everything again. Every stream begins with `hello`, which names the files
 * that the pages are made with.
 */
export function createEvents(view: View, clock: Clock, assets: string): (stream: EventStream) => void {
  const notices = noticesOf(view, clock);
  // All readers get the same change objects: each is made into text once.
  const texts = new WeakMap<GraphChange, string>();
  const textOf = (change: GraphChange): string => {
    const known = texts.get(change);
    if (known !== undefined) return known;
    const text = JSON.stringify(change.kind === "snapshot" ? graphJson(change.graph) : stepJson(change));
    texts.set(change, text);
    return text;
  };
  return (stream) => {
    stream.send({ event: "hello", data: JSON.stringify({ assets }) });
    follow(view, notices, stream, textOf);
  };
}

function follow(
  view: View,
  notices: Observable<string>,
  stream: EventStream,
  textOf: (change: GraphChange) => string,
): void {
  let subscription = new Subscription();
  let behind = false;
  let snapshotBytes = 0;
  const send = (event: string, data: string): void => {
    if (behind) return;
    if (event === "snapshot") snapshotBytes = data.length;
    else if (stream.bufferedBytes > BUFFERED_BYTES_MAX + snapshotBytes) return fallBehind();
    stream.send({ event, data });
  };
  const fallBehind = (): void => {
    behind = true;
    subscription.unsubscribe();
    void stream.drained().then(start);
  };
  const start = (): void => {
    if (stream.closed.aborted) return;
    behind = false;
    const all = new Subscription();
    subscription = all;
    all.add(view.changes.subscribe((change) => send(change.kind, textOf(change))));
    all.add(view.jobChanges.subscribe((job) => send("job", JSON.stringify(jobJson(job)))));
    all.add(notices.subscribe(() => send("notice", "{}")));
  };
  stream.closed.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
  start();
}

/** Emits when what stands above every page has changed; looked at every two seconds while anybody reads. */
function noticesOf(view: View, clock: Clock): Observable<string> {
  return timer(0, NOTICE_MS, clock.scheduler).pipe(
    map(() => JSON.stringify([view.banners(), view.threshold(), view.storable(), view.ready()])),
    distinctUntilChanged(),
    skip(1),
    share(),
  );
}
