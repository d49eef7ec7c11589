// A user's way: the packed tarball in an empty folder, from `millrace init` to deploys, typing what README.md says.
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageVersion } from "../../src/app/version.ts";
import { busyboxImage } from "../support/images.ts";
import { dockerHost, need } from "../support/need.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Ended, Newcomer, type Staying } from "./newcomer.ts";
import { commandBlocks, shownPipeline, withoutComments } from "./readme.ts";
import { containersGone, removeImages, removeService, serviceNow } from "./service.ts";
import { until } from "./until.ts";

const root = resolve(import.meta.dirname, "../..");
const INSTALL_MS = 240_000;
const DEPLOY_MS = 60_000;
const TARBALL_BYTES_MAX = 1_500_000;
const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> => (await run("docker", ["-H", dockerHost, ...args])).stdout;

const parts = need("swarm") && need("registry") && need("git") && need("busybox");

describe.skipIf(!parts)("the packed tarball, by the README", () => {
  const [pack = [], install = [], world = [], ask = [], change = []] = commandBlocks;
  const unique = `millrace-test-${randomBytes(4).toString("hex")}`;
  const service = `${unique}_hello`;
  const base = `${unique}/nginx:1`;
  const newcomer = new Newcomer();
  const file = (name: string): string => join(newcomer.folder, name);
  let registry: TestRegistry;
  let tarball = "";
  let driver = "";

  /** What the reader has instead: another registry, a base image that is on the engine, names and ports of their own. */
  const own = (line: string): string =>
    line
      .replace(/^npm install /, `${driver} npm install `)
      .replace(/\/path\/to\/\S+\.tgz/, `'${tarball}'`)
      .replace(/\bnginx(?=$|'$|' )/, base)
      .replace("127.0.0.1:5000", registry.host)
      .replace("--name hello", `--name ${service}`)
      .replace("-p 8000:80", "--publish mode=host,target=80") // a kernel without IPVS answers no ingress port
      .replace('swarm(here, "hello")', `swarm(here, "${service}")`);

  /** Types the lines of a block; the engine's Swarm and the registry are there already. */
  async function type(lines: readonly string[]): Promise<Ended> {
    let last: Ended = { code: 0, said: "" };
    for (const line of lines.filter((one) => !/^docker (swarm init|run .*registry)/.test(one))) {
      last = await newcomer.type(own(line));
      if (last.code !== 0) throw new Error(`${own(line)} ended with ${last.code}:\n${last.said}`);
    }
    return last;
  }

  /** What the service's tasks answer on the ports that they were given. */
  async function pages(): Promise<string> {
    const label = `label=com.docker.swarm.service.name=${service}`;
    const ids = (await docker("ps", "--quiet", "--filter", label)).split("\n").filter((id) => id !== "");
    const ports = await Promise.all(ids.map((id) => docker("port", id, "80").catch(() => ""))); // one that is going
    const found = ports.flatMap((text) => [...text.matchAll(/^0\.0\.0\.0:(\d+)$/gm)].map(([, port = ""]) => port));
    const answers = found.map((port) => newcomer.type(own(change[0] ?? "").replace(":8000", `:${port}`)));
    return (await Promise.all(answers)).map(({ said }) => said).join("");
  }

  const shows = (text: string, server: Staying): Promise<true> =>
    until(
      `the service answers with the ${text}`,
      DEPLOY_MS,
      async () => {
        if (server.ended()) throw new Error(`millrace ended:\n${server.said()}`);
        return (await pages()).includes(`${text}\n`);
      },
      () => server.said(),
    );

  beforeAll(async () => {
    const from = `FROM ${await busyboxImage()}\nRUN mkdir -p /usr/share/nginx/html\n`;
    const serve = "trap 'exit 0' TERM; httpd -f -p 80 -h /usr/share/nginx/html & wait";
    const dockerfile = `${from}CMD ${JSON.stringify(["sh", "-c", serve])}\n`;
    const env = { ...process.env, DOCKER_BUILDKIT: "0" };
    const stdio = ["pipe", "ignore", "ignore"] as const;
    const argv = ["-H", dockerHost, "build", "--quiet", "--tag", base, "-"];
    execFileSync("docker", argv, { env, input: dockerfile, stdio: [...stdio] });
    registry = await startRegistry({ open: true });
    driver = await newcomer.lendDriver();
  });

  afterAll(async () => {
    await removeService(service);
    await containersGone(service);
    await removeImages(registry.host);
    await docker("rmi", base);
    await registry.dispose();
    newcomer.dispose();
  });

  it("is made in the project, and holds what a user needs and nothing of ours", { timeout: INSTALL_MS }, async () => {
    expect(commandBlocks).toHaveLength(5);
    const packed = await newcomer.type(`${pack.join(" ")} --pack-destination '${newcomer.tarballs}'`, root);
    expect(packed).toMatchObject({ code: 0 });
    expect(packed.said.split("\n").length).toBeLessThan(20);
    const name = `millrace-${packageVersion()}.tgz`;
    expect(packed.said).toContain(`${name}\n`);
    expect(install.join("\n")).toContain(name);
    tarball = join(newcomer.tarballs, name);
    expect(statSync(tarball).size).toBeLessThan(TARBALL_BYTES_MAX);
    const files = (await run("tar", ["-tzf", tarball])).stdout.split("\n").map((path) => path.replace("package/", ""));
    const tops = new Set(files.filter((path) => path !== "").map((path) => path.split("/")[0]));
    expect(tops).toEqual(new Set(["CHANGELOG.md", "LICENSE", "README.md", "dist", "doc", "package.json", "src"]));
    const web = readdirSync(join(root, "src/web"), { recursive: true, encoding: "utf8" });
    const served = web.filter((path) => /\.(eta|css)$|^static\/.*\.js$/.test(path)).map((path) => `dist/web/${path}`);
    expect(files).toEqual(expect.arrayContaining(served));
  });

  it("installs without a package that is too new for this Node, and init writes a starter, once", {
    timeout: INSTALL_MS,
  }, async () => {
    const [prepare = "", add = "", init = ""] = install;
    await type([prepare]);
    const { said } = await type([add]);
    expect(said).not.toMatch(/EBADENGINE|deprecated/);
    await type([init]);
    expect(await newcomer.type("npx millrace --version")).toEqual({ code: 0, said: `${packageVersion()}\n` });
    expect((await newcomer.type(own(init))).said).toContain("pipeline.ts exists already");
    expect(withoutComments(readFileSync(file("pipeline.ts"), "utf8"))).toBe(shownPipeline);
  });

  it("the starter is good TypeScript, and an editor finds a mistake in it at its place", async () => {
    const tsc = `'${process.execPath}' '${join(root, "node_modules/typescript/bin/tsc")}'`;
    expect(await newcomer.type(tsc)).toEqual({ code: 0, said: "" });
    const text = readFileSync(file("pipeline.ts"), "utf8");
    const line = text.slice(0, text.indexOf("swarm(here")).split("\n").length;
    writeFileSync(file("pipeline.ts"), text.replace("swarm(here", 'swarm("here"'));
    expect((await newcomer.type(tsc)).said).toMatch(new RegExp(`^pipeline\\.ts[(]${line},\\d+[)]: error `));
    writeFileSync(file("pipeline.ts"), text);
  });

  it("check names what is missing, and is content once the reader has made it", async () => {
    const text = readFileSync(file("pipeline.ts"), "utf8");
    writeFileSync(file("pipeline.ts"), text.split("\n").map(own).join("\n"));
    const [check = ""] = ask;
    const [repository = "", ...rest] = world;
    const missing = await newcomer.type(check);
    expect(missing.code).toBe(65);
    expect(missing.said).toContain("there is nothing at ./hello");
    await type([repository]);
    const empty = await newcomer.type(check);
    expect(empty.said).toContain('./hello has no branch "live"');
    expect(empty.said).toContain(`there is no service "${service}" on here`);
    await type(rest);
    expect((await type([check])).said).toMatch(/^ok: /);
  });

  it("a dry run tells what it would do, and does nothing", async () => {
    const before = await serviceNow(service);
    const { said } = await type(ask.slice(1, -1));
    expect(said).toMatch(/^held {4}docker build Dockerfile/m);
    expect(await serviceNow(service)).toEqual(before);
    expect(readdirSync(newcomer.folder)).not.toContain("var");
  });

  it("serve deploys the branch, and what is committed to it next", { timeout: 3 * DEPLOY_MS }, async () => {
    const server = newcomer.leave(`${ask.at(-1) ?? ""} --port 0`);
    try {
      await shows("first version", server);
      await type(change.slice(1, -1));
      await shows("second version", server);
      const twice = `verified .*${service}\n`;
      const both = async (): Promise<boolean> =>
        new RegExp(`${twice}[^]*${twice}`).test((await type(change.slice(-1))).said);
      await until("both deploys are in the history", DEPLOY_MS, both, () => server.said());
      expect(server.said()).toMatch(/^ok {10}\S+ {2}docker build Dockerfile/m);
    } finally {
      await server.stop();
    }
    expect(server.said()).not.toMatch(/^failed/m);
  });

  it("a driver that was not compiled is named, with what to do", async () => {
    const built = file("node_modules/better-sqlite3/build");
    renameSync(built, `${built}.away`);
    const { code, said } = await newcomer.type("npx millrace plan");
    expect(code).toBe(1);
    expect(said).toMatch(
      /^millrace: the database driver cannot be loaded: .*\n {2}Run npm rebuild better-sqlite3 .*\n$/,
    );
  });
});
