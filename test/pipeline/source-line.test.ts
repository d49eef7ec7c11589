// Which line made a record, in every way that a pipeline may be run.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadPipeline } from "../../src/app/load.ts";
import { placeOf } from "../../src/pipeline/source-line.ts";

const root = resolve(import.meta.dirname, "../..");
mkdirSync(join(root, "var"), { recursive: true });
const folder = mkdtempSync(join(root, "var/line-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Types and blank lines above the call, and a call over several lines: what a wrong source map gets wrong.
writeFileSync(
  join(folder, "pipeline.ts"),
  `import { deployer, git, from, docker } from "../../src/pipeline/index.ts";

interface Options {
  readonly name: string;
}
const options: Options = { name: "demo/hello" };

export default deployer({
  demo: {
    repos: {
      [options.name]: from(
        git("./hello.git"),
        docker("Dockerfile"),
      ),
    },
  },
});
`,
);
writeFileSync(
  join(folder, "print.ts"),
  `import pipeline from "./pipeline.ts";
const source = pipeline.flavours["demo"]?.repos["demo/hello"];
process.stdout.write(JSON.stringify([pipeline.at, source?.at, source?.source.at, source?.builds[0]?.at]));
`,
);
const wanted = [8, 11, 12, 13].map((line) => `pipeline.ts:${line}`);

const printed = (args: readonly string[]): unknown => {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
};

describe("a record knows its line", () => {
  it("under tsx", () => {
    const tsx = join(root, "node_modules/tsx/dist/esm/index.mjs");
    expect(printed(["--import", tsx, "print.ts"])).toEqual(wanted);
  });

  it("compiled, with source maps", () => {
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        rootDir: root,
        outDir: "out",
        sourceMap: true,
        allowImportingTsExtensions: false,
        rewriteRelativeImportExtensions: true,
      },
      include: ["print.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
    const script = join(folder, "out", folder.slice(root.length + 1), "print.js");
    expect(printed(["--enable-source-maps", script])).toEqual(wanted);
  }, 60_000);

  it("under jiti, as millrace loads it", async () => {
    const loaded = await loadPipeline(join(folder, "pipeline.ts"));
    if (!loaded.ok) throw new Error(loaded.error.message);
    const source = loaded.value.flavours["demo"]?.repos["demo/hello"];
    const lines = [loaded.value.at, source?.at, source?.source.at, source?.builds[0]?.at];
    expect(lines.map((at) => at?.slice(folder.length - root.length))).toEqual(wanted);
  });
});

describe("the text of a stack", () => {
  it.each([
    ["    at publish (/srv/src/x.ts:3:5)", "/srv/src/x.ts:3"],
    ["    at file:///srv/a%20b/x.ts:3:5", "/srv/a b/x.ts:3"],
    ["    at async Object.<anonymous> (file:///srv/x.ts:30:5)", "/srv/x.ts:30"],
    ["    at new Word [as from] (/srv/x (1)/x.ts:3:5)", "/srv/x (1)/x.ts:3"],
    ["    at /srv/x (1)/x.ts:3:5", "/srv/x (1)/x.ts:3"],
    ["    at eval (eval at a (/srv/x.ts:3:5), <anonymous>:1:1)", undefined],
    ["    at Array.map (<anonymous>)", undefined],
    ["    at node:internal/main:3:5", undefined],
    ["Error: at /srv/x.ts:3:5", undefined],
  ])("%s: %s", (frame, place) => expect(placeOf(frame)).toBe(place));
});
