// What GitHub tells, by the thousand, and what anybody else sends: nothing that was confirmed is lost, little is spent.
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeGitHub } from "../../src/testing/index.ts";
import { withWords } from "../support/pipeline-file.ts";
import { type Server, startServer } from "./server.ts";

const DELIVERIES = 1_000;
const BYTES = 20_000;
const CONNECTIONS = 50;
const UNSIGNED = 4;
const UNSIGNED_BYTES = 200 * 1024 * 1024;
const GROWTH_MAX = 30 * 1024 * 1024;
const MINUTES_MS = 180_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

describe("a server that GitHub tells things", () => {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let fake: FakeGitHub;
  let folder: string;
  let server: Server;

  beforeAll(async () => {
    fake = await FakeGitHub.start();
    fake.repo("team/hello", { files: { Dockerfile: "FROM scratch\n" } });
    fake.install("team");
    folder = mkdtempSync(join(tmpdir(), "millrace-webhooks-"));
    writeFileSync(
      join(folder, "pipeline.ts"),
      withWords('export default deployer({ demo: { repos: { "team/hello": docker("Dockerfile", {}) } } });\n'),
    );
    for (const [name, text] of Object.entries({ key: fake.app.privateKey, secret: fake.app.webhookSecret }))
      writeFileSync(join(folder, name), text, { mode: 0o600 });
    server = await started();
  });
  afterAll(async () => {
    await server.kill("SIGKILL");
    agent.destroy();
    await fake.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** No engine is needed: nothing that is told here leads to a build. */
  const started = (): Promise<Server> => {
    const app = ["--github-app-id", String(fake.app.appId), "--github-url", fake.apiUrl];
    const files = ["--github-private-key-file", "key", "--github-webhook-secret-file", "secret"];
    return startServer(folder, ["--port", "0", "--docker-host", "unix:///nowhere/docker.sock", ...app, ...files]);
  };

  const send = (headers: Readonly<Record<string, string>>, write: (to: ReturnType<typeof request>) => void) =>
    new Promise<Answer>((resolve) => {
      const post = request(`${server.url}/webhooks/github`, { method: "POST", agent, headers }, (reply) => {
        let text = "";
        reply.on("data", (part) => (text += String(part)));
        reply.on("end", () => resolve({ status: reply.statusCode ?? 0, text }));
      });
      post.on("error", ({ message }) => resolve({ status: 0, text: message }));
      write(post);
    });

  /** A push to a repository that is not in the pipeline. */
  function deliver(number: number): Promise<Answer> {
    const text = JSON.stringify({ repository: { id: 1e9, full_name: "other/repo" }, number, pad: "" });
    const body = text.replace('"pad":""', `"pad":"${"x".repeat(BYTES - text.length)}"`);
    const signature = createHmac("sha256", fake.app.webhookSecret).update(body).digest("hex");
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": `burst-${number}`,
      "x-hub-signature-256": `sha256=${signature}`,
    };
    return send(headers, (post) => post.end(body));
  }

  const all = (): Promise<readonly Answer[]> =>
    Promise.all(Array.from({ length: DELIVERIES }, (_, number) => deliver(number)));
  const counted = (answers: readonly Answer[]): Readonly<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { status, text } of answers) counts[`${status} ${text}`] = (counts[`${status} ${text}`] ?? 0) + 1;
    return counts;
  };

  it(
    "confirms a thousand at once, and has each of them still after kill -9 with the last answer",
    async () => {
      expect(counted(await all())).toEqual({ '202 {"note":"taken"}': DELIVERIES });
      await server.kill("SIGKILL");
      server = await started();
      expect(counted(await all())).toEqual({ '202 {"note":"taken before"}': DELIVERIES });
    },
    MINUTES_MS,
  );

  it(
    "spends little on bodies of 200 MB that nobody has signed, and answers others meanwhile",
    async () => {
      const before = memory(server.pid);
      const [home, ...answers] = await Promise.all([
        fetch(`${server.url}/healthz`).then(({ status }) => ({ status })),
        ...Array.from({ length: UNSIGNED }, () => send(forged, pour)),
      ]);
      const growth = (memory(server.pid) - before) / UNSIGNED;
      expect(home.status).toBe(200);
      // Too long, or too many at once; it hangs up while the sender still sends, who may see that before the answer.
      for (const { status } of answers) expect([413, 503, 0]).toContain(status);
      expect(growth).toBeLessThan(GROWTH_MAX);
      expect((await deliver(DELIVERIES)).status).toBe(202);
    },
    MINUTES_MS,
  );
});

const forged = { "content-type": "application/json", "x-hub-signature-256": `sha256=${"0".repeat(64)}` };

/** As much as the other side takes, up to the end. */
function pour(post: ReturnType<typeof request>): void {
  const chunk = Buffer.alloc(1024 * 1024, "x");
  let left = UNSIGNED_BYTES / chunk.length;
  const more = (): void => {
    while (left > 0 && !post.destroyed) {
      left -= 1;
      if (!post.write(chunk)) return void post.once("drain", more);
    }
    post.end();
  };
  more();
}

/** The most that the process has ever needed, in bytes. */
function memory(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1]) * 1024;
}
