import { beforeEach, describe, expect, test } from "vitest";
import type { Waiting } from "../../src/engine/approvals.ts";
import type { ChangedFile, Proposal } from "../../src/engine/changes.ts";
import { problem } from "../../src/engine/errors.ts";
import { failure, success } from "../../src/term/output.ts";
import { FakeView } from "../support/view.ts";
import { BEARER, form, injectable, signIn } from "../support/web.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const AT = `/approvals/5/7/${COMMIT}`;
const MALLORY: Waiting = {
  repository: 5,
  name: "acme/web",
  pull: 7,
  commit: COMMIT,
  author: { id: 66, login: "mallory" },
  fork: "mallory/web",
  url: "https://forge.example/acme/web/pull/7",
  term: "acme/web/pr:7/head",
  sinceMs: 1_763_719_000_000,
};
const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({
  path,
  status: "changed",
  added: 2,
  removed: 1,
  ...more,
});
const proposal = (more: Partial<Proposal> = {}): Proposal => ({
  since: "c0",
  whole: true,
  deciding: [file("Dockerfile", { patch: "@@ -1 +1,2 @@\n-RUN b\n+RUN evil\n+RUN <script>x</script>" })],
  others: [file("src/a.ts", { added: 4, removed: 3 })],
  ...more,
});

let view: FakeView;
beforeEach(() => {
  view = new FakeView();
  view.strangers = [MALLORY];
});

/** The page as an administrator sees it. */
async function review(path = AT) {
  const { app, faults } = await injectable(view);
  const { cookie, csrf } = await signIn(app);
  const reply = await app.inject({ url: path, headers: { cookie } });
  const post = (more: Record<string, string> = {}) =>
    app.inject({
      method: "POST",
      url: "/approve",
      ...form({ _csrf: csrf, repository: "5", pull: "7", commit: COMMIT, ...more }, { cookie }),
    });
  expect(faults).toEqual([]);
  return { status: reply.statusCode, body: reply.body, main: reply.body.split("<main")[1] ?? "", post };
}

describe("the page of a commit that waits", () => {
  test("shows what decides the build before the button, and of the rest the counts", async () => {
    view.proposed = success(proposal());
    const { main, post } = await review();
    const order = ["Dockerfile", "RUN evil", "src/a.ts", "+4 −3", `<button class="primary">Build 0123456789`];
    const places = order.map((text) => main.indexOf(text));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(main).toContain('<div class="gone">-RUN b</div>');
    expect(main).toContain('<div class="come">+RUN &lt;script&gt;x&lt;/script&gt;</div>');
    expect(main).not.toContain("<script>");
    expect((await post()).statusCode).toBe(303);
    expect(view.actions).toMatchObject([{ name: "approve", subject: COMMIT }]);
  });

  test("marks what would not be seen, or seen in another order, also in the name of a file", async () => {
    const patch = "+RUN a \u202Eb\u202C \u200B# \u0007\r\n\\ No newline at end of file";
    view.proposed = success(proposal({ deciding: [file("\u202Eelif.dockerfile", { patch })] }));
    const { main } = await review();
    for (const unseen of "\u202E\u202C\u200B\u0007\r") expect(main).not.toContain(unseen);
    expect(main).toContain('<span class="ctl">⟨U+202E⟩</span>b');
    expect(main).toContain('<span class="ctl">⟨U+200B⟩</span># <span class="ctl">␇</span>');
    expect(main).toContain('<code class="title">⟨U+202E⟩elif.dockerfile</code>');
  });

  test.each([
    ["there are more files than are listed", { whole: false }, "more files than the forge lists"],
    ["nothing is shown of a file", { deciding: [file("Dockerfile")] }, "Not all is shown of Dockerfile"],
    [
      "a file goes on",
      { deciding: [file("Dockerfile", { patch: "+a", cut: true as const })] },
      "It goes on: too long to be shown here",
    ],
    ["a file is too long", { deciding: [file("Dockerfile", { cut: true as const })] }, "Too long to be shown here"],
  ])("marks the button when %s", async (_, more, said) => {
    view.proposed = success(proposal(more));
    const { main } = await review();
    expect(main).toContain(said);
    expect(main).toContain('<button class="danger">Build all the same');
    expect(main).toContain(`href="${MALLORY.url}"`);
  });

  test("says why when the forge does not, and leaves the choice", async () => {
    view.proposed = failure(problem("FORGE_UNREACHABLE", "compare: HTTP 502, <b>bad gateway</b>"));
    const { main, status } = await review();
    expect(status).toBe(200);
    expect(main).toContain("compare: HTTP 502, &lt;b&gt;bad gateway&lt;/b&gt;");
    expect(main).toContain(`href="${MALLORY.url}"`);
    expect(main).toContain('<button class="danger">Build all the same');
    expect(main).not.toContain("Other files");
  });

  test("of another commit is none, and says which is newest", async () => {
    view.proposed = success(proposal());
    const old = await review(`/approvals/5/7/${"f".repeat(40)}`);
    expect([old.status, old.main.includes("is at 0123456789 now"), old.main.includes("/approve")]).toEqual([
      409,
      true,
      false,
    ]);
    for (const path of ["/approvals/5/8/", "/approvals/6/7/"])
      expect((await review(`${path}${COMMIT}`)).status).toBe(404);
    expect((await review("/approvals/x/7/y")).status).toBe(404);
  });
});

test("the list leads there, and has no button itself; who may not approve sees the forge only", async () => {
  const { main } = await review("/approvals");
  expect(main).toContain(`<a class="button" href="${AT}">Review</a>`);
  expect(main).not.toContain("/approve");
  const { app } = await injectable(view);
  const { body } = await app.inject({ url: "/approvals" });
  expect([body.includes(AT), body.includes(MALLORY.url ?? "-")]).toEqual([false, true]);
  expect((await app.inject({ url: AT })).statusCode).toBe(401);
});

test("the API tells the same", async () => {
  const { app } = await injectable(view);
  const ask = async (path: string) => {
    const reply = await app.inject({ url: `/api/v1${path}`, headers: BEARER });
    return { status: reply.statusCode, json: reply.json<unknown>() };
  };
  view.proposed = success(proposal());
  expect(await ask(AT)).toEqual({ status: 200, json: proposal() });
  expect(await ask(`/approvals/5/9/${COMMIT}`)).toMatchObject({ status: 404, json: { code: "NOT_FOUND" } });
  expect(await ask("/approvals/5/7/short")).toMatchObject({ status: 400 });
  view.proposed = failure(problem("FORGE_UNREACHABLE", "502"));
  expect(await ask(AT)).toMatchObject({ status: 503, json: { code: "FORGE_UNREACHABLE", detail: "502" } });
});
