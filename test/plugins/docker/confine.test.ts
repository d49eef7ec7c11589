import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Confined, confinement, mayBeBuilt } from "../../../src/plugins/docker/confine.ts";

const dir = mkdtempSync(join(tmpdir(), "millrace-confine-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function judged(text: string, network: Confined["network"]): Promise<string> {
  writeFileSync(join(dir, "Dockerfile"), text);
  const may = await mayBeBuilt(dir, "Dockerfile", { network });
  return may.ok ? "may be built" : `${may.error.code} ${may.error.message}`;
}

describe("a Dockerfile of a pull request", () => {
  it.each(["default", "none"] as const)("may not have the engine ask its own network (%s)", async (network) => {
    expect(await judged("FROM x\nADD http://169.254.169.254/latest /", network)).toMatch(
      /^DOCKERFILE_REFUSED .*ADD "http:\/\/169\.254\.169\.254\/latest" is an address within/,
    );
  });

  it.each([
    ["ADD https://example.com/a /", "would be fetched"],
    ["ADD $A /", "may be an address"],
    ["COPY a b\nADD https://$A /", "may be an address"],
  ])("with %j may be built only where the build has the network", async (line, why) => {
    expect(await judged(`FROM x\n${line}\n`, "default")).toBe("may be built");
    expect(await judged(`FROM x\n${line}\n`, "none")).toMatch(new RegExp(`^DOCKERFILE_REFUSED .* ${why}`));
  });

  it("may neither be endless nor bring its own program", async () => {
    expect(await judged(`FROM x\n${"#\n".repeat(300_000)}`, "none")).toMatch(
      /^DOCKERFILE_REFUSED .*larger than 64 KiB/,
    );
    expect(await judged("# syntax=evil\nFROM x\n", "default")).toMatch(/^CONTEXT_REFUSED/);
    expect(await judged("FROM x\nADD a.tgz /\n", "none")).toBe("may be built");
  });
});

it("what the engine is told of a stranger's build is more than of a writer's", () => {
  const writer = confinement({ network: "default" }, "s");
  expect(Object.keys(writer)).toEqual(["labels", "extrahosts"]);
  expect(confinement({ network: "none", stranger: true }, "s")).toEqual({
    ...writer,
    networkmode: "none",
    pull: "1",
    ulimits: '[{"Name":"fsize","Soft":4294967296,"Hard":4294967296}]',
  });
});
