import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuditRow } from "../../src/engine/store/store.ts";
import { busyDay, FAILED } from "../support/scene.ts";
import { BEARER, injectable } from "../support/web.ts";

let app: FastifyInstance;

const row = (id: number, more: Partial<AuditRow> = {}): AuditRow => ({
  id,
  atMs: 1_763_719_000_000 + id,
  who: id % 2 === 0 ? "github:ann" : "token:ci",
  what: "rebuild",
  subject: FAILED,
  detail: "",
  ...more,
});

beforeAll(async () => {
  const view = busyDay(1_763_719_000_000);
  view.entries = Array.from({ length: 230 }, (_, index) => row(index + 1));
  view.entries.push(row(231, { what: "refused", subject: "POST /adopt", detail: "<b>only</b> an administrator" }));
  ({ app } = await injectable(view));
});
afterAll(() => app.close());

const page = async (url: string): Promise<string> => (await app.inject({ url, headers: BEARER })).body;
const countOf = (body: string): number => body.split("<tr data-key=").length - 1;

test("the newest first, page by page, and each job one click away", async () => {
  const first = await page("/audit");
  expect([countOf(first), first.includes(`<a href="/job/${FAILED}">`)]).toEqual([100, true]);
  expect(first).toContain("&lt;b&gt;only&lt;/b&gt; an administrator");
  expect(first).toMatch(/look-failed.*refused/);
  const [, older = ""] = /href="([^"]+)" rel="next"/.exec(first) ?? [];
  const second = await page(older.replaceAll("&amp;", "&"));
  const [, oldest = ""] = /href="([^"]+)" rel="next"/.exec(second) ?? [];
  const third = await page(oldest.replaceAll("&amp;", "&"));
  expect([countOf(second), countOf(third), third.includes('rel="next"')]).toEqual([100, 31, false]);
});

test("by who and what; a filter that fits nothing says so", async () => {
  expect(countOf(await page("/audit?what=refused"))).toBe(1);
  const mine = await page("/audit?who=github:ann");
  expect([mine.includes("token:ci"), countOf(mine)]).toEqual([false, 100]);
  expect(await page("/audit?who=nobody")).toContain("No entry matches.");
  expect(countOf(await page("/audit?before=nonsense"))).toBe(100);
});

test("the API has the same, and says where the next page begins", async () => {
  const get = async (
    url: string,
  ): Promise<{ readonly entries: readonly { readonly id: number }[]; readonly next?: number }> =>
    (await app.inject({ url, headers: BEARER })).json();
  const ids: number[] = [];
  for (let before: number | undefined = 1_000; before !== undefined; ) {
    const { entries, next } = await get(`/api/v1/audit?limit=90&before=${before}`);
    ids.push(...entries.map(({ id }) => id));
    before = next;
  }
  expect(ids).toEqual(Array.from({ length: 231 }, (_, index) => 231 - index));
  const [refused] = (await get("/api/v1/audit?what=refused")).entries;
  expect(refused).toEqual({
    id: 231,
    at: "2025-11-21T09:56:40.231Z",
    who: "token:ci",
    what: "refused",
    subject: "POST /adopt",
    detail: "<b>only</b> an administrator",
  });
});
