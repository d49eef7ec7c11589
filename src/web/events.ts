import { distinctUntilChanged, map, type Observable, Subscription, share, skip, timer } from "rxjs";
import type { Clock } from "../engine/clock.ts";
import type { GraphChange, GraphSnapshot, JobView, View } from "../engine/view.ts";
import { graphJson, jobJson, stepJson } from "./api/json.ts";
import { type EventStream, type Frame, frameOf } from "./sse.ts";

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
  const hello = frameOf({ event: "hello", data: JSON.stringify({ assets }) });
  const frames = { changes: changeFrames(), jobs: jobFrames(), notices: noticesOf(view, clock) };
  return (stream) => {
    stream.send(hello);
    follow(view, frames, stream);
  };
}

interface Frames {
  readonly changes: (change: GraphChange) => Frame;
  readonly jobs: (job: JobView) => Frame;
  readonly notices: Observable<Frame>;
}

/** All readers are told the same changes: each is made into bytes once. So is a snapshot, while nothing changes. */
function changeFrames(): Frames["changes"] {
  const kept = new WeakMap<GraphChange, Frame>();
  let last: { readonly graph: GraphSnapshot; readonly frame: Frame } | undefined;
  const snapshot = (graph: GraphSnapshot): Frame => {
    const same =
      last?.graph.step === graph.step && last.graph.nodes === graph.nodes && last.graph.edges === graph.edges;
    if (last === undefined || !same) last = { graph, frame: frameFrom("snapshot", graphJson(graph)) };
    return last.frame;
  };
  return (change) => {
    if (change.kind === "snapshot") return snapshot(change.graph);
    const frame = kept.get(change) ?? frameFrom("step", stepJson(change));
    kept.set(change, frame);
    return frame;
  };
}

function jobFrames(): Frames["jobs"] {
  const kept = new WeakMap<JobView, Frame>();
  return (job) => {
    const frame = kept.get(job) ?? frameFrom("job", jobJson(job));
    kept.set(job, frame);
    return frame;
  };
}

const frameFrom = (event: string, data: unknown): Frame => frameOf({ event, data: JSON.stringify(data) });

function follow(view: View, frames: Frames, stream: EventStream): void {
  let subscription = new Subscription();
  let behind = false;
  let snapshotBytes = 0;
  const send = (frame: Frame, first = false): void => {
    if (behind) return;
    if (first) snapshotBytes = frame.length;
    else if (stream.bufferedBytes > BUFFERED_BYTES_MAX + snapshotBytes) return fallBehind();
    stream.send(frame);
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
    all.add(view.changes.subscribe((change) => send(frames.changes(change), change.kind === "snapshot")));
    all.add(view.jobChanges.subscribe((job) => send(frames.jobs(job))));
    all.add(frames.notices.subscribe((notice) => send(notice)));
  };
  stream.closed.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
  start();
}

/** Emits when what stands above every page has changed; looked at every two seconds while anybody reads. */
function noticesOf(view: View, clock: Clock): Observable<Frame> {
  const notice = frameOf({ event: "notice", data: "{}" });
  return timer(0, NOTICE_MS, clock.scheduler).pipe(
    map(() => JSON.stringify([view.banners(), view.threshold(), view.storable(), view.ready()])),
    distinctUntilChanged(),
    skip(1),
    map(() => notice),
    share(),
  );
}
