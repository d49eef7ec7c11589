import * as fc from "fast-check";
import { docker } from "millrace";
import { describe, expect, it } from "vitest";
import { durationMs } from "../../src/pipeline/duration.ts";
import { imageText, parseImage } from "../../src/pipeline/image-name.ts";
import { keys, specOf } from "../../src/pipeline/keys.ts";
import { nearest, suggestion } from "../../src/pipeline/nearest.ts";
import { gitUrl, localPath } from "../../src/pipeline/places.ts";

describe("an image's name", () => {
  it.each([
    ["alpine:3", "docker.io/library/alpine:3"],
    ["docker.io/alpine:3", "docker.io/library/alpine:3"],
    ["demo/hello:live", "docker.io/demo/hello:live"],
    ["index.docker.io/demo/hello:live", "docker.io/demo/hello:live"],
    ["127.0.0.1:5055/demo/hello:live", "127.0.0.1:5055/demo/hello:live"],
    ["localhost/hello:live", "localhost/hello:live"],
    ["Registry.Example/hello:live", "registry.example/hello:live"],
    ["ghcr.io/a/b/c__d-e.f:V1.2_x", "ghcr.io/a/b/c__d-e.f:V1.2_x"],
  ])("%s means %s", (text, wanted) => {
    const image = parseImage(text);
    expect(typeof image === "string" ? image : imageText(image)).toBe(wanted);
  });

  it.each([
    "",
    ":",
    "a",
    "a:",
    ":b",
    "a/:b",
    "/a:b",
    "a//b:c",
    "a:b:c",
    "a_:b",
    "-a:b",
    "a b:c",
    "a:b\n",
    "é:b",
    "x.y:z/a:b",
  ])("%j is none", (text) => expect(typeof parseImage(text)).toBe("string"));

  it("takes no time to refuse, however odd", () => {
    expect(parseImage(`${"a-".repeat(120)}!:b`)).toContain("lower-case");
    expect(parseImage("a".repeat(100_000))).toBe("is longer than 255 characters");
  });
});

describe("a length of time", () => {
  it.each([
    ["90s", 90_000],
    ["50m", 3_000_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
  ])("%s", (text, ms) => expect(durationMs(text)).toBe(ms));
  it.each(["", "5", "m", "0s", "-1m", "1e3s", "5 m", "5M", "Infinityd"])("%j is none", (text) =>
    expect(durationMs(text)).toBeUndefined(),
  );
});

describe("a term's key", () => {
  it("is made of encoded segments", () => {
    const build = docker("docker/Dockerfile.web");
    expect(keys.head("demo/hello", "live")).toBe("demo/hello/branch:live/head");
    expect(keys.term(keys.branch("demo/hello", build, "feature/x:y"), "deploy", "here", "demo_hello")).toBe(
      "demo/hello/docker%2FDockerfile.web/branch:feature%2Fx%3Ay/deploy/here/demo_hello",
    );
    expect(keys.term(keys.branch("demo/..", build, "."), "build")).toBe(
      "demo/%2E%2E/docker%2FDockerfile.web/branch:%2E/build",
    );
  });

  it("is another one for every other branch, build and verb", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, text, text, text, text, (spec, branch, verb, spec2, branch2, verb2) => {
        const key = (name: string, of: string, ...rest: readonly [string]) =>
          keys.term(keys.branch("demo/hello", docker.with({ name })("Dockerfile"), of), ...rest);
        const same = spec === spec2 && branch === branch2 && verb === verb2;
        expect(key(spec, branch, verb) === key(spec2, branch2, verb2)).toBe(same);
        expect(key(spec, branch, verb).split("/")).toHaveLength(5);
      }),
    );
  });

  it("names a build by its name, else by its path in one spelling", () => {
    expect(specOf(docker("./sub/../Dockerfile"))).toBe("Dockerfile");
    expect(specOf(docker.with({ name: "web" })("Dockerfile"))).toBe("web");
  });
});

describe("a repository's place", () => {
  it.each([
    ["./hello.git", "/srv/hello.git"],
    ["../hello", "/hello"],
    ["/var/git/x.git", "/var/git/x.git"],
    ["file:///var/git/x%20y.git", "/var/git/x y.git"],
    ["./a:b", "/srv/a:b"],
  ])("%s is the path %s", (url, path) => expect(localPath(url, "/srv")).toBe(path));

  it.each(["https://git.example/x.git", "git@git.example:x.git", "ssh://git.example/x", "git://git.example/x"])(
    "%s is none of this machine",
    (url) => {
      expect(localPath(url, "/srv")).toBeUndefined();
      expect(gitUrl(url, "/srv")).toBe(url);
    },
  );
});

describe("did you mean", () => {
  it.each([
    ["lvie", "live"],
    ["Live", "live"],
    ["masterr", "master"],
  ])("%s: %s", (word, meant) => expect(nearest(word, ["main", "master", "live"])).toBe(meant));
  it("does not guess wildly", () => expect(nearest("production", ["main", "live"])).toBeUndefined());
  it("says what there is", () => {
    expect(suggestion("lvie", ["main", "live"])).toBe('Did you mean "live"? Known: main, live.');
    expect(suggestion("x", [])).toBe("There are none.");
  });
});
