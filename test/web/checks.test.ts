// Branches and pull requests, and how their checks go.
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import type { GraphNode } from "../../src/engine/view.ts";
import { checkedOf } from "../../src/web/pages/checked.ts";
import { whereOf } from "../../src/web/pages/where.ts";
import { FakeView, jobId, makeJob, makeNode } from "../support/view.ts";
import { injectable } from "../support/web.ts";

let app: FastifyInstance | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const REPO = "acme/shop";
const JOB = jobId("2026-11-21/090000-docker-check-5a5a");
type More = Partial<GraphNode>;

/** What the graph has of one ref: its head, its fetch, and the builds of two Dockerfiles. */
function boxes(ref: string, { head = {}, web = {} }: { readonly head?: More; readonly web?: More } = {}): GraphNode[] {
  const group = `${REPO}-builds`;
  const box = (path: string, kind: string, label: string, more: More = {}): GraphNode =>
    makeNode(`${REPO}/${path}`, { kind, label, group, ...more });
  return [
    box(`${ref}/head`, "head", ref, { detail: `${ref} at 0123abcd`, ...head }),
    box(`${ref}/fetch`, "fetch", "fetch", { detail: "0123abcd Mend <it>" }),
    box(`Dockerfile/${ref}/build`, "build", "Dockerfile", { job: JOB }),
    box(`deploy%2FDockerfile.web/${ref}/build`, "build", "deploy/Dockerfile.web", web),
    box(`${ref}/check`, "check", "check"),
  ];
}

const broken = problem("BUILD_FAILED", "[2/2] RUN make: exit code 2\nmain.c:12: error: expected ';'\n");
const failing = { web: { state: "failed", failure: broken } } as const;
const waiting = { head: { state: "waiting", detail: "#9 at 0123abcd waits for a maintainer's approval" } } as const;

async function open(nodes: readonly GraphNode[]) {
  const view = new FakeView();
  view.nodes = [...nodes];
  const made = (await injectable(view)).app;
  app = made;
  return async (url: string): Promise<string> => (await made.inject({ url })).body;
}

test("are sorted: what failed, what waits for a person, what is at work, the rest; pull requests before branches", () => {
  const running = { web: { state: "running" } } as const;
  const nodes = [
    ...boxes("branch:b"),
    ...boxes("branch:feature%2Fa"),
    ...boxes("pr:9", waiting),
    ...boxes("pr:8", running),
    ...boxes("pr:10"),
    ...boxes("pr:11"),
    ...boxes("branch:z", failing),
  ];
  const rows = checkedOf(nodes);
  expect(rows.map(({ name, mark }) => `${name} ${mark.word}`)).toEqual([
    "z failed",
    "#9 waiting",
    "#8 running",
    "#11 ok",
    "#10 ok",
    "b ok",
    "feature/a ok",
  ]);
  expect(rows[0]).toMatchObject({ repo: REPO, commit: "0123abcd Mend <it>", wrong: "main.c:12: error: expected ';'" });
});

test("a deployed branch is checked by its deploy's own build; branches that are not checked are left out", () => {
  const head = makeNode("acme/site/branch:live/head", { kind: "head", group: "acme/site-builds", detail: "live at 1" });
  const own = { group: "acme/site", label: "Dockerfile" };
  const build = makeNode("acme/site/Dockerfile/branch:live/build", { kind: "build", ...own });
  const other = makeNode("acme/site/Dockerfile/branch:old/head", { kind: "head", ...own });
  const [row, ...more] = checkedOf([build, other, head]);
  expect([row?.name, row?.builds.map(({ spec }) => spec), more]).toEqual(["live", ["Dockerfile"], []]);
});

test.each([
  ["acme/shop/Dockerfile/branch:feature%2Fa/build", "acme/shop · feature/a"],
  ["acme/shop/pr:7/fetch", "acme/shop · #7"],
  ["acme/shop/heads", ""],
  ["50%/of/branch:%E0%A4/build", "50%/of · %E0%A4"],
])("the term %s belongs to %j, and its jobs say so", async (term, where) => {
  expect(whereOf(term)).toBe(where);
  const view = new FakeView();
  view.put(makeJob(JOB, { term }));
  app = (await injectable(view)).app;
  for (const url of ["/jobs", `/job/${JOB}`])
    expect(
      (await app.inject({ url })).body.includes(`<${url === "/jobs" ? "span" : "p"} class="about">${where}<`),
    ).toBe(where !== "");
});

describe("the page", () => {
  test("says what is there, links each build to its job and what waits to the approvals", async () => {
    const get = await open([...boxes("branch:main", failing), ...boxes("pr:9", waiting)]);
    const body = await get("/checks");
    expect(body).toContain("1 branch and 1 pull request: 1 failed, 1 waiting for a person.");
    expect(body).toContain(`<a href="/job/${JOB}">Dockerfile</a>`);
    expect(body).toContain("0123abcd Mend &lt;it&gt;");
    expect(body).toContain('<a href="/approvals">');
  });

  test("filters by repository, state and text", async () => {
    const get = await open([...boxes("branch:main", failing), ...boxes("branch:other"), ...boxes("pr:9", waiting)]);
    const names = async (query: string): Promise<readonly string[]> =>
      [...(await get(`/checks?${query}`)).matchAll(/<span class="title">([^<]*)</g)].map(([, name = ""]) => name);
    expect(await names("state=failed")).toEqual(["main"]);
    expect(await names("state=waiting")).toEqual(["#9"]);
    expect(await names("text=OTHER")).toEqual(["other"]);
    expect(await names("text=main.c")).toEqual(["main"]);
    const shared = await open(boxes("branch:topic", { head: { detail: "topic, #7 at 0123abcd" } }));
    expect(await shared("/checks?text=%237")).toContain('<span class="title">topic</span><span class="about">and #7<');
    expect(await names("repo=acme%2Fshop&state=ok")).toEqual(["other"]);
    expect(await names("state=nonsense")).toHaveLength(3);
    expect(await get("/checks?repo=acme%2Fnone")).toContain("No branch and no pull request matches.");
  });

  test("shows 200 of thousands, and says so", async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => boxes(`branch:topic-${index}`)).flat();
    const body = await (await open(many))("/checks");
    expect(body.match(/<tr data-key/g)).toHaveLength(200);
    expect(body).toContain("1000 branches: 1000 ok.");
    expect(body).toContain("and 800 more: filter them.");
  });

  test("without a forge says what would be there", async () => {
    expect(await (await open([]))("/checks")).toContain("Nothing is checked.");
  });
});
