import { distinctUntilChanged, map, type Observable, Subscription, share, skip, timer } from "rxjs";
import type { Clock } from "../engine/clock.ts";
import type { GraphChange, GraphSnapshot, JobView, View } from "../engine/view.ts";
import { graphJson, jobJson, stepJson } from "./api/json.ts";
import { folded } from "./graph/fold.ts";
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
export function createEvents(view: View, clock: Clock, assets: string): SendEvents {
  const hello = frameOf({ event: "hello", data: JSON.stringify({ assets }) });
  const shared = { jobs: jobFrames(), notices: noticesOf(view, clock), steps: stepFrames() };
  const whole = { ...shared, snapshot: snapshotFrames((graph) => graph) };
  const drawn = { ...shared, snapshot: snapshotFrames((graph) => drawnGraph(view, graph)) };
  return (stream, part) => {
    stream.send(hello);
    follow(view, part === "drawn" ? drawn : whole, stream);
  };
}

/** `drawn`: of thousands of checks the snapshot has those that are drawn only; steps are told as they are. */
export type SendEvents = (stream: EventStream, part: "whole" | "drawn") => void;

/** What `/pipeline.svg` shows. */
function drawnGraph(view: View, { step, structure }: GraphSnapshot): GraphSnapshot {
  const groups = view.groups().map((group) => folded(group));
  return {
    step,
    structure,
    nodes: groups.flatMap(({ boxes }) => boxes),
    edges: groups.flatMap(({ edges }) => edges),
  };
}

interface Frames {
  readonly snapshot: (graph: GraphSnapshot) => Frame;
  readonly steps: (step: GraphStep) => Frame;
  readonly jobs: (job: JobView) => Frame;
  readonly notices: Observable<Frame>;
}

type GraphStep = Extract<GraphChange, { readonly kind: "step" }>;

/** While nothing changes a snapshot is made into bytes once, however many read it. */
function snapshotFrames(partOf: (graph: GraphSnapshot) => GraphSnapshot): Frames["snapshot"] {
  let last: { readonly graph: GraphSnapshot; readonly frame: Frame } | undefined;
  return (graph) => {
    const same =
      last?.graph.step === graph.step && last.graph.nodes === graph.nodes && last.graph.edges === graph.edges;
    if (last === undefined || !same) last = { graph, frame: frameFrom("snapshot", graphJson(partOf(graph))) };
    return last.frame;
  };
}

/** All readers are told the same steps: each is made into bytes once. */
function stepFrames(): Frames["steps"] {
  const kept = new WeakMap<GraphStep, Frame>();
  return (step) => {
    const frame = kept.get(step) ?? frameFrom("step", stepJson(step));
    kept.set(step, frame);
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
    all.add(
      view.changes.subscribe((change) => {
        if (change.kind === "snapshot") send(frames.snapshot(change.graph), true);
        else send(frames.steps(change));
      }),
    );
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
