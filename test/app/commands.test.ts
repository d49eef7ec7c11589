// What the commands that need no server print and write.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { exits } from "../../src/app/exit.ts";
import { optionOf } from "../../src/app/flags.ts";
import { loadPipeline } from "../../src/app/load.ts";
import { commands } from "../../src/app/program.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { millrace, tsxArgs } from "../support/cli.ts";
import { folderWith, withWords } from "../support/pipeline-file.ts";

const SCREEN_LINES = 24;
const SCREEN_COLUMNS = 80;
const root = resolve(import.meta.dirname, "../..");
const specs = commands.flatMap((group) => group.specs);

describe("help", () => {
  it.each(specs.map(({ name }) => name))("of %s fits a screen", async (name) => {
    const { code, out } = await millrace("/", name, "--help");
    const lines = out.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(lines.length).toBeLessThanOrEqual(SCREEN_LINES);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(SCREEN_COLUMNS);
  });

  it("names every command and every exit code", async () => {
    const { code, out } = await millrace("/", "--help");
    expect(code).toBe(0);
    for (const { name } of specs) expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
    for (const { code: number, means } of Object.values(exits)) expect(out).toContain(`  ${number}`.padEnd(6) + means);
  });

  it("names the flags that most people do without, and --help-all explains every one", async () => {
    const serve = specs.find(({ name }) => name === "serve");
    const [brief, whole] = [await millrace("/", "serve", "--help"), await millrace("/", "serve", "--help-all")];
    for (const name of serve?.flags ?? []) {
      const flag = optionOf(name).long ?? "";
      expect(brief.out).toContain(flag);
      expect(whole.out).toMatch(new RegExp(`^  (-., )?${flag}.*  \\w`, "m"));
    }
    expect([brief.code, whole.code]).toEqual([0, 0]);
  });

  it("is the answer to nothing, as a mistake", async () => {
    const { code, err } = await millrace("/");
    expect(code).toBe(64);
    expect(err).toContain("Usage: millrace");
  });

  it("the version is that of the package", async () => {
    const json = readFileSync(join(root, "package.json"), "utf8");
    const [, version] = /"version": "([^"]+)"/.exec(json) ?? [];
    expect(await millrace("/", "--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });
});

describe("init", () => {
  it("writes a starter that loads, is valid, and whose documents follow from it", async () => {
    const folder = folderWith({});
    const { code, out } = await millrace(folder, "init");
    expect(code).toBe(0);
    expect(out.split("\n").slice(0, 5)).toEqual([
      "wrote pipeline.ts",
      "wrote contexts/hosts.ts",
      "wrote tsconfig.json",
      "wrote .gitignore",
      "wrote package.json",
    ]);
    expect(out).toContain("npx millrace check");
    const loaded = await loadPipeline(join(folder, "pipeline.ts"));
    expect(loaded.ok ? validate(loaded.value) : loaded.error).toEqual([]);
    expect((await millrace(folder, "docs")).code).toBe(0);
    expect((await millrace(folder, "docs", "--check")).code).toBe(0);
  });

  it("overwrites nothing", async () => {
    for (const name of ["pipeline.ts", "contexts/hosts.ts"]) {
      const folder = folderWith({ [name]: "mine" });
      expect(await millrace(folder, "init")).toEqual({
        code: 1,
        out: "",
        err: `millrace: ${name} exists already\n  Remove it, or use another folder: nothing is overwritten.\n`,
      });
      expect(readFileSync(join(folder, name), "utf8")).toBe("mine");
    }
  });

  it("leaves a package.json alone that npm has written", async () => {
    const folder = folderWith({ "package.json": "{}" });
    expect((await millrace(folder, "init")).out).not.toContain("package.json");
    expect(readFileSync(join(folder, "package.json"), "utf8")).toBe("{}");
  });
});

describe("check --offline", () => {
  it("says how much there is", async () => {
    const folder = folderWith({
      "hello.git/HEAD": "",
      "hello.git/objects/x": "",
      "pipeline.ts": withWords(`export default deployer({ demo: { repos: {
        "demo/hello": from(git("./hello.git"), [docker("Dockerfile", { live: publish("demo/hello:live",
           swarm(here, "a"), swarm(here, "b")) }), docker("Dockerfile.tools")]) } } });`),
    });
    const out = "ok: 1 flavour, 1 repository, 1 branch, 2 services\n";
    expect(await millrace(folder, "check", "--offline")).toEqual({ code: 0, out, err: "" });
  });
});

describe("the process", () => {
  it.each([
    ["throw new Error('odd')", false],
    ["Promise.reject(new Error('odd'))", true],
  ])("ends in words when nobody catches %s", (fault, verbose) => {
    const script = `import { exitOnFault } from ${JSON.stringify(join(root, "src/app/faults.ts"))};
      import { terminalIo } from ${JSON.stringify(join(root, "src/app/io.ts"))};
      exitOnFault(process, terminalIo(process), ${verbose});
      setImmediate(() => { ${fault}; });
      setInterval(() => {}, 1000);`;
    const args = [...tsxArgs, "--input-type=module", "--eval", script];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(status).toBe(70);
    expect(stderr).toContain("millrace: odd\n  This is a fault of Millrace.");
    expect(/^ {4}at /m.test(stderr)).toBe(verbose);
  });

  it("ends without a word when its reader has gone", async () => {
    const endless = `import { terminalIo } from ${JSON.stringify(join(root, "src/app/io.ts"))};
      const io = terminalIo(process);
      for (;;) { io.out("x".repeat(10_000)); await new Promise(setImmediate); }`;
    const args = [...tsxArgs, "--input-type=module", "--eval", endless];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const err = await text(child.stderr);
    if (child.exitCode === null) await once(child, "exit");
    expect({ code: child.exitCode, err }).toEqual({ code: 0, err: "" });
  });

  it("this project's own pipeline is valid and documented", async () => {
    expect((await millrace(root, "docs", "--check")).code).toBe(0);
  });
});
