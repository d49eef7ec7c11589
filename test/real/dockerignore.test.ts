import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { packContext } from "../../src/plugins/docker/context.ts";
import { parseIgnore } from "../../src/plugins/docker/ignore.ts";
import { docker } from "../support/docker.ts";
import { makeRepository } from "../support/git.ts";

const PATHS = `a.txt b.md README.md docs/x.md docs/y.txt docs/deep/z.md docs/deep/k.txt src/a.ts src/a.test.ts
src/lib/b.ts src/lib/b.test.ts node_modules/p/i.js src/node_modules/q/i.js .env .env.prod a_b.txt [x].txt x-y
foo/bar/baz/qux`.split(/\s+/);

/** Patterns one by one, and lists of them: a comma stands for a new line. */
const LISTS = `docs;docs/;/docs;*.md;**/*.md;docs/**;**,!docs/deep;**,!docs/deep/z.md;*,!README.md;src/**/*.test.ts
**/node_modules;node_modules;**,!src;**,!**/*.ts;.env*,!.env.prod;?.txt;[ab].*;[^a].md;\\[x\\].txt;foo/*/baz
foo/**/qux;foo,!foo/bar;# c;x-[a-z];./docs/x.md;docs/../a.txt;**/b*;**,!*/x.md;src/lib/;**/lib/**;docs/*,!docs/*.txt
*/*;*/*/*;**/deep/**/*.md;docs**; b.md ;!docs,docs;docs,!docs/deep,docs/deep/k.txt;**/*,!a.txt;.;/;**`.split(/[;\n]/);

const source = makeRepository(Object.fromEntries(PATHS.map((path) => [path, path])));
const scratch = mkdtempSync(join(tmpdir(), "millrace-ignore-"));
rmSync(join(source.dir, ".git"), { recursive: true });
afterAll(() => {
  source.dispose();
  rmSync(scratch, { recursive: true });
});

test.each(LISTS)("Docker's own client sends the same files for %j", async (list) => {
  const text = `${list.replaceAll(",", "\n")}\n`;
  expect(await ours(text)).toEqual(await theirs(text));
});

async function ours(text: string): Promise<readonly string[]> {
  const ignore = parseIgnore(text, ".dockerignore");
  if (!ignore.ok) throw new Error(ignore.error.message);
  const chunks: Buffer[] = [];
  for await (const chunk of packContext(source.dir, ignore.value, "no Dockerfile").stream) {
    chunks.push(Buffer.from(chunk));
  }
  return listed(Buffer.concat(chunks));
}

/** What arrives at the builder from the command line's client, which reads the list by itself. */
async function theirs(text: string): Promise<readonly string[]> {
  const [dockerfile, archive] = [join(scratch, "Dockerfile"), join(scratch, "out.tar")];
  writeFileSync(dockerfile, `FROM scratch\nCOPY . /\n# ${JSON.stringify(text)}\n`);
  writeFileSync(`${dockerfile}.dockerignore`, text);
  const output = `type=tar,dest=${archive}`;
  await docker(["buildx", "build", "--quiet", "--no-cache", "--file", dockerfile, "--output", output, source.dir]);
  return listed(readFileSync(archive));
}

function listed(archive: Buffer): readonly string[] {
  const names = execFileSync("tar", ["-t"], { input: archive, encoding: "utf8" }).split("\n");
  return names
    .map((name) => name.replace(/\/$/, ""))
    .filter((name) => name !== "")
    .toSorted();
}
