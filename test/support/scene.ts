import { problem } from "../../src/engine/errors.ts";
import { event, FakeView, input, jobId, makeJob, makeNode } from "./view.ts";

const MINUTE_MS = 60_000;
export const RUNNING = "2026-11-21/101502-docker-build-4be1";
export const WAITING = "2026-11-21/101540-swarm-9a0c";
export const FAILED = "2026-11-21/094410-docker-build-77aa";
const DEPLOYED = "2026-11-21/093200-swarm-b001";

/** A deployer in the middle of a day: one roll-out at work, one waiting, one broken, one stale source. */
export function busyDay(nowMs: number): FakeView {
  const view = new FakeView();
  addGraph(view, nowMs);
  addJobs(view, nowMs);
  view.targets = [
    service("hello", "ok", nowMs - 42 * MINUTE_MS, "hello@sha256:9c1d2e03", "hello@sha256:9c1d2e03"),
    service("hello-staging", "running", nowMs - 130 * MINUTE_MS, "hello@sha256:77d01e24", "hello@sha256:9c1d2e03"),
    service("billing", "blocked", nowMs - 3 * 24 * 60 * MINUTE_MS, undefined, "billing@sha256:51aa90cd"),
    { ...service("reports", "waiting", undefined, "reports@sha256:aa17c2e9", undefined), detail: "waits for a person" },
  ];
  view.notices = [{ code: "NO_LOGIN", level: "info", text: "No login provider is set up: everybody may read." }];
  view.confirmAt = "dangerous";
  return view;
}

const service = (
  name: string,
  state: "ok" | "running" | "blocked" | "waiting",
  sinceMs: number | undefined,
  wanted: string | undefined,
  running: string | undefined,
) => ({
  term: `demo/${name}/Dockerfile/branch:live/swarm`,
  name,
  kind: "swarm",
  host: "here",
  place: name,
  source: `demo/${name} live`,
  state,
  detail: "",
  drift: "report" as const,
  adoptable: false,
  ...(name === "hello" ? { url: "https://hello.example.org" } : {}),
  ...(sinceMs === undefined ? {} : { sinceMs, job: jobId(DEPLOYED) }),
  ...(wanted === undefined ? {} : { wanted }),
  ...(running === undefined ? {} : { running }),
});

function addGraph(view: FakeView, nowMs: number): void {
  const node = (repo: string, name: string, more: Parameters<typeof makeNode>[1]) =>
    makeNode(`${repo}/${name}`, { group: repo, at: "pipeline.ts:12", ...more });
  const failed = { ...problem("BUILD_FAILED", "RUN npm ci ended with exit status 1: missing package-lock.json") };
  const stale = problem("REPO_UNREACHABLE", "git ls-remote https://git.example.org/reports.git: connection refused");
  view.nodes = [
    node("demo/hello", "head", { kind: "head", label: "demo/hello\nlive", detail: "at 77d01e2" }),
    node("demo/hello", "fetch", { kind: "value", label: "fetch 77d01e2", detail: "in the cache" }),
    node("demo/hello", "build", {
      label: "build Dockerfile",
      state: "running",
      progress: { done: 3, total: 7, label: "RUN npm ci" },
      detail: "RUN npm ci, for 42 s, usually 2 m 10",
      job: jobId(RUNNING),
    }),
    node("demo/hello", "push", { kind: "push", label: "push registry:5000/\nhello", state: "blocked" }),
    node("demo/hello", "tag", { kind: "tag", label: "tag hello:live", state: "blocked" }),
    node("demo/hello", "deploy", {
      kind: "deploy",
      label: "swarm hello-staging\non here",
      state: "ok",
      updating: "waiting",
      job: jobId(WAITING),
      detail: "waits for the build",
    }),
    node("demo/hello", "deploy2", { kind: "deploy", label: "swarm hello\non here", detail: "hello@sha256:9c1d2e03" }),
    node("demo/billing", "head", { kind: "head", label: "demo/billing\nlive", detail: "at 0a1b2c3" }),
    node("demo/billing", "base", { kind: "value", label: "base image\nnode:20-slim" }),
    node("demo/billing", "build", {
      label: "build a/very/long/path/to/some/Dockerfile.production for the invoices",
      state: "failed",
      failure: failed,
      detail: failed.message,
      job: jobId(FAILED),
    }),
    node("demo/billing", "deploy", { kind: "deploy", label: "swarm billing\non here", state: "blocked" }),
    node("demo/reports", "head", {
      kind: "head",
      label: "demo/reports\nmain",
      staleSinceMs: nowMs - 12 * MINUTE_MS,
      failure: { ...stale, retryAtMs: nowMs + 48_000 },
      detail: "cannot be read since 10:03; 5c3a91f is used",
    }),
    node("demo/reports", "build", { label: "build Dockerfile", state: "ready", detail: "queued in docker-build" }),
    node("demo/reports", "deploy", { kind: "deploy", label: "swarm reports\non here", state: "waiting" }),
  ];
  const edge = (from: string, to: string, dashed = false) => ({ from, to, dashed });
  view.edges = [
    ...["head>fetch", "fetch>build", "build>push", "push>tag", "push>deploy", "deploy>deploy2"].map((pair) => {
      const [from = "", to = ""] = pair.split(">");
      return edge(`demo/hello/${from}`, `demo/hello/${to}`, pair === "deploy>deploy2");
    }),
    edge("demo/billing/head", "demo/billing/build"),
    edge("demo/billing/base", "demo/billing/build"),
    edge("demo/hello/push", "demo/billing/build"),
    edge("demo/billing/build", "demo/billing/deploy"),
    edge("demo/reports/head", "demo/reports/build"),
    edge("demo/reports/build", "demo/reports/deploy"),
  ];
}

function addJobs(view: FakeView, nowMs: number): void {
  const history = [1, 2, 3].map((day) =>
    makeJob(`2026-11-1${day}/080000-docker-build-00a${day}`, {
      createdMs: nowMs - day * 86_400_000,
      startedMs: nowMs - day * 86_400_000,
      endedMs: nowMs - day * 86_400_000 + 118_000 + day * 7_000,
      state: day === 2 ? "failed" : "ok",
    }),
  );
  for (const job of history) view.put(job);
  view.put(
    makeJob(DEPLOYED, {
      op: "swarm",
      description: "roll out hello to hello@sha256:9c1d2e03",
      createdMs: nowMs - 43 * MINUTE_MS,
      startedMs: nowMs - 43 * MINUTE_MS,
      endedMs: nowMs - 42 * MINUTE_MS,
    }),
  );
  const failure = problem("BUILD_FAILED", "RUN npm ci ended with exit status 1: missing package-lock.json");
  view.put(
    makeJob(FAILED, {
      description: "build demo/billing live",
      state: "failed",
      error: failure,
      createdMs: nowMs - 31 * MINUTE_MS,
      startedMs: nowMs - 31 * MINUTE_MS,
      endedMs: nowMs - 30 * MINUTE_MS,
      because: [event(4, { atMs: nowMs - 31 * MINUTE_MS })],
      inputs: [input("source", "0a1b2c3", true)],
    }),
  );
  view.put(running(nowMs, history));
  view.put(waiting(nowMs));
  writeLog(view);
}

function running(nowMs: number, history: ReturnType<typeof makeJob>[]) {
  const { endedMs: _, ...open } = makeJob(RUNNING);
  return {
    ...open,
    description: "build demo/hello live at 77d01e2",
    state: "running" as const,
    createdMs: nowMs - 45_000,
    startedMs: nowMs - 42_000,
    usuallyMs: 130_000,
    progress: { done: 3, total: 7, label: "RUN npm ci" },
    because: [
      event(7, { atMs: nowMs - 46_000, kind: "watch" }),
      event(9, { atMs: nowMs - 45_000, kind: "job", subject: FAILED, detail: "docker-build failed" }),
      event(8, { atMs: nowMs - 45_000, kind: "timer", subject: "node:20-slim", detail: "its digest moved" }),
    ],
    inputs: [input("source", "77d01e2", true), input("base image", "node:20-slim", true), input("args", "none", false)],
    history,
    can: { rebuild: false, cancel: true, start: false },
  };
}

function waiting(nowMs: number) {
  const { endedMs: _e, startedMs: _s, ...open } = makeJob(WAITING);
  return {
    ...open,
    op: "swarm",
    description: "roll out hello-staging to hello@sha256:77d01e24",
    state: "waiting" as const,
    level: "dangerous" as const,
    createdMs: nowMs - 20_000,
    waitingFor: "confirm threshold is dangerous",
    can: { rebuild: false, cancel: true, start: true },
  };
}

function writeLog(view: FakeView): void {
  const log = view.logOf(RUNNING);
  log.write("\u001e2026-11-21 10:15.02 build demo/hello live at 77d01e2 on unix:///var/run/docker.sock\n");
  log.write("\u001e2026-11-21 10:15.02 waiting for a place in pool docker-build: 1 of 1 in use\n");
  log.write("\u001e2026-11-21 10:15.05 started\n");
  log.write("#1 [internal] load build definition from Dockerfile\n#1 DONE 0.1s\n");
  log.write("\u001b[34m#2 [1/7] FROM node:20-slim\u001b[0m\n#2 \u001b[32mCACHED\u001b[0m\n");
  log.write("\u001b[34m#3 [2/7] WORKDIR /app\u001b[0m\n#3 DONE 0.0s\n");
  log.write("#4 npm \u001b[33;1mwarn\u001b[0m deprecated \u001b[1minflight@1.0.6\u001b[0m: this module leaks memory\n");
  log.write(
    "#4 user\u202etxt.exe \u001b]0;title\u0007 \u001b[41;97m ERROR \u001b[0m looks odd \u001b[7minverse\u001b[0m\n",
  );
  for (let line = 1; line <= 40; line++)
    log.write(`#4 added ${line * 12} packages, and audited ${line * 13} packages\n`);
  const failed = view.logOf(FAILED);
  failed.write("\u001e2026-11-21 09:44.10 started\nnpm error: missing package-lock.json\n");
  failed.end();
}
