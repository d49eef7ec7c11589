import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import type { DeployReport } from "../../../src/engine/deploy-report.ts";
import type { Sender } from "../../../src/engine/effects/sender.ts";
import type { Json } from "../../../src/engine/json.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { type Ending, endingOf, slackSender, webhookSender } from "../../../src/plugins/messages/index.ts";

const signal = new AbortController().signal;
const SITE = "https://deploy.example";
const report: DeployReport = {
  term: "acme/shop/deploy",
  repo: "acme/shop",
  branch: "live",
  place: "shop_web",
  commit: "c0ffee00c0ffee",
  state: "success",
  running: "shop@sha256:1",
  rolledOut: true,
  job: "2026-01-02/1",
  url: "https://shop.example",
};
const failed: DeployReport = {
  ...report,
  state: "failure",
  rolledOut: false,
  failure: { code: "ROLLED_BACK", message: "it went back", class: "failed" },
};

interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let heard: Heard[];
let answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
let url: string;

beforeEach(async () => {
  heard = [];
  answer = { status: 200, body: "ok" };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/services/T0/B0/token-token`;
});

afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

/** Sends one after the other as the outbox does; what came of each. */
async function tellAll(sender: Sender<Ending>, ...reports: readonly DeployReport[]): Promise<readonly string[]> {
  let kept: Json | undefined;
  const results: string[] = [];
  for (const one of reports) {
    const ending = endingOf(one);
    if (ending === undefined) continue;
    const stored = sender.want.decode(sender.want.encode(ending));
    const result = await sender.send(stored ?? ending, kept, signal, false);
    if (result.ok) kept = result.value;
    results.push(result.ok ? "ok" : result.error.code);
  }
  return results;
}

const slack = (): Sender<Ending> => slackSender(new Secret(url), createClock(), SITE);
const texts = (): readonly string[] =>
  heard.map(({ body }) => {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null && "text" in json ? String(json.text) : "";
  });

describe("one message a deploy", () => {
  it("comes when it has ended, not before", async () => {
    await tellAll(slack(), { ...report, state: "queued" }, { ...report, state: "in_progress" }, report);
    expect(texts()).toEqual([
      ":white_check_mark: shop_web: acme/shop live (c0ffee00) is deployed · <https://deploy.example/job/2026-01-02/1|log> " +
        "· <https://shop.example|open>",
    ]);
  });

  it("does not come when the same runs there already, at the first start or for a newer commit", async () => {
    await tellAll(slack(), { ...report, rolledOut: false }, { ...report, commit: "0ther" });
    expect(texts()).toEqual([]);
  });

  it("comes for a failure, and when it is over, whoever mended it", async () => {
    await tellAll(slack(), report, failed, { ...report, rolledOut: false });
    expect(texts().map((text) => text.split(" · ")[0])).toEqual([
      ":white_check_mark: shop_web: acme/shop live (c0ffee00) is deployed",
      ":x: shop_web: the deploy of acme/shop live (c0ffee00) failed: it went back",
      ":large_green_circle: shop_web: acme/shop live (c0ffee00) is deployed; it works again",
    ]);
  });

  it("calls nobody and links nowhere, whatever a failure says", async () => {
    const message = "<!channel> <http://evil|click> & more";
    await tellAll(slack(), { ...failed, failure: { code: "X", message, class: "failed" } });
    expect(texts()[0]).toContain("failed: &lt;!channel&gt; &lt;http://evil|click&gt; &amp; more");
  });
});

describe("what the other side answers", () => {
  it.each([
    [400, "SEND_REFUSED"],
    [404, "SEND_REFUSED"],
    [302, "SEND_REFUSED"],
    [408, "NOT_SENT"],
    [429, "NOT_SENT"],
    [500, "NOT_SENT"],
    [503, "NOT_SENT"],
  ])("%i is %s, and a redirect is not followed", async (status, code) => {
    answer = { status, headers: { location: url, "retry-after": "7" }, body: "no_service" };
    expect(await tellAll(slack(), report)).toEqual([code]);
    expect(heard).toHaveLength(1);
  });

  it("is enough when it says yes, though the rest of the answer never comes: nothing is said twice", async () => {
    server.removeAllListeners("request");
    server.on("request", (_request, response) => {
      response.writeHead(200, { "content-length": 2 }).flushHeaders();
      response.socket?.end();
    });
    expect(await tellAll(slack(), report)).toEqual(["ok"]);
  });

  it("never tells the secret address when it cannot be reached, and waits as long as it is asked to", async () => {
    answer = { status: 429, headers: { "retry-after": "120" } };
    const ending = endingOf(report);
    if (ending === undefined) throw new Error("it has ended");
    const limited = await slack().send(ending, undefined, signal, false);
    const inMs = limited.ok ? 0 : (limited.error.retryAtMs ?? 0) - createClock().now();
    expect(Math.round(inMs / 10_000)).toBe(12);
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    const gone = await slack().send(ending, undefined, signal, false);
    expect(gone).toMatchObject({ ok: false, error: { code: "NOT_SENT", class: "transient" } });
    expect(JSON.stringify(gone)).not.toContain("token-token");
    server.listen(0);
  });
});

describe("the generic webhook", () => {
  it("is JSON, signed over its bytes, with an id that is the same for each try", async () => {
    const secret = new Secret("shared-between-us");
    const sender = webhookSender(url, secret, createClock(), SITE);
    answer = { status: 500 };
    await tellAll(sender, failed);
    answer = { status: 204 };
    await tellAll(sender, failed);
    const [first, second] = heard;
    if (first === undefined || second === undefined) throw new Error("nothing came");
    const mac = createHmac("sha256", "shared-between-us").update(second.body).digest("hex");
    expect(second.headers["x-millrace-signature-256"]).toBe(`sha256=${mac}`);
    expect(second.headers["x-millrace-delivery"]).toBe(first.headers["x-millrace-delivery"]);
    expect(JSON.parse(second.body)).toEqual({
      event: "deploy",
      term: "acme/shop/deploy",
      repo: "acme/shop",
      branch: "live",
      commit: "c0ffee00c0ffee",
      place: "shop_web",
      state: "failed",
      running: "shop@sha256:1",
      code: "ROLLED_BACK",
      why: "it went back",
      job: "2026-01-02/1",
      url: "https://shop.example",
      recovered: false,
      text: "shop_web: the deploy of acme/shop live (c0ffee00) failed: it went back",
      link: "https://deploy.example/job/2026-01-02/1",
    });
  });
});
