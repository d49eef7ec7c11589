// A user's way, by the README alone: the packed tarball in an empty folder, init, check, a dry run, the first deploy.
import { execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execGit, makeRepository, type TestRepository } from "../support/git.ts";
import { dockerHost, need } from "../support/need.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { sample } from "./sample.ts";
import { containersGone, createSampleService, removeImages, removeService, serviceNow } from "./service.ts";
import { until } from "./until.ts";

const root = resolve(import.meta.dirname, "../..");
const INSTALL_MS = 240_000;
const DEPLOY_MS = 60_000;
const run = promisify(execFile);

describe.skipIf(!need("swarm") || !need("registry") || !need("git"))("the packed tarball", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-user-"));
  const user = join(folder, "user");
  const service = `millrace-test-${randomBytes(4).toString("hex")}_hello`;
  const env = { ...process.env, HOME: join(folder, "home"), CI: "", DOCKER_HOST: dockerHost };
  let registry: TestRegistry;
  let hello: TestRepository;

  /** Runs and moved: the image is ours and the service says that the update is through. */
  const runs = async (other?: string): Promise<boolean> => {
    const { image, update } = await serviceNow(service);
    return image.startsWith(`${registry.host}/me/hello`) && image !== other && update === "completed";
  };

  const millrace = async (...args: string[]): Promise<{ readonly code: number; readonly said: string }> => {
    const ended = run("npx", ["--no", "millrace", ...args], { cwd: user, env });
    return ended.then(
      ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        said: error.stdout + error.stderr,
      }),
    );
  };

  beforeAll(async () => {
    mkdirSync(user);
    const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
    });
    await run("npm", ["init", "-y"], { cwd: user, env });
    await run("npm", ["install", "--no-audit", "--no-fund", join(folder, packed.trim().split("\n").at(-1) ?? "")], {
      cwd: user,
      env,
    });
    registry = await startRegistry();
    await createSampleService(service);
    hello = makeRepository(await sample("1"));
    execGit(hello.dir, ["checkout", "--quiet", "-b", "live"]);
  }, INSTALL_MS);

  afterAll(async () => {
    await removeService(service);
    await containersGone(service);
    await removeImages(registry.host);
    await registry.stop();
    await registry.dispose();
    hello.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it("has what a user needs, and nothing of ours", () => {
    const there = readdirSync(join(user, "node_modules/millrace"));
    expect(there).toEqual(
      expect.arrayContaining(["CHANGELOG.md", "LICENSE", "README.md", "dist", "doc", "package.json", "src"]),
    );
    expect(there).not.toEqual(expect.arrayContaining(["test"]));
  });

  it("init writes a starter, once", async () => {
    expect(await millrace("init")).toMatchObject({ code: 0 });
    expect(readdirSync(user)).toEqual(expect.arrayContaining(["contexts", "pipeline.ts"]));
    expect((await millrace("init")).said).toContain("pipeline.ts exists already");
  });

  it("the starter is good TypeScript, and so is a mistake found in it", () => {
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", "."];
    expect(() => execFileSync(process.execPath, tsc, { cwd: user })).not.toThrow();
    const text = readFileSync(join(user, "pipeline.ts"), "utf8");
    writeFileSync(join(user, "pipeline.ts"), text.replace('swarm(here, "hello")', 'swarm("here", "hello")'));
    expect(() => execFileSync(process.execPath, tsc, { cwd: user, stdio: "pipe" })).toThrow(/Command failed/);
    writeFileSync(join(user, "pipeline.ts"), text);
  });

  it("check names what is missing, and is content once it is there", async () => {
    const missing = await millrace("check");
    expect(missing.code).toBe(65);
    expect(missing.said).toContain("./hello");
    const text = readFileSync(join(user, "pipeline.ts"), "utf8")
      .replace('git("./hello")', `git("${hello.dir}")`)
      .replace("127.0.0.1:5000", registry.host)
      .replace('swarm(here, "hello")', `swarm(here, "${service}")`);
    writeFileSync(join(user, "pipeline.ts"), text);
    const auth = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    writeFileSync(join(user, "auth.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }), { mode: 0o600 });
    expect(await millrace("check", "--registry-auth", "auth.json")).toMatchObject({ code: 0 });
  });

  it("a dry run tells what it would do, and does nothing", async () => {
    const { image } = await serviceNow(service);
    const told = await millrace("local", "--confirm=harmless", "--once", "--registry-auth", "auth.json");
    expect(told.said).toMatch(/build/);
    expect(await serviceNow(service)).toMatchObject({ image, update: undefined });
  });

  it("serve deploys the branch, and what is committed to it next", { timeout: 2 * DEPLOY_MS }, async () => {
    const argv = ["--no", "millrace", "serve", "--port", "0", "--registry-auth", "auth.json"];
    const server = spawn("npx", argv, { cwd: user, env, detached: true });
    const end = once(server, "exit");
    let said = "";
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
    try {
      await until(
        "the first version runs",
        DEPLOY_MS,
        () => runs(),
        () => said,
      );
      const first = (await serviceNow(service)).image;
      hello.commit(await sample("2"));
      await until(
        "the next version runs",
        DEPLOY_MS,
        () => runs(first),
        () => said,
      );
      expect((await serviceNow(service)).image).not.toBe(first);
    } finally {
      if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGTERM");
      await end;
    }
  });
});
