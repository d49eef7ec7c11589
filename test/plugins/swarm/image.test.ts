import { describe, expect, it } from "vitest";
import { canonicalImage, isPinned, registryOf, sameImage } from "../../../src/plugins/swarm/image.ts";
import { similarNames } from "../../../src/plugins/swarm/similar.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("images as Swarm spells them", () => {
  it.each([
    [`127.0.0.1:5000/demo/web@${DIGEST}`, `127.0.0.1:5000/demo/web@${DIGEST}`],
    [`127.0.0.1:5000/demo/web:live@${DIGEST}`, `127.0.0.1:5000/demo/web@${DIGEST}`],
    [`ocurrent/opam.ocaml.org:live@${DIGEST}`, `docker.io/ocurrent/opam.ocaml.org@${DIGEST}`],
    [`docker.io/ocurrent/x@${DIGEST}`, `docker.io/ocurrent/x@${DIGEST}`],
    ["busybox", "docker.io/library/busybox:latest"],
    ["index.docker.io/library/busybox:1", "docker.io/library/busybox:1"],
    ["localhost/x:2", "localhost/x:2"],
    ["host:5000/x", "host:5000/x:latest"],
  ])("%s is %s", (image, canonical) => {
    expect(canonicalImage(image)).toBe(canonical);
  });

  it("are the same only with the same repository and digest", () => {
    expect(sameImage(`a.example/x:1@${DIGEST}`, `a.example/x@${DIGEST}`)).toBe(true);
    expect(sameImage(`a.example/x@${DIGEST}`, `a.example/y@${DIGEST}`)).toBe(false);
    expect(sameImage("a.example/x:1", `a.example/x@${DIGEST}`)).toBe(false);
    expect(sameImage(`a.example/x@${DIGEST}`, `a.example/x@${DIGEST.replace(/a$/, "b")}`)).toBe(false);
  });

  it("are pinned by a whole digest", () => {
    expect([`x@${DIGEST}`, "x:1", `x@${DIGEST}0`, `@${DIGEST}`, `x y@${DIGEST}`].map(isPinned)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("come from one registry", () => {
    expect([registryOf("127.0.0.1:5000/a/b@x"), registryOf("ocurrent/x:1"), registryOf("ghcr.io/x")]).toEqual([
      "127.0.0.1:5000",
      "docker.io",
      "ghcr.io",
    ]);
  });
});

describe("similar names", () => {
  it("finds what may have been meant, the likeliest first", () => {
    const names = ["shop_web", "shop_worker", "shop_wbe", "database", "infra_opam_live", "x"];
    expect(similarNames("shop_wed", names)).toEqual(["shop_web", "shop_wbe"]);
    expect(similarNames("opam_live", names)).toEqual(["infra_opam_live"]);
    expect(similarNames("zzzzzz", names)).toEqual([]);
  });
});
