// Who asks, when something stands in between: whose word is taken for it, and what tries are counted by.
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { callerOf } from "../../src/web/address.ts";
import { busyDay, RUNNING } from "../support/scene.ts";
import { form, injectable, signIn } from "../support/web.ts";

const PROXY = "10.0.0.7";
const MAX = 10;
let app: FastifyInstance | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function open(trustProxy: readonly string[], url = "http://localhost:8080") {
  const view = busyDay(1_763_719_000_000);
  view.url = url;
  const made = (await injectable(view, undefined, { trustProxy })).app;
  app = made;
  return { view, app: made };
}

/** Wrong tokens from a peer that says they are another's; how the last one was answered. */
async function wrongTokens(
  app: FastifyInstance,
  count: number,
  remoteAddress: string,
  forwarded: (index: number) => string,
) {
  let status = 0;
  for (let index = 0; index < count; index += 1) {
    const headers = { "x-forwarded-for": forwarded(index) };
    const reply = await app.inject({ method: "POST", url: "/login", remoteAddress, ...form({ token: "x" }, headers) });
    status = reply.statusCode;
  }
  return status;
}

describe("wrong tokens are counted by the client's own address", () => {
  test("which a proxy that is trusted tells", async () => {
    const { app } = await open([PROXY]);
    expect(await wrongTokens(app, MAX + 1, PROXY, (index) => `203.0.113.${index}`)).toBe(403);
    expect(await wrongTokens(app, MAX + 1, PROXY, () => "203.0.113.99")).toBe(429);
    expect(await wrongTokens(app, 1, PROXY, () => "203.0.113.98")).toBe(403);
  });

  test("of several proxies by the first that is not ours, whatever stands before it", async () => {
    const { app } = await open(["10.0.0.0/24"]);
    const last = await wrongTokens(app, MAX + 1, PROXY, (index) => `198.51.100.${index}, 203.0.113.5, 10.0.0.9`);
    expect(last).toBe(429);
    expect(await wrongTokens(app, 1, PROXY, () => "203.0.113.6, 10.0.0.9")).toBe(403);
  });

  test.each([
    ["nobody is trusted", [], PROXY],
    ["the peer is not the proxy", [PROXY], "10.0.0.8"],
    ["the peer is outside of the network", ["10.1.0.0/16"], PROXY],
  ])("and a peer's own word for it is nothing: %s", async (_why, trusted, peer) => {
    const { app } = await open(trusted);
    expect(await wrongTokens(app, MAX + 1, peer, (index) => `203.0.113.${index}`)).toBe(429);
  });

  test("what is no address counts as the proxy's", async () => {
    const { app } = await open([PROXY]);
    expect(await wrongTokens(app, MAX + 1, PROXY, (index) => `${"unknown".repeat(100)}-${index}`)).toBe(429);
  });

  test("so do wrong tokens of programs", async () => {
    const { app } = await open([PROXY]);
    const act = (address: string) =>
      app.inject({
        method: "POST",
        url: `/api/v1/jobs/${RUNNING}/cancel`,
        remoteAddress: PROXY,
        headers: { authorization: "Bearer wrong", "x-forwarded-for": address },
      });
    for (let index = 0; index < MAX; index += 1) expect((await act("203.0.113.1")).statusCode).toBe(401);
    expect([(await act("203.0.113.1")).statusCode, (await act("203.0.113.2")).statusCode]).toEqual([429, 401]);
  });
});

test("of the host and the scheme nobody's word is taken, not even the proxy's", async () => {
  const { view, app } = await open([PROXY], "https://deploy.example.org");
  const { cookie, csrf } = await signIn(app);
  const forwarded = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" };
  const headers = { cookie, "x-csrf-token": csrf, origin: "http://evil.example", ...forwarded };
  const url = `/api/v1/jobs/${RUNNING}/cancel`;
  const reply = await app.inject({ method: "POST", url, remoteAddress: PROXY, headers });
  expect([reply.statusCode, view.actions]).toEqual([403, []]);
  const page = await app.inject({ url: "/login", remoteAddress: PROXY, headers: forwarded });
  expect(page.body).not.toContain("evil.example");
  expect(page.headers["strict-transport-security"]).toBeDefined();
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["nowhere", "nowhere"],
])("tries from %s count for %s", (address, caller) => {
  expect(callerOf(address)).toBe(caller);
});
