// The first thing that a newcomer types, from a copy of the project, with nothing left behind.
import { type ExecFileException, execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxImage } from "../support/images.ts";
import { dockerHost, need } from "../support/need.ts";

const root = resolve(import.meta.dirname, "../..");
const SERVICE = "millrace-demo_hello";
const PORTS = [5055, 8088];
const DEMO_MS = 280_000;

interface Ended {
  readonly status: number;
  readonly said: string;
}

const docker = (...args: string[]): readonly string[] =>
  execFileSync("docker", ["-H", dockerHost, ...args], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();

/** What the demo has on the engine, by its names. */
const demoThings = (): readonly string[] =>
  [
    docker("service", "ls", "--format", "service {{.Name}}"),
    docker("ps", "--all", "--format", "container {{.Names}}"),
    docker("images", "--format", "image {{.Repository}}:{{.Tag}}"),
    docker("volume", "ls", "--format", "volume {{.Name}}"),
  ]
    .flat()
    .filter((name) => /millrace-demo|127\.0\.0\.1:5055/.test(name));

const isFree = (port: number): Promise<boolean> =>
  new Promise((free) => {
    const server = createServer();
    server.once("error", () => free(false));
    server.listen(port, "127.0.0.1", () => server.close(() => free(true)));
  });

const parts = need("swarm") && need("registry") && need("git") && need("busybox");
const ports = await Promise.all(PORTS.map(isFree));
const elsewhere = parts && docker("service", "ls", "--format", "{{.Name}}").includes(SERVICE);

describe.skipIf(!parts || elsewhere || ports.includes(false))("npm run demo", () => {
  const copy = mkdtempSync(join(tmpdir(), "millrace-demo-test-"));

  beforeAll(() => {
    const list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    const files = execFileSync("git", list, { cwd: root, encoding: "utf8" }).split("\n");
    for (const file of files.filter((path) => path !== "" && existsSync(join(root, path)))) {
      cpSync(join(root, file), join(copy, file), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  function demo(...flags: string[]): Promise<Ended> {
    const env = { ...process.env, DOCKER_HOST: dockerHost, CI: "", HOME: join(copy, "home") };
    const argv = [join(copy, "scripts/demo.mjs"), ...flags];
    return new Promise((ended) => {
      execFile(process.execPath, argv, { cwd: copy, env }, (error: ExecFileException | null, out, err) => {
        ended({ status: error === null ? 0 : Number(error.code ?? 1), said: out + err });
      });
    });
  }

  it("pushes two versions, the second one under load, and cleans up all that it made", {
    timeout: DEMO_MS,
  }, async () => {
    const mine = `millrace-test-kept-${process.pid}`;
    docker("volume", "create", mine);
    const label = ["--label", "millrace-demo=left by another folder", "--label", "millrace.generation=99"];
    docker(
      "service",
      "create",
      "--quiet",
      "--detach",
      "--name",
      SERVICE,
      ...label,
      await busyboxImage(),
      "sleep",
      "60",
    );
    const once = await demo("--once");
    const pushes = once.said.match(/^push .*; 1 build, 1 push, 1 service update/gm) ?? [];
    const made = demoThings();
    const cleaned = await demo("--clean");

    expect(once.said).toMatch(/^service +millrace-demo_hello made anew/m);
    expect(once.said).toMatch(/^load +\d{4,} requests during the roll-out, 0 failed.* versions 1 and 2$/m);
    expect(pushes).toHaveLength(2);
    expect(once.status).toBe(0);
    expect(cleaned).toMatchObject({ status: 0 });
    expect(made).toEqual(expect.arrayContaining([`service ${SERVICE}`, "image millrace-demo/base:1"]));
    expect(demoThings()).toEqual([]);
    expect(docker("volume", "rm", mine)).toEqual([mine]);
    expect(existsSync(join(copy, ".demo"))).toBe(false);
  });

  it("names a flag that it does not know, and exits 1", async () => {
    const ended = await demo("--onec");
    expect(ended.said).toContain("Unknown option '--onec'");
    expect(ended.said).not.toContain("    at ");
    expect(ended.status).toBe(1);
  });
});
