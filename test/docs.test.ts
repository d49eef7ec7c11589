// The examples of doc/pipeline.md, and what doc/ says of the command line.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exits } from "../src/app/exit.ts";
import { loadPipeline } from "../src/app/load.ts";
import { commands } from "../src/app/program.ts";
import { validate } from "../src/pipeline/validate.ts";

const root = resolve(import.meta.dirname, "..");
const page = (name: string): string => readFileSync(join(root, "doc", name), "utf8");

interface Example {
  readonly line: number;
  readonly text: string;
  /** What must be said of a wrong one; nothing of a right one. */
  readonly problems: string;
}

/** Each block of TypeScript; one that is marked `wrong` is followed by what is said of it. */
function examplesOf(text: string): readonly Example[] {
  const blocks = [...text.matchAll(/^```(\w+)(?: (\w+))?\n(.*?)^```$/gms)];
  return blocks.flatMap(([, language, mark, body = ""], index) => {
    const line = text.slice(0, blocks[index]?.index).split("\n").length;
    const problems = mark === "wrong" ? (blocks[index + 1]?.[3] ?? "") : "";
    return language === "ts" ? [{ line, text: body, problems }] : [];
  });
}

// Below the project, so that "millrace" means this one; where no other tool looks.
mkdirSync(join(root, "var"), { recursive: true });
const folder = mkdtempSync(join(root, "var/docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const examples = examplesOf(page("pipeline.md"));
for (const { line, text } of examples) {
  mkdirSync(join(folder, `line-${line}`, "contexts"), { recursive: true });
  writeFileSync(join(folder, `line-${line}`, "pipeline.ts"), text);
  writeFileSync(join(folder, `line-${line}`, "contexts/hosts.ts"), 'export { here } from "millrace";\n');
}

describe("the examples of doc/pipeline.md", () => {
  it("are there", () => expect(examples.length).toBeGreaterThanOrEqual(6));

  it("compile, but for those that are marked as wrong", () => {
    const config = { extends: join(root, "tsconfig.json"), include: ["**/*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
    const found = new Set([...stdout.matchAll(/line-(\d+)/g)].map(([, line]) => Number(line)));
    expect([...found]).toEqual(examples.filter(({ problems }) => problems !== "").map(({ line }) => line));
  }, 60_000);

  const pipelines = examples.filter(({ text }) => text.includes("export default"));
  it.each(pipelines)("load and are valid, or say what the page says: line $line", async ({ line, problems }) => {
    const path = join(folder, `line-${line}`, "pipeline.ts");
    const loaded = await loadPipeline(path);
    if (!loaded.ok) throw new Error(loaded.error.message);
    const short = (at: string): string => at.slice(at.lastIndexOf("pipeline.ts"));
    const said = validate(loaded.value).map(({ at, code, message }) => `${short(at)} ${code} ${message}\n`);
    expect(said.join("")).toBe(problems);
  });
});

describe("doc/operating.md", () => {
  it("lists the exit codes, all of them and no other", () => {
    const listed = [...page("operating.md").matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, means]) => [
      code,
      means,
    ]);
    expect(listed).toEqual(Object.values(exits).map(({ code, means }) => [String(code), means]));
  });
});

describe("doc/security.md", () => {
  const rows = [...page("security.md").matchAll(/^\| (\d+) \| .* \| (.*) \|$/gm)];
  const named = rows.flatMap(([, number = "", cell = ""]) => {
    const parts = [...cell.matchAll(/\[([^\]]+)\]\(([^)]+)\) ((?:"[^"]+"(?:, )?)+)(?:; |$)/g)];
    // what is left over was not understood, and so would not be looked for
    const rest = parts.reduce((text, [whole]) => text.replace(whole, ""), cell);
    const tests = parts.flatMap(([, , file = "", titles = ""]) =>
      [...titles.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ number, file, title })),
    );
    return rest === "" && tests.length > 0 ? tests : [{ number, file: "", title: `not understood: ${rest}` }];
  });

  it("has a row for each attack, once", () => {
    const numbers = rows.map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThanOrEqual(44);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  });

  it("names only tests that exist", () => {
    const missing = named.filter(({ file, title }) => {
      const path = join(root, "doc", file);
      // a title is a text of its own, at the start of a line or right behind what opens the test
      return (
        !existsSync(path) || ![`"${title}",`, `"${title}", `].some((text) => readFileSync(path, "utf8").includes(text))
      );
    });
    expect(missing).toEqual([]);
  });
});

describe("every page", () => {
  const names = new Set(commands.flatMap(({ specs }) => specs.map(({ name }) => name)));
  const pages = [
    "../README.md",
    "index.md",
    "security.md",
    "architecture.md",
    "operating.md",
    "github.md",
    "pipeline.md",
    "errors.md",
  ];
  it.each(pages)("%s names only commands and flags that exist", (name) => {
    const calls = [...page(name).matchAll(/`(?:npx )?millrace ([a-z]+)\b[^`]*`/g)].map(([, command = ""]) => command);
    expect(calls.filter((command) => !names.has(command))).toEqual([]);
  });
});
