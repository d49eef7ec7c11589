import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { frontendIn, pinnedFrontend } from "../../../src/plugins/docker/frontend.ts";

const dir = mkdtempSync(join(tmpdir(), "millrace-frontend-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("the program that reads a Dockerfile", () => {
  it.each([
    ["# syntax=evil/frontend\nFROM x", "evil/frontend"],
    ["#syntax = evil/frontend:1 more\nFROM x", "evil/frontend:1"],
    ["# escape=`\n# SYNTAX=evil\nFROM x", "evil"],
    ["\uFEFF# syntax=evil\r\nFROM x", "evil"],
    ["#!/usr/bin/env x\n# syntax=evil\n", "evil"],
    ["// syntax=evil\nFROM x", "evil"],
    ["\n\n  # hello\n# syntax=evil\nFROM x", "evil"],
    ['{"syntax": "evil"}', "JSON"],
    ['{"syntax": "docker/dockerfile:1", "s\\u0079ntax": "evil"}', "JSON"],
    ["# a=1\rFROM x\n# syntax=evil\nFROM x", "evil"], // BuildKit ends no line at a lone CR
    ["# a=1\u2028FROM x\n# syntax=evil\nFROM x", "evil"],
    ["#!syntax=docker/dockerfile:1\n# syntax=evil\nFROM x", "evil"], // the first line is left out by BuildKit
    ["# syntax=docker/dockerfile:1\nFROM x", "docker/dockerfile:1"],
    ["{", "JSON"],
  ])("is found in %j", (text, found) => {
    expect(frontendIn(text)).toBe(found);
  });

  it.each(["FROM x\n# syntax=evil\n", "# a remark about syntax\nFROM x", "", "ARG syntax=evil"])(
    "is none in %j",
    (text) => {
      expect(frontendIn(text)).toBeUndefined();
    },
  );

  it.each([
    ["docker/dockerfile:1", true],
    ["docker/dockerfile:1.7-labs", true],
    [`docker/dockerfile:1.7.0@sha256:${"a".repeat(64)}`, true],
    ["docker/dockerfile:1.evil", false],
    ["docker/dockerfile-upstream:master", false],
    ["evil.example/docker/dockerfile:1", false],
    ["", false],
  ])("may be %s: %s", async (name, may) => {
    writeFileSync(join(dir, "Dockerfile"), `# syntax=${name}\nFROM x\n`);
    expect((await pinnedFrontend(dir, "Dockerfile")).ok).toBe(may);
  });

  it.each([
    ["behind more comments than are looked at", "#", "# syntax=evil"],
    ["where the part that is looked at ends", "//", "// syntax=evil"],
  ])("is refused %s", async (_, style, last) => {
    const directive = `${style} a=${"x".repeat(1_000)}\n`;
    for (const short of [0, 1, 2, 3]) {
      const fill = 64 * 1024 - 65 * directive.length - style.length - 4 - short;
      const head = `${directive.repeat(65)}${style} b=${"x".repeat(fill)}\n`;
      writeFileSync(join(dir, "Dockerfile"), `${head}${last}\nFROM x\n`);
      expect((await pinnedFrontend(dir, "Dockerfile")).ok).toBe(false);
    }
  });

  it("is not looked for behind the first instruction, however long the file is", async () => {
    writeFileSync(join(dir, "Dockerfile"), `FROM x\n${"# syntax=evil\n".repeat(10_000)}`);
    expect((await pinnedFrontend(dir, "Dockerfile")).ok).toBe(true);
  });
});
