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
    ['{"syntax": "evil"}', "evil"],
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
});
