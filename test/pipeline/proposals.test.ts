import { describe, expect, it } from "vitest";
import type { ChangedFile } from "../../src/engine/changes.ts";
import type { Refs } from "../../src/engine/refs.ts";
import type { CheckHead } from "../../src/pipeline/check-heads.ts";
import { docker } from "../../src/pipeline/docker.ts";
import { decidesBuild, proposals } from "../../src/pipeline/proposals.ts";
import { active, type Output, ok, success } from "../../src/term/output.ts";

const { signal } = new AbortController();
const BUILDS = [docker("Dockerfile"), docker("./build/image")];

describe("a file decides what a build does", () => {
  it.each([
    "Dockerfile",
    "sub/Dockerfile.arm64",
    "web.dockerfile",
    "Containerfile",
    "build/image",
    "build/image.dockerignore",
    ".dockerignore",
    ".gitmodules",
    "sub/.gitattributes",
    "pipeline.ts",
    "contexts/hosts.ts",
    ".github/workflows/ci.yml",
    ".github/actions/x/action.yml",
  ])("%s", (path) => expect(decidesBuild(path, BUILDS)).toBe(true));

  it.each(["README.md", "src/dockerfile-parser.ts", "image", "doc/contexts/hosts.ts", "a.github/workflows/x"])(
    "but not %s",
    (path) => expect(decidesBuild(path, BUILDS)).toBe(false),
  );
});

describe("what somebody is to approve", () => {
  const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({
    path,
    status: "changed",
    added: 1,
    removed: 0,
    patch: `+${path}`,
    ...more,
  });
  const head = (base: string): CheckHead => ({
    name: "pr:7",
    label: "#7",
    commit: "evil",
    repository: 5,
    ages: false,
    from: { pull: 7, author: { id: 66, login: "mallory" }, fork: "gone", base },
  });

  function scene(files: readonly ChangedFile[]) {
    let known: Output<Refs> = active("running", "refs");
    const branches = new Map([["main", { commit: "c1" }]]);
    const asked: string[] = [];
    const propose = proposals(
      {
        mayWrite: async () => success(false),
        changes: async (repo, base, commit) => {
          asked.push(`${repo} ${base}...${commit}`);
          return success({ since: "c0", whole: true, files });
        },
      },
      "acme/web",
      () => known,
      BUILDS,
    );
    const know = (): void => {
      known = ok({ id: 5, name: "acme/web", defaultBranch: "main", branches, pulls: new Map() });
    };
    return { asked, propose, know };
  }

  it("is told by full commits, with what decides first and whole, and of the rest the counts", async () => {
    const { propose, know, asked } = scene([file("a.ts"), file("x", { before: "Dockerfile", status: "moved" })]);
    expect(await propose(head("main"), signal)).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
    know();
    expect(await propose(head("main"), signal)).toEqual(
      success({
        since: "c0",
        whole: true,
        deciding: [{ path: "x", before: "Dockerfile", status: "moved", added: 1, removed: 0, patch: "+x" }],
        others: [{ path: "a.ts", status: "changed", added: 1, removed: 0 }],
      }),
    );
    expect(asked).toEqual(["acme/web c1...evil"]);
    expect(await propose(head("gone"), signal)).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
  });

  it("has an end, and says where something is left out", async () => {
    const patch = "x".repeat(59_000);
    const { propose, know } = scene(Array.from({ length: 9 }, (_, at) => file(`${at}/Dockerfile`, { patch })));
    know();
    const found = await propose(head("main"), signal);
    const deciding = found.ok ? found.value.deciding : [];
    expect(deciding.map((one) => [one.patch?.length, one.cut])).toEqual([
      ...Array.from({ length: 6 }, () => [59_000, undefined]),
      ...Array.from({ length: 3 }, () => [undefined, true]),
    ]);
  });
});
