import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Pool } from "../../src/engine/pool.ts";
import { Secret } from "../../src/engine/secret.ts";
import {
  buildImage,
  type DockerPushContext,
  type DockerPushKey,
  dockerBuild,
  dockerPush,
} from "../../src/plugins/docker/index.ts";
import { success } from "../../src/term/output.ts";
import { buildContext, buildKey, docker, testEngine } from "../support/docker.ts";
import { makeRepository, type TestRepository } from "../support/git.ts";
import { busyboxImage } from "../support/images.ts";
import { testJob } from "../support/job.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-push-"));
const building = buildContext(state);
const tags = new Set<string>();
let registry: TestRegistry;
let source: TestRepository;

beforeAll(async () => {
  registry = await startRegistry();
  source = makeRepository({ Dockerfile: `FROM ${await busyboxImage()}\nRUN echo ${Math.random()} > /x\n` });
});
afterAll(async () => {
  for (const tag of tags) await docker(["rmi", "--force", tag]).catch(() => {});
  await registry.dispose();
  source.dispose();
  rmSync(state, { recursive: true, force: true });
});

/** What the registry says by itself. */
async function head(repo: string, reference: string): Promise<string | undefined> {
  const [host = "", ...name] = repo.split("/");
  const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString("base64")}`;
  const accept = "application/vnd.docker.distribution.manifest.v2+json";
  const url = `http://${host}/v2/${name.join("/")}/manifests/${reference}`;
  const answer = await fetch(url, { method: "HEAD", headers: { authorization, accept } });
  return answer.ok ? (answer.headers.get("docker-content-digest") ?? undefined) : undefined;
}

function pushContext(more: Partial<DockerPushContext> = {}): DockerPushContext {
  return {
    engine: building.engine,
    pool: new Pool("pushes", 2),
    credentials: () => ({ username: registry.username, password: new Secret(registry.password) }),
    headManifest: async (repo, reference) => {
      const digest = await head(repo, reference);
      return success(digest === undefined ? undefined : { digest });
    },
    rebuild: (job, build) => buildImage(building, build, job),
    ...more,
  };
}

async function pushKey(): Promise<DockerPushKey> {
  const build = buildKey(source);
  const built = await dockerBuild.build(building, build, testJob());
  if (!built.ok) throw new Error(built.error.message);
  const key = { image: built.value.image, repo: `${registry.host}/shop/web`, tag: "millrace-0123456789abcdef", build };
  tags.add(`${key.repo}:${key.tag}`);
  return key;
}

test("pushes under our own tag, and gives the digest that the registry gave", async () => {
  const key = await pushKey();
  const job = testJob();
  const pushed = await dockerPush.build(pushContext(), key, job);
  expect(pushed).toEqual({ ok: true, value: { repo: key.repo, digest: await head(key.repo, key.tag) } });
  expect(job.starts).toMatchObject([{ level: "above-average" }]);
  expect(job.text()).toMatch(/: Pushed$/m);
  expect(job.reports.at(-1)).toMatchObject({ done: 2, total: 2 });
  const again = testJob();
  expect(await dockerPush.build(pushContext(), key, again)).toEqual(pushed);
  expect(again.text()).toMatch(/: Layer already exists$/m);
  const stored = pushed.ok ? dockerPush.value.encode(pushed.value) : null;
  expect(success(dockerPush.value.decode(stored))).toEqual(pushed);
});

test("builds the image again when the engine has lost it", async () => {
  const key = await pushKey();
  await docker(["rmi", "--force", key.image]);
  const job = testJob();
  expect(await dockerPush.build(pushContext(), key, job)).toMatchObject({ ok: true });
  expect(job.text()).toContain(`the engine no longer has ${key.image}: it is built again`);
});

test("wrong or no password: refused, without the password in message or log", async () => {
  const key = await pushKey();
  const password = `wrong-${Math.random()}`;
  for (const credentials of [() => undefined, () => ({ username: "millrace", password: new Secret(password) })]) {
    const job = testJob();
    const pushed = await dockerPush.build(pushContext({ credentials }), key, job);
    expect(pushed).toMatchObject({ ok: false, error: { code: "REGISTRY_REFUSED", class: "failed" } });
    expect(JSON.stringify(pushed) + job.unscrubbed()).not.toContain(password);
  }
});

test("the password is not in the log of a push that goes well", async () => {
  const key = await pushKey();
  const job = testJob();
  const before = readFileSync(registry.logPath, "utf8").length;
  expect(await dockerPush.build(pushContext(), key, job)).toMatchObject({ ok: true });
  expect(readFileSync(registry.logPath, "utf8").length).toBeGreaterThan(before);
  expect(job.unscrubbed()).not.toContain(registry.password);
});

test("a registry that is down is unreachable, which is transient; when it is back the push goes well", async () => {
  const key = await pushKey();
  await registry.stop();
  const down = await dockerPush.build(pushContext(), key, testJob());
  expect(down).toMatchObject({ ok: false, error: { code: "REGISTRY_UNREACHABLE", class: "transient" } });
  await registry.restart();
  expect(await dockerPush.build(pushContext(), key, testJob())).toMatchObject({ ok: true });
});

test("a tag that answers something else, or nothing, is not believed", async () => {
  const key = await pushKey();
  for (const answer of [undefined, { digest: `sha256:${"0".repeat(64)}` }]) {
    const headManifest = () => Promise.resolve(success(answer));
    const pushed = await dockerPush.build(pushContext({ headManifest }), key, testJob());
    expect(pushed).toMatchObject({ ok: false, error: { code: "PUSH_UNVERIFIED", class: "transient" } });
  }
});

test("an engine that is not there is unreachable; a cancelled push says who wanted it", async () => {
  const key = await pushKey();
  const engine = testEngine("unix:///nonexistent/docker.sock");
  const pushed = await dockerPush.build(pushContext({ engine }), key, testJob());
  expect(pushed).toMatchObject({ ok: false, error: { code: "ENGINE_UNREACHABLE" } });
  const job = testJob();
  job.cancel("cancelled by ada");
  const cancelled = await dockerPush.build(pushContext(), key, job);
  expect(cancelled).toMatchObject({ ok: false, error: { code: "CANCELLED", message: "cancelled by ada" } });
});
