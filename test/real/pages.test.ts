import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import { success } from "../../src/term/output.ts";
import type { RunningWeb } from "../../src/web/server.ts";
import { openBrowser, openPage, overflows } from "../support/browser.ts";
import { busyDay, FAILED, RUNNING, WAITING } from "../support/scene.ts";
import { FakeView, makeJob, makeNode } from "../support/view.ts";
import { listening, TOKEN } from "../support/web.ts";

let browser: Browser;
let pictures: string;
let view: FakeView;
let web: RunningWeb;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  pictures = mkdtempSync(join(tmpdir(), "millrace-pages-"));
});
afterAll(async () => {
  await browser.close();
  if (process.env["KEEP_PICTURES"] === undefined) rmSync(pictures, { recursive: true });
});
beforeEach(async () => {
  view = busyDay(Date.now());
  web = await listening(view);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await web.close();
});

type Options = Parameters<typeof openPage>[1];
const open = async (path: string, options: Options = {}) => {
  const opened = await openPage(browser, options);
  closing.push(opened.close);
  await opened.page.goto(`${web.url}${path}`);
  return opened;
};

const signIn = async (page: Page, to: string): Promise<void> => {
  await page.goto(`${web.url}/login?to=${encodeURIComponent(to)}`);
  await page.fill("[name=token]", TOKEN);
  await page.click("main button");
  await page.waitForURL(`${web.url}${to}`);
};

/** Waits until an expression holds in the page; the page's own policy forbids the browser driver to poll there. */
const holds = (page: Page, expression: string): Promise<void> =>
  vi.waitFor(async () => expect(await page.evaluate(expression)).toBe(true), { timeout: 15_000 });

const pages = ["/", "/checks", "/jobs", "/query", `/job/${RUNNING}`, `/job/${FAILED}`, "/login"];
const looks = [1280, 390, 360].flatMap((width) =>
  (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
);

describe("every page fits, wide and narrow, light and dark, and the console stays empty", () => {
  test.each(looks)("$width $colorScheme", async ({ width, colorScheme }) => {
    const { page, complaints } = await open("/", { viewport: { width, height: 800 }, colorScheme });
    for (const [index, path] of pages.entries()) {
      await page.goto(`${web.url}${path}`);
      await page.getByText("Live", { exact: true }).waitFor();
      expect(await overflows(page)).toBe(false);
      const file = join(pictures, `${index}-${width}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: true });
      expect(statSync(file).size).toBeGreaterThan(5_000);
    }
    expect(complaints).toEqual([]);
  });

  test("an empty pipeline, and a page of actions", async () => {
    const { page, complaints } = await open("/", { viewport: { width: 360, height: 800 } });
    await signIn(page, "/");
    const approve = propose(view);
    for (const [name, path] of Object.entries({
      overview: "/",
      select: "/query",
      waiting: `/job/${WAITING}`,
      audit: "/audit",
      access: "/access",
      rules: "/log-rules",
      approvals: "/approvals",
      approve,
    })) {
      await page.goto(`${web.url}${path}`);
      await page.getByText("Live", { exact: true }).waitFor();
      expect([name, await overflows(page)]).toEqual([name, false]);
      await page.screenshot({ path: join(pictures, `admin-${name}.png`), fullPage: true });
    }
    const empty = await listening(new FakeView());
    await page.goto(empty.url);
    await page.screenshot({ path: join(pictures, "empty.png"), fullPage: true });
    expect(complaints).toEqual([]);
    await empty.close();
  });
});

/** A stranger's commit with long names and lines waits; where it is looked at. */
function propose(view: FakeView): string {
  const [commit, name] = ["0123456789".repeat(4), "acme/some-rather-long-name-of-a-repository" as const];
  const author = { id: 66, login: "mallory" };
  const url = "https://forge.example/acme/web/pull/7";
  const waiting = { repository: 5, name, pull: 7, commit, author, fork: "mallory/web", url, term: "x", sinceMs: 0 };
  const file = { path: `${"folder/".repeat(20)}Dockerfile`, status: "changed", added: 1, removed: 0 } as const;
  view.strangers = [waiting];
  view.proposed = success({
    since: commit,
    whole: false,
    deciding: [{ ...file, patch: `@@ -1 +1 @@\n+RUN ${"x".repeat(500)}\u202E` }],
    others: [file],
  });
  return `/approvals/5/7/${commit}`;
}

describe("the overview moves without reload", () => {
  const build = (page: Page) => page.locator('.node[data-key="demo/hello/build"]');

  test("colours, words, counts, problems, the title and the icon", async () => {
    const { page, complaints } = await open("/");
    await page.evaluate("window.marked = true");
    await page.locator(".look-running[data-key='demo/hello/build']").waitFor();
    const failure = problem("BUILD_FAILED", "RUN make ended with exit status 2");
    const nodes = view.nodes.map((node) => ({ ...node, state: "ok" as const }));
    view.change(...nodes.map(({ failure: _f, staleSinceMs: _s, progress: _p, ...node }) => node));
    await holds(page, "document.title === '✓ Overview · demo · Millrace'");
    view.change({ ...makeNode("demo/hello/build", { state: "failed", failure }), group: "demo/hello" });
    await page.getByText("RUN make ended with exit status 2").first().waitFor();
    await holds(page, "document.title.startsWith('✗')");
    expect(await build(page).getAttribute("class")).toBe("node look-failed");
    expect(await build(page).locator(".word").textContent()).toBe("failed");
    expect(await build(page).locator("use").getAttribute("href")).toBe("#g-failed");
    expect(await page.locator("link[rel=icon]").getAttribute("href")).toBe("/favicon/failed.svg");
    view.targets = view.targets.map((target) => ({
      ...target,
      state: "ok" as const,
      running: "hello@sha256:feed0001",
    }));
    view.change(makeNode("demo/hello/push", { detail: "pushed" }));
    await page.getByText("hello@sha256:feed0001").first().waitFor();
    expect(await page.evaluate("window.marked")).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("new boxes are drawn", async () => {
    const { page } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const added = makeNode("demo/hello/check", { label: "check the pull request" });
    view.grow([added], [{ from: "demo/hello/fetch", to: "demo/hello/check" }]);
    await page.locator('.node[data-key="demo/hello/check"]').waitFor();
    expect(await page.locator(".edge[data-to='demo/hello/check']").count()).toBe(1);
    view.change({ ...added, state: "running" });
    await page.locator(".node.look-running[data-key='demo/hello/check']").waitFor();
    // Of many checks only those are drawn that are wrong or under way: also those that become so.
    const checks = Array.from({ length: 200 }, (_, at) => makeNode(`check ${at}`, { group: "acme/web-builds" }));
    view.grow(checks, []);
    await page.locator(".node[data-key='check 0']").waitFor();
    expect(await page.locator(".node[data-key='check 150']").count()).toBe(0);
    view.change(makeNode("check 150", { group: "acme/web-builds", state: "failed" }));
    await page.locator(".node.look-failed[data-key='check 150']").waitFor();
  });

  test("are fetched one drawing after the other: an earlier one never comes over a later one", async () => {
    const { page } = await open("/login");
    await page.clock.install();
    let asked = 0;
    const fetched: (() => void)[] = [];
    await page.route("**/pipeline.svg", async (route) => {
      asked += 1;
      const response = await route.fetch(); // as it is now
      fetched.push(() => void route.fulfill({ response }));
    });
    await page.goto(web.url);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator("svg.graph .node").first().waitFor();
    const add = (key: string): void => view.grow([makeNode(key, { group: "demo/hello" })], []);
    add("first");
    await page.clock.runFor(1_000);
    await vi.waitFor(() => expect(fetched).toHaveLength(1));
    add("second");
    view.change(makeNode("demo/hello/head", { state: "running" }));
    await page.locator(".node.look-running[data-key='demo/hello/head']").waitFor(); // so it has heard of the second
    await page.clock.runFor(1_000);
    await page.evaluate("fetch('/healthz')"); // what was asked for before is known when this is answered
    expect(asked).toBe(1);
    fetched[0]?.();
    await page.locator(".node[data-key='first']").waitFor();
    await page.clock.runFor(1_000);
    await vi.waitFor(() => expect(fetched).toHaveLength(2));
    fetched[1]?.();
    await page.locator(".node[data-key='second']").waitFor();
  });

  test("a label that cannot be drawn as it is, is the drawn one all the same", async () => {
    const { page } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const odd = makeNode("demo/hello/odd", { label: "\u{1F469}\u200D\u{1F4BB} <&'\">\tlive\u00ad\u0001\uD800\nnext" });
    view.grow([odd], []);
    await page.locator('.node[data-key="demo/hello/odd"]').waitFor();
    const fits: unknown = await page.evaluate(`(async () => {
      const base = document.documentElement.dataset.assets;
      const { createBrush } = await import(base + "/brush.js");
      const { nodes } = await (await fetch("/api/v1/graph")).json();
      return createBrush(document.querySelector("[data-graph]")).paint(nodes);
    })()`);
    expect(fits).toBe(true);
  });

  test("the dot of an old value comes and goes", async () => {
    const { page } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const [build, head] = ["demo/reports/build", "demo/reports/head"];
    const dot = (key: string) => page.locator(`.node[data-key="${key}"] .stale`);
    const place = () => Promise.all(["cx", "cy", "r"].map(async (name) => Number(await dot(head).getAttribute(name))));
    const drawn = await place();
    const known = view.nodes.find(({ key }) => key === head);
    if (known === undefined) throw new Error("no such box");
    const { staleSinceMs, failure: _f, ...good } = known;
    view.change(good);
    await dot(head).waitFor({ state: "detached" });
    view.change({ ...known, staleSinceMs: staleSinceMs ?? 0 });
    await dot(head).waitFor();
    expect(await place()).toEqual(drawn);
    expect(await dot(build).count()).toBe(0);
  });

  test("all boxes may change at once: each is painted, the chips that stand for it too, and nothing fades", async () => {
    const { page, complaints } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const [push, ...others] = view.nodes.filter(({ key }) => key === "demo/hello/push");
    expect(others).toEqual([]);
    const crowd = Array.from({ length: 30 }, (_, at) => makeNode(`crowd/${at}`, { group: "crowd" }));
    view.grow(crowd, []);
    await page.locator('.node[data-key="crowd/29"]').waitFor();
    await page.evaluate("document.querySelector('svg.graph').dataset.kept = 'yes'");
    const running = view.nodes.map(({ failure: _f, staleSinceMs: _s, updating: _u, ...node }) => node);
    view.change(...running.map((node) => ({ ...node, state: "running" as const })));
    await holds(page, "document.querySelectorAll('.node:not(.look-running)').length === 0");
    const chip = page.locator(".node.chip[data-key='demo/hello/push']");
    expect(await chip.getAttribute("aria-label")).toBe(
      `input from demo/hello: ${push?.label.replace("\n", " ")}: running`,
    );
    expect(await page.locator("[data-graph].many").count()).toBe(1);
    view.change({ ...makeNode("crowd/3", { group: "crowd", state: "ready" }) });
    await page.locator(".node.look-ready[data-key='crowd/3']").waitFor();
    expect(await page.locator("[data-graph].many").count()).toBe(0);
    expect(await page.locator("svg.graph[data-kept]").count()).toBe(1); // painted, not fetched anew
    expect(complaints).toEqual([]);
  });

  test("a box shows its failure when it is chosen, by mouse and by keyboard", async () => {
    const { page } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const failed = page.locator('.node[data-key="demo/billing/build"]');
    await failed.click();
    expect(await page.locator("[data-detail]").textContent()).toContain("missing package-lock.json");
    expect(page.url()).toBe(`${web.url}/`);
    await page.locator('.node[data-key="demo/reports/head"]').focus();
    expect(await page.locator("[data-detail]").textContent()).toContain("connection refused");
    await failed.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${web.url}/job/${FAILED}`);
  });

  test("a lost connection is said, and found again by itself", async () => {
    const { page } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const { port } = web;
    await web.close();
    await page.getByText(/Connection lost, showing the state of \d\d:\d\d/).waitFor();
    view.targets = view.targets.map((target) => ({ ...target, running: "hello@sha256:after" }));
    web = await listening(view, undefined, port);
    await page.getByText("hello@sha256:after").first().waitFor();
    await page.locator("[data-lost]").waitFor({ state: "hidden" });
    expect(await page.locator("[data-connection]").textContent()).toBe("Live");
  });

  test("a banner appears when the disk is full, and actions say why they are refused", async () => {
    const { page } = await open("/");
    await signIn(page, `/job/${FAILED}`);
    await page.getByText("Live", { exact: true }).waitFor();
    view.notices = [{ code: "STORE_FULL", level: "error", text: "The disk is full: nothing new starts." }];
    view.isStorable = false;
    await page.getByText("The disk is full: nothing new starts.").waitFor();
    await page.getByRole("button", { name: "Rebuild" }).click();
    await page.getByRole("heading", { name: /nothing can be stored/ }).waitFor();
    expect(view.actions).toEqual([]);
  });
});

describe("actions", () => {
  test("rebuild, cancel with a reason, start, confirm, select and rebuild", async () => {
    const { page, complaints } = await open("/");
    await signIn(page, `/job/${FAILED}`);
    await page.getByRole("button", { name: "Rebuild" }).click();
    await page.getByText("The job runs again.").waitFor();
    await page.goto(`${web.url}/job/${WAITING}`);
    await page.getByRole("button", { name: "Start now" }).click();
    await page.getByText("The job may start now.").waitFor();
    await page.getByLabel("Why").fill("wrong branch");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("The job is being cancelled.").waitFor();
    await page.goto(`${web.url}/query?state=failed`);
    await page.locator("[name=job]").first().check();
    await page.getByRole("button", { name: "Rebuild selected" }).click();
    await page.getByText("1 job set to run again.").waitFor();
    await page.goto(`${web.url}/`);
    await page.getByLabel("Hold jobs from").selectOption("average");
    await page.getByRole("button", { name: "Set threshold" }).click();
    await page.getByText("The confirm threshold is average now.").waitFor();
    expect(view.actions.map(({ name, why }) => why ?? name)).toEqual([
      "rebuild",
      "start",
      "wrong branch",
      "rebuild",
      "confirm",
    ]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("what somebody has typed or ticked survives the changes around it", async () => {
    const { page } = await open("/");
    await signIn(page, `/job/${WAITING}`);
    await page.getByText("streaming").waitFor();
    await page.getByLabel("Why").fill("half a sen");
    const waiting = view.job(WAITING);
    if (waiting === undefined) throw new Error("no job");
    view.put({ ...waiting, waitingFor: "pool swarm: 1 of 1 in use" });
    await page.getByText("pool swarm: 1 of 1 in use").waitFor();
    expect(await page.getByLabel("Why").inputValue()).toBe("half a sen");
    await page.goto(`${web.url}/query`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator("[name=job]").first().check();
    view.put(makeJob("2026-11-21/235900-docker-build-new1", { description: "a brand new job" }));
    await page.getByText("a brand new job").waitFor();
    expect(await page.locator("[name=job]:checked").count()).toBe(1);
    expect(await page.locator("[name=job]").first().isChecked()).toBe(false);
  });
});

describe("the log", () => {
  const lines = (page: Page) => page.locator(".line .text").allTextContents();

  test("follows, marks our lines, survives a restart of the server without losing or doubling a line", async () => {
    const { page } = await open(`/job/${RUNNING}`);
    await page.getByText("streaming").waitFor();
    const log = view.logOf(RUNNING);
    log.write("half a li");
    await page.getByText("half a li").waitFor();
    log.write("ne\n\u001eours\n");
    await page.locator(".line.ours", { hasText: "ours" }).waitFor();
    const { port } = web;
    await web.close();
    await page.getByText(/Connection lost/).waitFor();
    for (let count = 0; count < 500; count++) log.write(`\u001b[32mwhile away\u001b[0m ${count} 😀\n`);
    web = await listening(view, undefined, port);
    await page.getByText("while away 499").waitFor();
    log.write("the end");
    log.end();
    await page.getByText("complete").waitFor();
    const shown = await lines(page);
    const away = Array.from({ length: 500 }, (_, count) => `while away ${count} 😀`);
    expect(shown.slice(51)).toEqual(["half a line", "ours", ...away, "the end"]);
    expect(await page.locator("#L553 .f2").textContent()).toBe("while away");
  });

  test("following keeps the end in view, scrolling up pauses it", async () => {
    const { page } = await open(`/job/${RUNNING}`, { viewport: { width: 1000, height: 600 } });
    await page.getByText("streaming").waitFor();
    await page.getByRole("button", { name: "Follow" }).click();
    const atEnd = () =>
      holds(page, "innerHeight + scrollY >= document.documentElement.scrollHeight - 40 && scrollY > 500");
    await atEnd();
    for (let count = 0; count < 200; count++) view.logOf(RUNNING).write(`line ${count}\n`);
    await page.getByText("line 199").waitFor();
    await atEnd();
    await page.mouse.move(500, 300);
    await page.mouse.wheel(0, -400);
    await page.locator("[data-follow][aria-pressed=false]").waitFor();
    const before: number = await page.evaluate("scrollY");
    view.logOf(RUNNING).write("one more\n");
    await page.getByText("one more").waitFor({ state: "attached" });
    expect(Math.abs(Number(await page.evaluate("scrollY")) - before)).toBeLessThan(50);
  });

  test("links to a line and to a range", async () => {
    const { page } = await open(`/job/${RUNNING}#L7`);
    await holds(page, "document.querySelectorAll('.line.chosen').length === 1");
    await page.locator("#L9 a").click({ modifiers: ["Shift"] });
    expect(page.url()).toMatch(/#L7-L9$/);
    await holds(page, "document.querySelectorAll('.line.chosen').length === 3");
  });

  test("hostile output runs nothing", async () => {
    const log = view.logOf(RUNNING);
    const markup = "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)></pre></textarea>\n";
    log.write(markup);
    const { page, complaints } = await open(`/job/${RUNNING}`);
    await page.getByText("streaming").waitFor();
    const title = await page.title();
    const tricks = [
      "\u001b]8;;javascript:alert(1)\u0007click\u001b]8;;\u0007",
      "\u001b]52;c;ZXZpbA==\u0007\u001b]0;owned\u0007\u001b[2J\u001b[1A\u001b[2Kunmoved",
      "failed\rDeploy OK",
      "user\u202Etxt.exe\u200B\u0000",
      "\u001b[31mx\u001b[32my".repeat(50_000),
      `long${"x".repeat(200_000)}`,
    ];
    for (const trick of tricks) log.write(`${trick}\n`);
    log.write(`${markup}\u001b[0m${markup}`);
    const split = Buffer.from("é😀\xff"); // cut in the middle of its characters
    for (const byte of [...split, 0xff, 0xc3, 0x28, 0x0a]) log.write(Buffer.from([byte]));
    log.write("the last\n");
    await page.getByText("the last").waitFor();
    const shown = (await lines(page)).slice(-10);
    expect(shown[0]).toBe("click");
    expect(shown[1]).toBe("unmoved");
    expect(shown[2]).toBe("failed␍Deploy OK");
    expect(shown[3]).toBe("user⟨U+202E⟩txt.exe⟨U+200B⟩␀");
    expect(shown[5]).toMatch(/^long.{65532} … 134468 more characters/);
    expect(shown[7]).toBe(markup.trim());
    expect(shown[8]).toMatch(/^é😀ÿ\uFFFD/);
    expect(await page.locator(".line", { hasText: "xyxy" }).locator("span").count()).toBeLessThan(1_100);
    expect(await page.locator(".lines img, .lines script, .lines svg, .lines a:not([data-number])").count()).toBe(0);
    expect(await page.title()).toBe(title);
    expect(complaints).toEqual([]);
  });

  test("a drawing that is opened by itself runs nothing", async () => {
    const label = "</text><script>alert(1)</script><image href='x' onerror='alert(1)'/>";
    view.change(makeNode("demo/hello/build", { label, kind: label, detail: label }));
    const { page, complaints } = await open("/pipeline.svg");
    expect(await page.locator("svg").count()).toBe(1);
    expect(await page.content()).toContain("&lt;script&gt;");
    expect(await page.locator("script, image, foreignObject").count()).toBe(0);
    expect(complaints.filter((one) => !one.includes("404"))).toEqual([]); // a picture has no icon
  });

  test("the job's end is seen: banner, title, and then the page follows the rest", async () => {
    const { page } = await open(`/job/${RUNNING}`);
    await page.getByText("streaming").waitFor();
    const job = view.job(RUNNING);
    if (job === undefined) throw new Error("no job");
    view.put({ ...job, state: "failed", endedMs: Date.now(), error: problem("BUILD_FAILED", "exit status 1") });
    view.logOf(RUNNING).end();
    await page.locator(".job-banner.look-failed").waitFor();
    await holds(page, "document.title.startsWith('✗')");
    view.put({ ...job, state: "ok", endedMs: Date.now() });
    await page.locator(".job-banner.look-ok").waitFor();
    expect(await page.title()).toContain("✓");
  });
});

test("everything can be read without JavaScript", async () => {
  await fetch(`${web.url}/pipeline.svg`); // answers when the layout is there: a page does not wait so long
  const { page } = await open("/", { javaScriptEnabled: false });
  expect(await page.locator("svg.graph .node").count()).toBe(15);
  await page.locator('a.node[data-key="demo/billing/build"]').click();
  await page.waitForURL(`${web.url}/job/${FAILED}`);
  expect(await page.locator(".line").count()).toBe(2);
  await page.goto(`${web.url}/login`);
  await page.fill("[name=token]", TOKEN);
  await page.click("main button");
  await page.getByText("signed in as token").waitFor();
});
