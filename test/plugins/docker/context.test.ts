import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { packContext } from "../../../src/plugins/docker/context.ts";
import { findDockerfile, readIgnore } from "../../../src/plugins/docker/dockerfile.ts";
import { type Files, makeRepository } from "../../support/git.ts";

const made: (() => void)[] = [];
afterAll(() => made.forEach((end) => end()));

function tree(files: Files): string {
  const repository = makeRepository(files);
  made.push(repository.dispose);
  rmSync(join(repository.dir, ".git"), { recursive: true });
  return repository.dir;
}

/** The archive as `tar` lists it. */
async function pack(dir: string, dockerfile = "Dockerfile", flags = "-t"): Promise<readonly string[]> {
  const ignore = await readIgnore(dir, dockerfile);
  if (!ignore.ok) throw new Error(ignore.error.message);
  const chunks: Buffer[] = [];
  for await (const chunk of packContext(dir, ignore.value, dockerfile).stream) chunks.push(Buffer.from(chunk));
  const args = [flags, "--full-time", "--quoting-style=literal"];
  return execFileSync("tar", args, { input: Buffer.concat(chunks), encoding: "utf8" })
    .trimEnd()
    .split("\n");
}

describe("packContext", () => {
  test("takes links as links, keeps what may be executed, belongs to nobody", async () => {
    const dir = tree({ Dockerfile: "", "bin/x": { script: "#!/bin/sh" }, out: { link: "/etc/passwd" } });
    const listed = (await pack(dir, "Dockerfile", "-tv")).map((line) => line.replace(/ +\d+ [\d-]+ [\d:]+ /, " "));
    expect(listed).toEqual([
      "-rw-r--r-- 0/0 Dockerfile",
      "drwxr-xr-x 0/0 bin/",
      "-rwxr-xr-x 0/0 bin/x",
      "lrwxrwxrwx 0/0 out -> /etc/passwd",
    ]);
  });

  test("a list that takes too long ends it, and is named", async () => {
    const list = `${"**/*a".repeat(100)}z\n`.repeat(100);
    const dir = tree({ Dockerfile: "", ".dockerignore": list, ["a".repeat(200)]: "x" });
    await expect(pack(dir)).rejects.toThrow("the .dockerignore takes too long");
  });

  test("names of any length and letters", async () => {
    const long = `${"d".repeat(120)}/${"e".repeat(120)}/ü-${"f".repeat(150)}`;
    const dir = tree({ [long]: "x", ["x".repeat(100)]: "y", link: { link: "t".repeat(180) } });
    const listed = await pack(dir);
    expect(listed).toContain(long);
    expect(listed).toContain("x".repeat(100));
    expect((await pack(dir, "Dockerfile", "-tv")).join("\n")).toContain(`link -> ${"t".repeat(180)}`);
  });

  test("files of every length around a block and a chunk arrive whole", async () => {
    const sizes = [0, 1, 511, 512, 513, 262_143, 262_144, 262_145, 1_000_000];
    const dir = tree(Object.fromEntries(sizes.map((size) => [`f${size}`, Buffer.alloc(size, size % 251)])));
    const listed = await pack(dir, "Dockerfile", "-tv");
    const found = listed.map((line) => Number(/0\/0 +(\d+) /.exec(line)?.[1])).toSorted((a, b) => a - b);
    expect(found).toEqual(sizes);
  });

  test("a Dockerfile that is left out goes in nevertheless, with its directory and nothing else of it", async () => {
    const dir = tree({
      ".dockerignore": "build\nnode_modules\n",
      "build/Dockerfile": "",
      "build/x": "",
      "node_modules/y": "",
    });
    expect(await pack(dir, "build/Dockerfile")).toEqual([".dockerignore", "build/", "build/Dockerfile"]);
  });

  test("a Dockerfile's own ignore file counts instead of the common one", async () => {
    const files = {
      ".dockerignore": "a\n",
      "web.Dockerfile.dockerignore": "b\n*ignore\n",
      "web.Dockerfile": "",
      a: "",
      b: "",
    };
    expect(await pack(tree(files), "web.Dockerfile")).toEqual(["a", "web.Dockerfile"]);
    expect(await pack(tree(files), "Dockerfile")).toContain("b");
  });
});

describe("findDockerfile", () => {
  const dir = tree({
    "Dockerfile.web": "",
    "docker/worker.Dockerfile": "",
    "docker/Dockerfile.dockerignore": "",
    same: { link: "Dockerfile.web" },
  });
  symlinkSync("/etc/passwd", join(dir, "Evil"));
  symlinkSync("/etc", join(dir, "etc"));
  symlinkSync("/nowhere/at/all", join(dir, "Dangling"));

  test.each([
    ["Dockerfile.web", "Dockerfile.web"],
    ["./docker/../Dockerfile.web", "Dockerfile.web"],
    ["same", "Dockerfile.web"],
  ])("%s is %s", async (path, wanted) => {
    expect(await findDockerfile(dir, path, "c0ffee")).toEqual({ ok: true, value: wanted });
  });

  test.each(["../Dockerfile", "docker/../../x", "/etc/passwd", "Evil", "etc/passwd", "Dangling", "", "a\0b"])(
    "%j leads out of the repository",
    async (path) => {
      expect(await findDockerfile(dir, path, "c0ffee")).toMatchObject({
        ok: false,
        error: { code: "CONTEXT_REFUSED" },
      });
    },
  );

  test.each(["Dockerfile", "docker"])("%s is missing: the message names the commit and what there is", async (path) => {
    const message = `commit c0ffee has no file "${path}"; it has Dockerfile.web, docker/worker.Dockerfile`;
    expect(await findDockerfile(dir, path, "c0ffee")).toMatchObject({
      ok: false,
      error: { code: "NO_DOCKERFILE", message },
    });
  });

  test("an ignore file that leads out is refused", async () => {
    const other = mkdtempSync(join(tmpdir(), "millrace-ignore-"));
    made.push(() => rmSync(other, { recursive: true }));
    symlinkSync("/etc/passwd", join(other, ".dockerignore"));
    expect(await readIgnore(other, "Dockerfile")).toMatchObject({ ok: false, error: { code: "CONTEXT_REFUSED" } });
  });
});
