// The client commands against the real HTTP server, over a view that the test moves.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { createClock } from "../../src/engine/clock.ts";
import { problem } from "../../src/engine/errors.ts";
import { MARK } from "../../src/engine/job-log.ts";
import { Secret } from "../../src/engine/secret.ts";
import type { JobDetail } from "../../src/engine/view.ts";
import { type RunningWeb, startWeb } from "../../src/web/server.ts";
import { type Ended, millrace } from "../support/cli.ts";
import { folderWith } from "../support/pipeline-file.ts";
import { FakeView, makeJob } from "../support/view.ts";

const TOKEN = "a-token-of-at-least-thirty-two-characters";
const ID = "2026-11-21/094512-docker-build-3f9a12";

let view: FakeView;
let web: RunningWeb;
let folder: string;

beforeEach(async () => {
  view = new FakeView();
  const started = await startWeb({ view, host: "127.0.0.1", port: 0, token: new Secret(TOKEN), clock: createClock() });
  if (!started.ok) throw new Error(started.error.message);
  web = started.value;
  folder = folderWith({
    "var/server.json": JSON.stringify({ url: web.url, pid: 1 }),
    "var/token": `${TOKEN}\n`,
  });
});
afterEach(() => web.close());

/** A job that has not ended. */
function openJob(...args: Parameters<typeof makeJob>): JobDetail {
  const { endedMs: _, ...job } = makeJob(...args);
  return job;
}

const answer = async (line: string): Promise<string> => {
  const ended = await millrace(folder, ...line.split(" "));
  expect(ended).toMatchObject({ code: 0, err: "" });
  return ended.out;
};

describe("reading", () => {
  it("jobs: what runs or waits, and why", async () => {
    expect(await answer("jobs")).toBe("no jobs run or wait\n");
    view.all = [
      openJob(ID, { state: "waiting", waitingFor: "confirm threshold is average" }),
      openJob("2026-11-21/094513-docker-push-aaaaaa", {
        state: "running",
        description: "push demo/hello",
        progress: { done: 3, total: 7, label: "RUN make" },
        usuallyMs: 130_000,
      }),
    ];
    expect(await answer("jobs")).toBe(
      [
        "running     2026-11-21/094513-docker-push-aaaaaa  push demo/hello  demo/hello · live",
        "            3 of 7: RUN make, usually 2 m 10",
        `waiting     ${ID}  build demo/hello live  demo/hello · live`,
        "            confirm threshold is average",
        "",
      ].join("\n"),
    );
  });

  it("job and why: state, times, causes and inputs", async () => {
    view.all = [
      makeJob(ID, {
        state: "failed",
        error: problem("BUILD_FAILED", "RUN make ended with 2"),
        because: [
          { id: 1, atMs: 1_700_000_000_000, kind: "watch", subject: "demo/hello live", detail: "live is now 9fceb02" },
        ],
        inputs: [
          { job: makeJob(ID).id, name: "commit", digest: "aa", text: "9fceb02", changed: true },
          { job: makeJob(ID).id, name: "dockerfile", digest: "bb", text: "Dockerfile", changed: false },
        ],
      }),
    ];
    const why = [
      "  because   2023-11-14T22:13:20.000Z  watch: live is now 9fceb02",
      "  changed   commit = 9fceb02",
      "  same      dockerfile = Dockerfile",
      "",
    ].join("\n");
    const head = `failed      ${ID}  build demo/hello live  demo/hello · live\n            RUN make ended with 2\n`;
    expect(await answer(`why ${ID}`)).toBe(head + why);
    const job = await answer(`job ${ID}`);
    expect(job.startsWith(head)).toBe(true);
    expect(job.endsWith(why)).toBe(true);
    expect(job).toContain("  started   2023-11-14T22:13:21.000Z\n");
    expect(job).toContain("  to do     Read the output of the failing instruction in the job's log.\n");
  });

  it("query: with every filter, and JSON", async () => {
    view.all = [makeJob(ID), makeJob("2026-11-20/094512-docker-build-3f9a12", { state: "failed" })];
    expect(await answer("query --job-state failed")).toContain("2026-11-20/");
    expect(await answer("query --job-state failed")).not.toContain("2026-11-21/");
    expect(await answer("query --op no-such-op --text x --limit 3 --term t --date 2026")).toBe("no such jobs\n");
    const json: unknown = JSON.parse(await answer("query --json --limit 1"));
    expect(json).toMatchObject({ jobs: [{ id: ID, state: "ok" }] });
  });

  it("history: past deploys", async () => {
    expect(await answer("history")).toBe("no deploys yet\n");
    view.deploys = [
      {
        id: "i1",
        lane: "swarm/here/demo_hello",
        kind: "swarm",
        term: "demo/hello/Dockerfile/branch:live/deploy",
        job: makeJob(ID).id,
        generation: 1,
        epoch: 1,
        wanted: {},
        digest: "sha256:aa",
        seenVersion: "7",
        before: null,
        state: "rolled-back",
        ref: null,
        evidence: "task 3: health check failed",
        createdMs: 1_700_000_000_000,
        endedMs: 1_700_000_060_000,
      },
    ];
    expect(await answer("history")).toBe(
      [
        "rolled-back 2023-11-14T22:13:20.000Z  demo/hello/Dockerfile/branch:live/deploy",
        "  task 3: health check failed",
        `  job ${ID}`,
        "",
      ].join("\n"),
    );
  });

  it("a job that is not there", async () => {
    expect(await millrace(folder, "job", ID)).toEqual({
      code: 1,
      out: "",
      err: "millrace: there is no job with this id\n  Check the id.\n",
    });
  });
});

describe("log", () => {
  it("prints it to its end, without what could play tricks on a terminal", async () => {
    view.all = [makeJob(ID)];
    const log = view.logOf(ID);
    log.write(`${MARK}started\nSTEP 1\n\u001b[31mred\u001b[0m\u001b]0;title\u0007\u001b[2J\u202eend`);
    log.end();
    expect(await answer(`log ${ID}`)).toBe("started\nSTEP 1\n\u001b[31mred\u001b[0mend\n");
  });

  it("follows a job until it ends", async () => {
    view.all = [openJob(ID, { state: "running" })];
    const log = view.logOf(ID);
    log.write("one\n");
    const followed: Promise<Ended> = millrace(folder, "log", ID, "-f");
    log.write("two\n");
    view.all = [makeJob(ID, { state: "ok" })];
    log.end();
    expect((await followed).out).toBe("one\ntwo\n");
  });
});

describe("reading where not everybody may", () => {
  const closed = async (): Promise<void> => {
    await web.close();
    const access = new Access({ clock: createClock(), token: new Secret(TOKEN), readers: "signed-in" });
    const clock = createClock();
    const started = await startWeb({ view, host: "127.0.0.1", port: 0, token: new Secret(TOKEN), access, clock });
    if (!started.ok) throw new Error(started.error.message);
    web = started.value;
    writeFileSync(join(folder, "var/server.json"), JSON.stringify({ url: web.url, pid: 1 }));
  };

  it.each(["jobs", "ops", "stats", "dot", "history", "query", "confirm", `log ${ID}`, `job ${ID}`, `why ${ID}`])(
    "%s shows the token",
    async (line) => {
      await closed();
      view.all = [makeJob(ID, { state: "ok" })];
      await answer(line);
      const elsewhere = folderWith({ "my-token": TOKEN });
      const far = (...more: string[]) => millrace(elsewhere, ...line.split(" "), "--url", web.url, ...more);
      expect(await far("--token-file", "my-token")).toMatchObject({ code: 0, err: "" });
      const stranger = await far();
      expect(stranger.code).toBe(77);
      expect(stranger.err).toContain("millrace: only those who are signed in may read here\n");
      expect((await far("--token-file", "no-token")).err).toContain("there is no token at");
    },
  );
});

describe("acting", () => {
  it("rebuild, cancel, start: with the token, and the reason", async () => {
    view.all = [makeJob(ID)];
    expect(await answer(`rebuild ${ID} --why mirror-is-back`)).toContain("runs again");
    expect(await answer(`cancel ${ID} --why wrong-branch`)).toContain("cancelled");
    expect(await answer(`start ${ID}`)).toContain("started");
    expect(view.actions.map(({ name, subject, why }) => [name, subject, why])).toEqual([
      ["rebuild", ID, "mirror-is-back"],
      ["cancel", ID, "wrong-branch"],
      ["start", ID, undefined],
    ]);
  });

  it("confirm: shows and sets", async () => {
    expect(await answer("confirm")).toMatch(/^none \(set by /);
    expect(await answer("confirm dangerous --why holidays")).toMatch(/^dangerous \(set by /);
    expect([view.confirmAt, view.actions.at(-1)?.why]).toEqual(["dangerous", "holidays"]);
  });

  it("adopt: the term as it is", async () => {
    expect(await answer("adopt demo/hello/Dockerfile/branch:live/deploy")).toBe("adopted\n");
    expect(view.actions.at(-1)).toMatchObject({ name: "adopt", subject: "demo/hello/Dockerfile/branch:live/deploy" });
  });

  it("a refusal in the server's own words", async () => {
    view.all = [makeJob(ID)];
    view.refuseWith = problem("NOT_POSSIBLE", "the job has ended");
    expect(await millrace(folder, "cancel", ID)).toEqual({
      code: 1,
      out: "",
      err: "millrace: the job has ended\n  Look at the state of the job: the action does not apply any more.\n",
    });
  });

  it("a wrong token, which is not shown", async () => {
    view.all = [makeJob(ID)];
    writeFileSync(join(folder, "var/token"), "another-token-that-nobody-may-see\n");
    const ended = await millrace(folder, "rebuild", ID);
    expect(ended.code).toBe(77);
    expect(ended.err).toContain("millrace: the token is wrong\n");
    expect(ended.err).not.toContain("another-token");
    expect(view.actions).toEqual([]);
  });

  it("a token of another place", async () => {
    view.all = [makeJob(ID)];
    const elsewhere = folderWith({ "my-token": TOKEN });
    const ended = await millrace(elsewhere, "rebuild", ID, "--url", `${web.url}/`, "--token-file", "my-token");
    expect(ended.code).toBe(0);
  });
});

describe("a server that is something else", () => {
  it("is not taken for one of ours", async () => {
    const { createServer } = await import("node:http");
    let answers = 404;
    const other = createServer((_, response) => response.writeHead(answers).end("<html>nothing</html>"));
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const url = `http://127.0.0.1:${port}`;
    for (const status of [404, 200]) {
      answers = status;
      const ended = await millrace(folder, "jobs", "--url", url);
      expect(ended).toMatchObject({
        code: 1,
        err: `millrace: what answers at ${url} is no Millrace: HTTP ${status} without JSON\n  Check --url, and what lies between.\n`,
      });
    }
  });
});
