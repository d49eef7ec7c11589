import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { createRegistryClient } from "../../../src/plugins/registry/client.ts";

/** A registry that misbehaves on purpose; the real one has its own tests in test/real/registry.test.ts. */
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answering): Promise<{ readonly host: string; readonly asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    request.resume();
    answer(request, response);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { host: `127.0.0.1:${address.port}`, asked };
}

const signal = new AbortController().signal;
const client = createRegistryClient({
  clock: createClock(),
  credentials: () => ({ username: "ada", password: new Secret("hush-hush") }),
});
const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const basic = `Basic ${Buffer.from("ada:hush-hush").toString("base64")}`;

describe("the registry client", () => {
  it("fetches a token from the registry's own token server, and keeps it", async () => {
    const bytes = '{"schemaVersion":2}';
    const { host, asked } = await serve((request, response) => {
      const { url = "", headers } = request;
      if (url.startsWith("/token")) response.end(JSON.stringify({ token: "t0ken", expires_in: 60 }));
      else if (headers.authorization === "Bearer t0ken") {
        response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json; charset=utf-8");
        response.setHeader("docker-content-digest", digestOf(bytes));
        response.end(request.method === "HEAD" ? undefined : bytes);
      } else {
        const challenge = `Bearer realm="http://${headers.host ?? ""}/token",service="the registry"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
      }
    });
    const head = await client.headManifest({ host, path: "demo/web" }, "live", signal);
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    expect(head).toEqual({ ok: true, value: { digest: digestOf(bytes), mediaType } });
    const token = asked[1];
    expect(token?.url).toBe("/token?service=the+registry&scope=repository%3Ademo%2Fweb%3Apull");
    expect(token?.headers.authorization).toBe(basic);
    const again = await client.getManifest({ host, path: "demo/web" }, digestOf(bytes), signal);
    expect(again).toMatchObject({ ok: true });
    expect(asked).toHaveLength(4); // the token is kept
  });

  it("sends nobody else the password: a foreign realm is refused", async () => {
    const thief = await serve((_request, response) => response.end(JSON.stringify({ token: "x" })));
    const { host } = await serve((_request, response) => {
      const challenge = `Bearer realm="http://${thief.host}/token",service="s"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    const head = await client.headManifest({ host, path: "demo/web" }, "live", signal);
    expect(head).toMatchObject({ ok: false, error: { code: "REGISTRY_REALM_REFUSED" } });
    expect(thief.asked).toHaveLength(0);
  });

  it.each(["not a url", "https://user:pw@elsewhere.example/", "ftp://x/"])("refuses the realm %j", async (realm) => {
    const { host } = await serve((_request, response) => {
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end();
    });
    const head = await client.headManifest({ host, path: "demo/web" }, "live", signal);
    expect(head).toMatchObject({ ok: false, error: { code: "REGISTRY_REALM_REFUSED" } });
  });

  it("follows a redirect within the registry, and none to another host", async () => {
    const thief = await serve((_request, response) => response.end("{}"));
    const { host } = await serve((request, response) => {
      if (request.url === "/v2/a/manifests/live") response.writeHead(307, { location: "/elsewhere" }).end();
      else if (request.url === "/elsewhere") response.end("{}");
      else if (request.url?.startsWith("/v2/loop")) response.writeHead(307, { location: request.url }).end();
      else response.writeHead(307, { location: `http://${thief.host}/x` }).end();
    });
    expect(await client.getManifest({ host, path: "a" }, "live", signal)).toMatchObject({ ok: true });
    for (const path of ["b", "loop"]) {
      const got = await client.getManifest({ host, path }, "live", signal);
      expect(got).toMatchObject({ ok: false, error: { code: "REGISTRY_REFUSED" } });
    }
    expect(thief.asked).toHaveLength(0);
  });

  it("takes 5xx and 429 for transient, and believes Retry-After", async () => {
    const { host } = await serve((request, response) => {
      if (request.url?.startsWith("/v2/busy")) response.writeHead(429, { "retry-after": "120" }).end();
      else response.writeHead(503).end('{"errors":[{"code":"UNAVAILABLE","message":"back soon"}]}');
    });
    const startMs = Date.now();
    const busy = await client.getManifest({ host, path: "busy" }, "live", signal);
    expect(busy).toMatchObject({ ok: false, error: { code: "REGISTRY_UNREACHABLE", class: "transient" } });
    expect(busy.ok ? 0 : busy.error.retryAtMs).toBeGreaterThanOrEqual(startMs + 120_000);
    const down = await client.getManifest({ host, path: "down" }, "live", signal);
    expect(down).toMatchObject({ ok: false, error: { code: "REGISTRY_UNREACHABLE" } });
    expect(down.ok ? "" : down.error.message).toContain("back soon");
  });

  it("notices other bytes than were asked for, in both directions", async () => {
    const { host } = await serve((request, response) => {
      if (request.method === "PUT") response.writeHead(201, { "docker-content-digest": digestOf("other") }).end();
      else response.end("other");
    });
    const got = await client.getManifest({ host, path: "a" }, digestOf("asked for"), signal);
    expect(got).toMatchObject({ ok: false, error: { code: "DIGEST_MISMATCH" } });
    const manifest = { bytes: Buffer.from("mine"), digest: digestOf("mine"), mediaType: "x/y" };
    const put = await client.putManifest({ host, path: "a" }, "live", manifest, signal);
    expect(put).toMatchObject({ ok: false, error: { code: "DIGEST_MISMATCH" } });
  });

  it("reads no more than 4 MiB, and digests the bytes itself when the header is missing", async () => {
    const { host } = await serve((request, response) => {
      if (request.url?.startsWith("/v2/flood")) {
        const chunk = Buffer.alloc(1024 * 1024);
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on("drain", pour);
        pour();
      } else response.end(request.method === "HEAD" ? undefined : "bytes");
    });
    const flood = await client.getManifest({ host, path: "flood" }, "live", signal);
    expect(flood).toMatchObject({ ok: false, error: { code: "REGISTRY_FAULT" } });
    const head = await client.headManifest({ host, path: "a" }, "live", signal);
    expect(head).toMatchObject({ ok: true, value: { digest: digestOf("bytes") } });
  });

  it("gives up after thirty seconds, and at once when cancelled", async () => {
    const { host } = await serve(() => {});
    const late: (() => void)[] = [];
    const real = createClock();
    const clock = {
      ...real,
      after: (_ms: number, work: () => void) => (late.push(work), real.after(60_000, () => {})),
    };
    const patient = createRegistryClient({ clock, credentials: () => undefined });
    const hanging = patient.getManifest({ host, path: "a" }, "live", signal);
    for (const fire of late) fire();
    expect(await hanging).toMatchObject({ ok: false, error: { code: "REGISTRY_UNREACHABLE" } });
    const cancel = new AbortController();
    const cancelled = patient.getManifest({ host, path: "a" }, "live", cancel.signal);
    cancel.abort("a newer push");
    expect(await cancelled).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
  });
});
