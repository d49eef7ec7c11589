import { readFileSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Waiting } from "../../src/engine/approvals.ts";
import { problem } from "../../src/engine/errors.ts";
import type { JobDetail } from "../../src/engine/view.ts";
import { templates } from "../../src/web/views.ts";
import { busyDay, FAILED, RUNNING, WAITING } from "../support/scene.ts";
import { event, FakeView, input, makeJob, makeNode } from "../support/view.ts";
import { form, injectable, signIn } from "../support/web.ts";

let app: FastifyInstance;
let faults: unknown[] = [];
const open = async (view: FakeView): Promise<void> => {
  await app?.close();
  ({ app, faults } = await injectable(view));
};
const page = async (url: string, headers: Record<string, string> = {}): Promise<string> =>
  (await app.inject({ url, headers })).body;

beforeEach(() => open(busyDay(Date.now())));
afterEach(() => {
  if (faults.length > 0) throw faults[0];
});

/** A commit that waits for a maintainer. */
const stranger = (pull: number): Waiting => ({
  repository: 5,
  name: "acme/web",
  pull,
  commit: String(pull).padStart(40, "0"),
  author: { id: 66, login: "mallory" },
  fork: "mallory/web",
  term: `acme/web/pr:${pull}/head`,
  sinceMs: 1_763_719_000_000,
});

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&amp;]}\n\u202E${"x".repeat(10_000)}`;

describe("hostile text", () => {
  test("is escaped wherever it is shown", async () => {
    const view = new FakeView();
    const failure = { ...problem("BUILD_FAILED", HOSTILE), hint: HOSTILE };
    const text = { label: HOSTILE, detail: HOSTILE, at: HOSTILE, group: HOSTILE, failure };
    view.nodes = [makeNode(HOSTILE, { ...text, state: "failed" }), makeNode("b", { ...text, kind: HOSTILE })];
    view.edges = [{ from: HOSTILE, to: "b" }];
    const names = { op: HOSTILE, term: HOSTILE, description: HOSTILE, note: HOSTILE, waitingFor: HOSTILE, at: HOSTILE };
    const because = [event(1, { kind: HOSTILE, subject: HOSTILE, detail: HOSTILE })];
    view.put(makeJob(FAILED, { ...names, error: failure, because, inputs: [input(HOSTILE, HOSTILE, true)] }));
    view.logOf(FAILED).write(`${HOSTILE}\n`);
    const service = {
      kind: HOSTILE,
      host: HOSTILE,
      source: HOSTILE,
      state: "ok" as const,
      detail: HOSTILE,
      drift: "report" as const,
    };
    const url = 'javascript:alert("1")';
    view.targets = [
      {
        term: HOSTILE,
        name: HOSTILE,
        place: HOSTILE,
        ...service,
        wanted: HOSTILE,
        running: HOSTILE,
        url,
        adoptable: true,
      },
    ];
    view.notices = [{ code: "X", level: "error", text: HOSTILE }];
    await open(view);
    const query = encodeURIComponent(HOSTILE.slice(0, 100));
    for (const address of [`/`, `/jobs`, `/job/${FAILED}`, `/query?text=${query}&term=${query}`, `/pipeline.svg`]) {
      const body = await page(address);
      expect(body).not.toMatch(/<script>|<img|onerror='|\u202E|javascript:/);
      expect(body.replace(/&(amp|lt|gt|quot|#39|#10);/g, "")).not.toContain("&");
    }
  });

  test("no template has a tag that does not escape", () => {
    for (const name of templates()) {
      const text = readFileSync(new URL(`../../src/web/views/${name}`, import.meta.url), "utf8");
      for (const [, raw = ""] of text.matchAll(/<%~\s*(.*?)%>/gs)) expect(raw).toMatch(/^include\("\.\//);
      expect(text).not.toMatch(/ style=| on[a-z]+=|<script(?! type="module" src=)/);
    }
  });
});

describe("overview", () => {
  test("says what is wrong and what is live before the graph", async () => {
    await page("/pipeline.svg"); // answers when the layout is there: a page does not wait so long
    const body = await page("/");
    expect(body).toContain("2 problems to look at, 2 services on the move");
    const order = ["hello@sha256:9c1d2e03", "missing package-lock.json", "<svg xmlns"].map((text) =>
      body.indexOf(text),
    );
    expect(order.every((at) => at > 0)).toBe(true);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(body).toContain("<title>✗ Overview · demo · Millrace</title>");
    expect(body).toContain('href="/favicon/failed.svg"');
  });

  test("says of which branch or pull request a problem is", async () => {
    const failure = problem("BUILD_FAILED", "it broke");
    const view = new FakeView();
    const keys = [
      "acme/shop/Dockerfile/branch:fix%2Fa%20b/build",
      "acme/shop/Dockerfile/pr:7/build",
      "acme/shop/heads",
    ];
    view.nodes = keys.map((key) => ({ ...makeNode(key), state: "failed", failure, detail: "it broke" }));
    await open(view);
    const places = [...(await page("/")).matchAll(/<span class="about">(acme[^<]*)</g)].map(([, place]) => place);
    expect(places).toEqual(["acme/shop · fix/a b", "acme/shop · #7"]);
  });

  test("tells of one moment, also when something fails while the graph is drawn", async () => {
    const failure = problem("BUILD_FAILED", "it broke meanwhile");
    class Moving extends FakeView {
      override groups() {
        this.nodes = this.nodes.map((node) => ({
          ...node,
          state: "failed" as const,
          failure,
          detail: failure.message,
        }));
        return super.groups();
      }
    }
    const view = new Moving();
    view.nodes = [makeNode("a")];
    await open(view);
    const body = await page("/");
    expect(body).toContain("1 problem to look at");
    expect(body).toContain('<p class="message">it broke meanwhile</p>');
    expect(body).toContain('data-look="failed"');
  });

  test("a service that somebody else changed can be adopted, by those who may", async () => {
    const view = busyDay(Date.now());
    view.targets = view.targets.map((service, at) => ({ ...service, adoptable: at === 1 }));
    await open(view);
    expect(await page("/")).not.toContain('action="/adopt"');
    const { cookie } = await signIn(app);
    const signed = await page("/", { cookie });
    expect(signed.match(/action="\/adopt"/g)).toHaveLength(1);
    expect(signed).toContain(`name="term" value="${view.targets[1]?.term}"`);
    expect(signed).toContain(`aria-label="Adopt ${view.targets[1]?.name}"`);
  });

  test("an empty pipeline teaches what to do", async () => {
    await open(new FakeView());
    const body = await page("/");
    expect(body).toContain("No service is declared.");
    expect(body).toContain("The pipeline is empty.");
    expect(await page("/jobs")).toContain("Nothing is at work.");
    expect(await page("/query")).toContain("No job matches.");
  });

  test("thousands of jobs that wait and of commits to approve are a page of ordinary size", async () => {
    const view = busyDay(Date.now());
    const number = (at: number): string => String(at).padStart(8, "0");
    const waits = (at: number): JobDetail => {
      const { endedMs: _e, startedMs: _s, ...open } = makeJob(`2026-11-21/080000-docker-check-${number(at)}`);
      return { ...open, state: "ready" };
    };
    view.all.unshift(...Array.from({ length: 5_000 }, (_, at) => waits(at)));
    view.strangers = Array.from({ length: 2_000 }, (_, at) => stranger(at + 1));
    await open(view);
    const jobs = await page("/jobs");
    expect(jobs.match(/<tr data-key/g)?.length).toBeLessThan(160);
    const rest = view.openJobs().length - 100;
    expect(jobs).toContain(`<a href="/query?state=ready">and ${rest.toLocaleString("en-US")} more that wait</a>`);
    expect(jobs).toContain(FAILED); // what has ended is not pushed out by what waits
    const numbersOn = async (address: string): Promise<readonly number[]> =>
      [...(await page(address)).matchAll(/acme\/web#(\d+)</g)].map(([, pull]) => Number(pull));
    const seen = [];
    for (let from = 0; from < 2_000; from += 50) seen.push(...(await numbersOn(`/approvals?from=${from}`)));
    expect(seen).toEqual(Array.from({ length: 2_000 }, (_, at) => at + 1));
    expect(await page("/approvals")).toContain("2000 commits to look at");
    expect(await page("/approvals?from=50")).toContain('<a href="/approvals?from=100" rel="next">');
    expect(await page("/approvals?from=50")).toContain('<a href="/approvals" rel="prev">');
    for (const odd of ["9999", "1999", "1960"]) expect((await numbersOn(`/approvals?from=${odd}`)).at(-1)).toBe(2_000); // those before may have been approved
    for (const odd of ["-1", "x", ""]) expect((await numbersOn(`/approvals?from=${odd}`))[0]).toBe(1);
  });

  test("the parts that move come without the graph", async () => {
    const body = await page("/", { "x-millrace-live": "1" });
    expect(body).toContain('data-live="services"');
    expect(body).not.toContain("<svg xmlns");
  });

  test("failures of the outside are orange, the user's are red", async () => {
    const view = new FakeView();
    const failure = problem("REPO_UNREACHABLE", "no route to host");
    view.nodes = [makeNode("a", { state: "failed", failure })];
    await open(view);
    const body = await page("/");
    expect(body).toContain('data-look="trouble"');
    expect(body).toContain("retrying");
    expect(body).toContain("<code>REPO_UNREACHABLE</code>"); // to be looked up in doc/errors.md
  });
});

test("digests are cut for the eye, and whole on hover", async () => {
  const view = busyDay(Date.now());
  const digest = `sha256:${"0123456789ab".padEnd(64, "c")}`;
  view.targets = view.targets.map((target) => ({ ...target, running: `hello@${digest}`, wanted: `hello@${digest}` }));
  await open(view);
  expect(await page("/")).toContain(`<code title="hello@${digest}">hello@sha256:0123456789ab</code>`);
});

describe("job", () => {
  test("says why it ran, what changed and where it comes from", async () => {
    const body = await page(`/job/${RUNNING}`);
    expect(body).toContain("its digest moved");
    expect(body).toContain(`<a href="/job/${FAILED}">${FAILED}</a>`);
    expect(body).toMatch(/class="changed"><span class="name">source/);
    expect(body).toMatch(/<li><span class="name">args/);
    expect(body).toContain("pipeline.ts:12");
    expect(body).toContain("usually 2 m 10");
    expect(body).toContain("3/7 RUN npm ci");
  });

  test("its log is whole without JavaScript, our own lines marked", async () => {
    const body = await page(`/job/${RUNNING}`);
    expect(body).toMatch(/class="line ours" id="L1"/);
    expect(body).toContain('id="L51"');
    // where the script goes on: after the last line feed, with the number of the next line
    expect(body).toContain(`data-next="${(await app.inject({ url: `/job/${RUNNING}/log.txt` })).rawPayload.length}"`);
    expect(body).toContain('data-next-line="52"');
    expect(body).toContain('<span class="f2">CACHED</span>');
    expect(body).toContain('user<span class="ctl">⟨U+202E⟩</span>txt.exe');
  });

  test("of a long log the end is shown, with the numbers that its lines have for ever", async () => {
    const view = busyDay(Date.now());
    view.logOf(FAILED).write(`${"a line of forty characters in this log.\n".repeat(100_000)}the end`);
    await open(view);
    const body = await page(`/job/${FAILED}`);
    expect(body).toMatch(/\d+ earlier lines not shown here/);
    expect(body).toMatch(/partial" id="L100003".*the end/);
    const raw = await app.inject({ url: `/job/${FAILED}/log.txt` });
    expect(raw.body).toHaveLength(view.logOf(FAILED).size - 0);
    expect(raw.headers["content-disposition"]).toContain(`${FAILED.replace("/", "-")}.log`);
  });

  test("buttons only for those who may, and only when they apply", async () => {
    expect(await page(`/job/${WAITING}`)).not.toContain("<button class=");
    const { cookie } = await signIn(app);
    const waiting = await page(`/job/${WAITING}`, { cookie });
    expect(waiting).toContain("Start now");
    expect(waiting).toContain(`action="/job/${WAITING}/cancel"`);
    expect(waiting).not.toContain("/rebuild");
    expect(await page(`/job/${FAILED}`, { cookie })).toContain(`action="/job/${FAILED}/rebuild"`);
  });
});

describe("errors and outcomes", () => {
  test("404 is a page that leads on; 401 leads to the log-in", async () => {
    expect(await page("/nope")).toContain("there is nothing at this address");
    const refused = await app.inject({ method: "POST", url: `/job/${FAILED}/rebuild`, ...form({}) });
    expect([refused.statusCode, refused.body.includes('<form method="post" action="/login"')]).toEqual([401, true]);
    const audit = await app.inject({ url: "/audit" });
    expect(audit.body).toContain('name="to" value="/audit"');
  });

  test("an outcome is shown once, and not to the script", async () => {
    const { cookie, csrf } = await signIn(app);
    const fields = form({ _csrf: csrf, job: FAILED, here: "/query?state=failed" }, { cookie });
    const acted = await app.inject({ method: "POST", url: "/query", ...fields });
    expect(acted.headers.location).toBe("/query?state=failed");
    expect(await page("/query", { cookie, "x-millrace-live": "1" })).toContain("1 job set to run again.");
    expect(await page("/query", { cookie })).toContain("1 job set to run again.");
    expect(await page("/query", { cookie })).not.toContain("1 job set to run again.");
  });

  test("the confirm form has every level and none", async () => {
    const { cookie } = await signIn(app);
    const body = await page("/", { cookie });
    for (const level of ["harmless", "mostly-harmless", "average", "above-average", "dangerous", "none"]) {
      expect(body).toContain(`<option value="${level}"`);
    }
    expect(body).toContain('value="dangerous" selected');
  });
});

test("query filters, and goes back through the pages", async () => {
  const view = new FakeView();
  for (let count = 100; count < 175; count++) view.put(makeJob(`2026-11-21/120${count}-docker-build-a1`));
  await open(view);
  const first = await page("/query?op=docker-build&state=");
  const [, older = ""] = /href="([^"]+)" rel="next"/.exec(first) ?? [];
  expect(older).toContain("op=docker-build");
  const second = await page(older.replaceAll("&amp;", "&"));
  expect(second).toContain("2026-11-21/120100-docker-build-a1");
  expect(second).not.toContain('rel="next"');
  expect(second).toContain("Newest");
  expect(await page("/query?state=nonsense")).toContain("120174");
});
