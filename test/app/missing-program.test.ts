// A program that Millrace runs is not installed: the start says so, and nothing is half started.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { millraceWithPath } from "../support/cli.ts";

const PIPELINE = `import { deployer, docker, from, git, publish } from "millrace";
export default deployer({ test: { repos: {
  "demo/hello": from(git("https://git.example.org/hello.git"),
    docker("Dockerfile", { live: publish("demo/hello:live") })),
} } });
`;

it.each([
  ["serve", "--port", "0"],
  ["local", "--confirm", "harmless"],
])(
  "without git, %s is refused by name, and makes nothing",
  (...line) => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-no-git-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "pipeline.ts"), PIPELINE);
    const ended = millraceWithPath(folder, folder, ...line);
    expect(ended).toEqual({
      code: 70,
      out: "",
      err: "millrace: cannot run git: spawn git ENOENT\n  Install the program that is named, or put it on PATH.\n",
    });
    expect(existsSync(join(folder, "var"))).toBe(false);
  },
  60_000,
);
