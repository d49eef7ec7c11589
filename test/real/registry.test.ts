import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import type { Observed, Stamp } from "../../src/engine/effects/target.ts";
import { Secret } from "../../src/engine/secret.ts";
import { createRegistryClient, parseCredentials, tagKind } from "../../src/plugins/registry/index.ts";
import { testJob } from "../support/job.ts";
import { need } from "../support/need.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { pushImage, webService } from "../support/service.ts";

const signal = new AbortController().signal;
const stamp: Stamp = { intent: "i", generation: 1, epoch: 1, digest: "d", owner: "test" };
const clock = createClock();

describe.skipIf(!need("docker") || !need("registry") || !need("busybox"))("a registry and its tags", () => {
  let registry: TestRegistry;
  let one: string;
  let two: string;
  const repo = () => ({ host: registry.host, path: "demo/site" });
  const client = (password = registry.password) =>
    createRegistryClient({
      clock,
      credentials: () => ({ username: registry.username, password: new Secret(password) }),
    });
  const kind = () => tagKind({ client: client(), clock });
  const spec = (tag: string) => ({ repo: `${registry.host}/demo/site`, tag });
  const wanted = (digest: string) => ({ repo: `${registry.host}/demo/site`, digest });
  const observe = async (tag: string): Promise<Observed> => {
    const seen = await kind().observe(spec(tag), signal);
    if (!seen.ok) throw new Error(seen.error.message);
    return seen.value;
  };
  const writes = async (): Promise<number> =>
    (await readFile(registry.logPath, "utf8")).split("\n").filter((line) => line.includes('"PUT /v2/')).length;

  beforeAll(async () => {
    registry = await startRegistry();
    const digestOf = (image: string): string => image.slice(image.indexOf("@") + 1);
    one = digestOf(await pushImage(registry, "demo/site", webService("one")));
    two = digestOf(await pushImage(registry, "demo/site", webService("two")));
  });
  afterAll(() => registry.dispose());

  it("makes a tag and moves it; the digest stays what it is", async () => {
    const before = await observe("live");
    expect(before).toEqual({ exists: true, version: "", motion: "steady", ref: null });
    expect(kind().plan(spec("live"), before, wanted(one))).toEqual([{ field: "tag live", before: "none", after: one }]);
    for (const digest of [one, two]) {
      const seen = await observe("live");
      const applied = await kind().apply(spec("live"), seen, wanted(digest), stamp, testJob());
      expect(applied).toEqual({ state: "applied", ref: { digest } });
      expect(await kind().settle(spec("live"), { digest }, testJob())).toMatchObject({ state: "healthy" });
      expect(await observe("live")).toMatchObject({ exists: true, running: digest, ref: { digest } });
    }
    const seen = await observe("live");
    expect(seen.receipt).toBeUndefined();
    expect(kind().plan(spec("live"), seen, wanted(two))).toEqual([]);
  });

  it("writes nothing to fence, to look or to plan", async () => {
    const before = await writes();
    expect(before).toBeGreaterThan(0);
    const seen = await observe("live");
    kind().plan(spec("live"), seen, wanted(one));
    expect(await kind().fence(spec("live"), seen, stamp, testJob())).toMatchObject({ state: "applied" });
    expect(await writes()).toBe(before);
  });

  it("refuses a digest that is gone, and an image of another repository", async () => {
    const gone = `sha256:${"0".repeat(64)}`;
    const seen = await observe("live");
    const missing = await kind().apply(spec("live"), seen, wanted(gone), stamp, testJob());
    expect(missing).toMatchObject({ state: "refused", error: { code: "MANIFEST_GONE" } });
    const foreign = { repo: `${registry.host}/demo/other`, digest: one };
    const elsewhere = await kind().apply(spec("live"), seen, foreign, stamp, testJob());
    expect(elsewhere).toMatchObject({ state: "refused", error: { code: "REGISTRY_REPO_DIFFERS" } });
  });

  it("says failed when somebody else has moved the tag", async () => {
    let nowMs = 0;
    const hurried = { ...clock, elapsed: () => (nowMs += 30_000), sleep: () => Promise.resolve() };
    const settled = await tagKind({ client: client(), clock: hurried }).settle(
      spec("live"),
      { digest: one },
      testJob(),
    );
    expect(settled).toMatchObject({ state: "failed" });
    expect(JSON.stringify(settled)).toContain(two);
  });

  it("knows head, bytes and put of a manifest", async () => {
    const head = await client().headManifest(repo(), one, signal);
    expect(head).toMatchObject({ ok: true, value: { digest: one } });
    expect(await client().headManifest(repo(), "no-such-tag", signal)).toEqual({ ok: true, value: undefined });
    const manifest = await client().getManifest(repo(), one, signal);
    if (!manifest.ok) throw new Error(manifest.error.message);
    expect(manifest.value.digest).toBe(one);
    expect(manifest.value.mediaType).toMatch(/^application\/vnd\..*manifest/);
    expect(await client().putManifest(repo(), "copy", manifest.value, signal)).toEqual({ ok: true, value: one });
    expect(await client().headManifest(repo(), "copy", signal)).toEqual(head);
  });

  it("is refused with a wrong password, and never shows it", async () => {
    const refused = await client("wrong-password").headManifest(repo(), "live", signal);
    expect(refused).toMatchObject({ ok: false, error: { code: "REGISTRY_REFUSED", class: "failed" } });
    expect(await client("wrong-password").check(registry.host, signal)).toMatchObject({ ok: false });
    expect(await client().check(registry.host, signal)).toEqual({ ok: true, value: undefined });
    expect(JSON.stringify(refused)).not.toContain("wrong-password");
  });

  it("reads the credentials that docker login writes", async () => {
    const auth = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    const file = parseCredentials(JSON.stringify({ auths: { [registry.host]: { auth } } }), "config.json");
    if (!file.ok) throw new Error(file.error.message);
    const reader = createRegistryClient({ clock, credentials: (host) => file.value.get(host) });
    expect(await reader.headManifest(repo(), "live", signal)).toMatchObject({ ok: true, value: { digest: two } });
  });

  it("takes a stopped registry for transient: unknown to write, waited for to settle", async () => {
    const seen = await observe("live");
    await registry.stop();
    const lost = await kind().observe(spec("live"), signal);
    expect(lost).toMatchObject({ ok: false, error: { code: "REGISTRY_UNREACHABLE", class: "transient" } });
    const unknown = await kind().apply(spec("live"), seen, wanted(one), stamp, testJob());
    expect(unknown).toMatchObject({ state: "unknown" });
    const settling = kind().settle(spec("live"), { digest: two }, testJob());
    await registry.restart();
    expect(await settling).toMatchObject({ state: "healthy" });
  });
});
