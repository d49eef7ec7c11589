import { describe, expect, it } from "vitest";
import { originOf, parseImage, parseRepository } from "../../../src/plugins/registry/reference.ts";

describe("image names", () => {
  it.each([
    ["127.0.0.1:5000/demo/web:live", { host: "127.0.0.1:5000", path: "demo/web", tag: "live" }],
    ["ghcr.io/ocaml/opam", { host: "ghcr.io", path: "ocaml/opam", tag: "latest" }],
    ["localhost/web:1", { host: "localhost", path: "web", tag: "1" }],
    ["ocurrent/opam.ocaml.org:live", { host: "docker.io", path: "ocurrent/opam.ocaml.org", tag: "live" }],
    ["busybox", { host: "docker.io", path: "library/busybox", tag: "latest" }],
    ["docker.io/busybox:1", { host: "docker.io", path: "library/busybox", tag: "1" }],
    ["index.docker.io/library/busybox:1", { host: "docker.io", path: "library/busybox", tag: "1" }],
    ["[::1]:5000/web:a", { host: "[::1]:5000", path: "web", tag: "a" }],
  ])("reads %s", (image, expected) => {
    expect(parseImage(image)).toEqual({ ok: true, value: expected });
  });

  it.each(["", ":live", "Web:live", "a//b:c", "host.example/../x:1", "a:b c", "a:-x", "-a:1", "a.b/:x", "x@y/z:1"])(
    "refuses %j with its name in the message",
    (image) => {
      const parsed = parseImage(image);
      expect(parsed).toMatchObject({ ok: false, error: { code: "IMAGE_NAME" } });
      expect(parsed.ok ? "" : parsed.error.message).toContain("expected");
    },
  );

  it("speaks plain HTTP to this machine only", () => {
    const origins = [
      "127.0.0.1:5000",
      "127.9.9.9",
      "localhost:1",
      "[::1]:5000",
      "ghcr.io",
      "docker.io",
      "127.0.0.1.evil.example",
    ];
    expect(origins.map(originOf)).toEqual([
      "http://127.0.0.1:5000",
      "http://127.9.9.9",
      "http://localhost:1",
      "http://[::1]:5000",
      "https://ghcr.io",
      "https://registry-1.docker.io",
      "https://127.0.0.1.evil.example",
    ]);
  });

  it("reads a repository without a tag", () => {
    expect(parseRepository("127.0.0.1:5000/demo/web")).toEqual({
      ok: true,
      value: { host: "127.0.0.1:5000", path: "demo/web" },
    });
  });
});
