// What a commit changes, as a strict GitHub tells it and as a sly one might.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitHub, readChanges } from "../../../src/plugins/github/index.ts";
import { success } from "../../../src/term/output.ts";
import { FakeGitHub } from "../../../src/testing/index.ts";
import { clientOf, closeStrictly } from "../../support/github.ts";

const { signal } = new AbortController();
const REPO = "acme/shop";

describe("what a pull request changes", () => {
  let fake: FakeGitHub;
  let github: GitHub;
  beforeEach(async () => {
    fake = await FakeGitHub.start();
    fake.repo(REPO, { files: { Dockerfile: "FROM a\nRUN b\nCMD c\n", "old.txt": "1\n", kept: "1\n" } });
    fake.install("acme");
    github = clientOf(fake);
  });
  afterEach(() => closeStrictly(fake));

  const proposed = (files: Parameters<FakeGitHub["push"]>[2]): string => {
    const from = fake.fork(REPO, "mallory");
    return fake.pull(REPO, fake.openPull(REPO, { by: "mallory", from, files })).commit;
  };
  const read = (commit: string, base = fake.repository(REPO).heads.branches.get("main") ?? "") =>
    readChanges(github, REPO, base, commit, signal);

  it("is each file, with its lines; what went on at the base meanwhile is none of it", async () => {
    const since = fake.repository(REPO).heads.branches.get("main");
    const commit = proposed({ Dockerfile: "FROM a\nRUN evil\nCMD c\n", "new.bin": "\0\u0001", "old.txt": null });
    fake.push(REPO, "main", { kept: "2\n" });
    expect(await read(commit)).toMatchObject(
      success({
        since,
        whole: true,
        files: [
          {
            path: "Dockerfile",
            status: "changed",
            added: 1,
            removed: 1,
            patch: "@@ -1,3 +1,3 @@\n FROM a\n-RUN b\n+RUN evil\n CMD c",
          },
          { path: "new.bin", status: "added", added: 0, removed: 0 },
          { path: "old.txt", status: "removed", added: 0, removed: 1, patch: "@@ -1,1 +1,0 @@\n-1" },
        ],
      }),
    );
  });

  it("is not all there where there are more files than GitHub lists", async () => {
    const files = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}.txt`, "x\n"]));
    const few = await read(proposed(files(299)));
    expect(few.ok && [few.value.whole, few.value.files.length]).toEqual([true, 299]);
    const many = await read(proposed({ ...files(400), zDockerfile: "FROM evil\n" }));
    expect(many.ok && [many.value.whole, many.value.files.length]).toEqual([false, 300]);
  });

  it("is cut after whole lines where it is long", async () => {
    const lines = Array.from({ length: 2_900 }, (_, at) => `RUN ${at} ${"x".repeat(30)}`);
    const found = await read(proposed({ Dockerfile: lines.join("\n") }));
    const [file] = found.ok ? found.value.files : [];
    expect(file).toMatchObject({ cut: true, added: 2_900 });
    expect(file?.patch?.length).toBeLessThanOrEqual(60_001);
    expect(file?.patch).toMatch(/x{30}\n$/);
  });

  it("cannot be told while GitHub does not answer, nor of a commit that it does not have", async () => {
    const commit = proposed({ Dockerfile: "FROM b\n" });
    expect(await read("f".repeat(40))).toMatchObject({ ok: false, error: { code: "FORGE_REFUSED" } });
    fake.mishap({ mishap: { does: "status", status: 502 }, times: 10 });
    expect(await read(commit)).toMatchObject({ ok: false, error: { code: "FORGE_UNREACHABLE" } });
  });
});

describe("an answer", () => {
  const answered = (data: unknown) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes from outside may be anything
    const ask = (async () => success(data)) as unknown as GitHub["ask"];
    return readChanges({ ask }, REPO, "a", "b", signal);
  };
  const merge_base_commit = { sha: "a" };

  it("with an entry that cannot be read is not whole; one that was moved names both its paths", async () => {
    const moved = { filename: "x", previous_filename: "Dockerfile", status: "renamed", additions: 0, deletions: 0 };
    expect(await answered({ merge_base_commit, files: [moved, { filename: 5 }] })).toEqual(
      success({
        since: "a",
        whole: false,
        files: [{ path: "x", before: "Dockerfile", status: "moved", added: 0, removed: 0 }],
      }),
    );
  });

  it.each([{}, { merge_base_commit }, { files: [] }, [], null])("like %j is none", async (data) => {
    expect(await answered(data)).toMatchObject({ ok: false, error: { code: "FORGE_FAULT" } });
  });
});
