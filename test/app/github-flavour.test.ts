// A flavour on GitHub, from pipeline.ts to the graph: what `serve` makes of it, with a strict GitHub on this machine, and
// no Docker engine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployer, docker, here, publish, swarm } from "millrace";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connect } from "../../src/app/connect.ts";
import type { GitHubAccess } from "../../src/app/options.ts";
import { Secret } from "../../src/engine/secret.ts";
import { lower } from "../../src/pipeline/lower.ts";
import { createRig, FakeGitHub, graphText } from "../../src/testing/index.ts";

let fake: FakeGitHub;
let folder: string;
beforeEach(async () => {
  fake = await FakeGitHub.start();
  folder = mkdtempSync(join(tmpdir(), "millrace-flavour-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (fake.violations.length > 0) throw new Error(fake.violations.join("\n"));
  await fake.close();
});

const { flavours } = deployer({
  acme: {
    repos: {
      "acme/shop": docker("Dockerfile", { live: publish("127.0.0.1:5/shop:live", swarm(here, "shop_web")) }),
      "acme/tools": [docker("Dockerfile"), docker("extra/Dockerfile", { main: publish("127.0.0.1:5/tools:main") })],
    },
  },
});

/** The graph once nothing moves any more, without what differs from run to run. */
async function graphOf(github: GitHubAccess): Promise<string> {
  const { engine } = createRig();
  const dockerHost = `unix://${join(folder, "no.sock")}`;
  const pipeline = join(folder, "pipeline.ts");
  const ports = connect(engine, { dockerHost, pipeline, flavour: "acme", github, scratch: folder });
  const { acme } = flavours;
  if (!ports.ok || acme === undefined) throw new Error("no ports");
  lower(ports.value, acme);
  engine.change(undefined, () => {});
  const text = (): string => graphText(engine).replaceAll(/\(([A-Z_]+): .*\)(?= ←|$)/gm, "($1)");
  await vi.waitFor(() => expect(text()).not.toMatch(/ (running|ready)\b/), { timeout: 20_000 });
  return text();
}

it("is drawn as it stands: by its app, private repositories too", async () => {
  fake.repo("acme/shop", { private: true });
  fake.repo("acme/tools");
  fake.install("acme");
  fake.push("acme/shop", "live", { Dockerfile: "FROM scratch\n" });
  const app = { id: fake.app.appId, key: new Secret(fake.app.privateKey) };
  expect(await graphOf({ app, api: new URL(fake.apiUrl) })).toMatchInlineSnapshot(`
    "acme/shop/Dockerfile/branch:live/build  failed (ENGINE_UNREACHABLE) ← acme/shop/Dockerfile/branch:live/fetch
    acme/shop/Dockerfile/branch:live/deploy/here/shop_web  blocked ← (acme/shop/Dockerfile/branch:live/tag)
    acme/shop/Dockerfile/branch:live/fetch  ok ← acme/shop/Dockerfile/branch:live/head
    acme/shop/Dockerfile/branch:live/head  ok ← acme/shop/heads
    acme/shop/Dockerfile/branch:live/push  blocked ← acme/shop/Dockerfile/branch:live/build
    acme/shop/Dockerfile/branch:live/tag  blocked ← acme/shop/Dockerfile/branch:live/push
    acme/shop/heads  ok
    acme/tools/extra%2FDockerfile/branch:main/build  failed (NO_DOCKERFILE) ← acme/tools/extra%2FDockerfile/branch:main/fetch
    acme/tools/extra%2FDockerfile/branch:main/fetch  ok ← acme/tools/extra%2FDockerfile/branch:main/head
    acme/tools/extra%2FDockerfile/branch:main/head  ok ← acme/tools/heads
    acme/tools/extra%2FDockerfile/branch:main/push  blocked ← acme/tools/extra%2FDockerfile/branch:main/build
    acme/tools/extra%2FDockerfile/branch:main/tag  blocked ← acme/tools/extra%2FDockerfile/branch:main/push
    acme/tools/heads  ok
    "
  `);
}, 30_000);

it("is drawn as it stands: without an app, as anybody sees it", async () => {
  fake.repo("acme/shop", { private: true });
  fake.repo("acme/tools");
  expect(await graphOf({ api: new URL(fake.apiUrl) })).toMatchInlineSnapshot(`
    "acme/shop/Dockerfile/branch:live/build  blocked ← acme/shop/Dockerfile/branch:live/fetch
    acme/shop/Dockerfile/branch:live/deploy/here/shop_web  blocked ← (acme/shop/Dockerfile/branch:live/tag)
    acme/shop/Dockerfile/branch:live/fetch  blocked ← acme/shop/Dockerfile/branch:live/head
    acme/shop/Dockerfile/branch:live/head  blocked ← acme/shop/heads
    acme/shop/Dockerfile/branch:live/push  blocked ← acme/shop/Dockerfile/branch:live/build
    acme/shop/Dockerfile/branch:live/tag  blocked ← acme/shop/Dockerfile/branch:live/push
    acme/shop/heads  failed (REPO_HIDDEN)
    acme/tools/extra%2FDockerfile/branch:main/build  failed (NO_DOCKERFILE) ← acme/tools/extra%2FDockerfile/branch:main/fetch
    acme/tools/extra%2FDockerfile/branch:main/fetch  ok ← acme/tools/extra%2FDockerfile/branch:main/head
    acme/tools/extra%2FDockerfile/branch:main/head  ok ← acme/tools/heads
    acme/tools/extra%2FDockerfile/branch:main/push  blocked ← acme/tools/extra%2FDockerfile/branch:main/build
    acme/tools/extra%2FDockerfile/branch:main/tag  blocked ← acme/tools/extra%2FDockerfile/branch:main/push
    acme/tools/heads  ok
    "
  `);
}, 30_000);
