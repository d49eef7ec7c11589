// What is kept true of the project besides its code: documents, error registry, lockfile, set-up scripts.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { errors } from "../src/engine/errors.ts";
import {
  brokenLinks,
  type Document,
  documentedErrors,
  missingFromLock,
  unknownScripts,
  workplaceTraces,
} from "./support/house.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const isText = (path: string): boolean => !/\.(png|ico|woff2?|gz|tar)$/.test(path);
const documents: readonly Document[] = tracked
  .filter((path) => path.endsWith(".md"))
  .map((path) => ({ path, text: read(path) }));

describe("the documents", () => {
  it("link only to what is there", () => {
    expect(
      documents.flatMap((document) =>
        brokenLinks(
          document,
          (path) => existsSync(join(root, path)),
          (path) => read(path),
        ),
      ),
    ).toEqual([]);
  });

  it("name only npm scripts that package.json has", () => {
    expect(documents.flatMap((document) => unknownScripts(document, read("package.json")))).toEqual([]);
  });
});

describe("doc/errors.md", () => {
  it("explains every code of src/engine/errors.ts, and no other, with the same class and hint", () => {
    expect(documentedErrors(read("doc/errors.md"))).toEqual(errors);
  });
});

describe("the project's files", () => {
  it("tell nothing of the place where they were written, and leave nothing to do", () => {
    const texts = tracked.filter(isText).map((path) => ({ path, text: read(path) }));
    expect(texts.flatMap(workplaceTraces)).toEqual([]);
  });

  it("have a lockfile that npm ci accepts on every platform (npm run lock completes it)", () => {
    expect(missingFromLock(read("package-lock.json"))).toEqual([]);
  });

  it("set up with Node's own modules only", () => {
    const scripts = tracked.filter((path) => path.startsWith("scripts/"));
    const imports = scripts.flatMap((path) =>
      [...read(path).matchAll(/\bfrom "([^"]+)"/g)].map((found) => [path, found[1] ?? ""] as const),
    );
    const foreign = imports.filter(
      ([path, name]) => !name.startsWith("node:") && !existsSync(join(root, dirname(path), name)),
    );
    expect(foreign).toEqual([]);
  });
});

describe("the checks themselves", () => {
  const files: Readonly<Record<string, string>> = { "doc/a.md": "# A thing\n## Its parts, `b`\n" };
  const exists = (path: string): boolean => path in files;
  const text = (path: string): string => files[path] ?? "";

  it.each([
    ["[a](a.md)", []],
    ["[a](a.md#its-parts-b)", []],
    ["[a](../doc/a.md) [web](https://example.org/x.md) `[no](b.md)`", []],
    ["[b](b.md)", ["doc/x.md: b.md"]],
    ["[b](a.md#other)", ["doc/x.md: a.md#other"]],
    ["[own](#nowhere)", ["doc/x.md: #nowhere"]],
  ])("links: %s", (markdown, said) => {
    expect(brokenLinks({ path: "doc/x.md", text: markdown }, exists, text)).toEqual(said);
  });

  it("see a script that is not there", () => {
    const manifest = '{"scripts":{"demo":"x","test":"y"}}';
    const document = { path: "README.md", text: "npm run demo -- --once, npm test, `npm run nosuch`" };
    expect(unknownScripts(document, manifest)).toEqual(["README.md: npm run nosuch"]);
  });

  it("read the table of errors", () => {
    const rows = ["| code | class | what happened | what to do |", "|---|---|---|---|"];
    const table = [...rows, "| `A_B` | failed | It broke. | Mend it. |", "| `C` | failed |  | Half a row. |"].join(
      "\n",
    );
    expect(documentedErrors(table)).toEqual({ A_B: { class: "failed", hint: "Mend it." } });
  });

  it.each([
    ["/wo", "rk/main/src"],
    ["TO", "DO: later"],
    ["bash_", "jobs"],
  ])("see %s%s", (one, other) => {
    expect(workplaceTraces({ path: "x.ts", text: `\n// ${one}${other}` })).toEqual([`x.ts:2: // ${one}${other}`]);
  });

  it("see what a lockfile lacks", () => {
    const packages = {
      "": {},
      "node_modules/a": { optionalDependencies: { "@a/linux": "1.0.0", "@a/darwin": "1.0.0" } },
      "node_modules/@a/linux": {},
    };
    expect(missingFromLock(JSON.stringify({ packages }))).toEqual(["@a/darwin (of node_modules/a)"]);
  });
});
