import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/engine/cache/digest.ts";
import { problem } from "../../src/engine/errors.ts";
import { isJobId } from "../../src/engine/job.ts";
import type { ResultRow } from "../../src/engine/store/store.ts";
import { pushKey, vouchFor } from "../../src/pipeline/vouch.ts";
import { dockerBuild, dockerCheck, dockerPush } from "../../src/plugins/docker/index.ts";
import { active, ok } from "../../src/term/output.ts";

const REPO = "registry.example/acme/web";
const HEAD = "a".repeat(40);
const [IMAGE, DIGEST, OTHER] = ["sha256:image", `sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];
const BUILD = {
  source: { url: "https://forge.example/acme/web.git" },
  commit: HEAD,
  tree: "tree",
  dockerfile: "Dockerfile",
  buildArgs: {},
  includeGit: false,
};

const PUSH = pushKey(dockerBuild, REPO, IMAGE, BUILD);
const BUILT = digestOf({ version: dockerBuild.version, key: dockerBuild.key(BUILD) });
const PUSHED = digestOf({ version: dockerPush.version, key: dockerPush.key(PUSH) });

function row(op: string, key: string, value: ResultRow["value"], error: ResultRow["error"] = null): ResultRow {
  const job = "2026-01-01/000000-x-0";
  if (!isJobId(job)) throw new Error("no job id");
  return { op, key, job, value, error, finishedMs: 0, build: 1, rebuild: false };
}

const trusted = [
  row("docker-build", BUILT, { image: IMAGE }),
  row("docker-push", PUSHED, { repo: REPO, digest: DIGEST }),
];

/** What is said of an image, with these records. */
function said(
  rows: readonly ResultRow[],
  running = DIGEST,
  more: Partial<Parameters<typeof vouchFor>[2]> = {},
): string {
  const queries = { result: (op: string, key: string) => rows.find((one) => one.op === op && one.key === key) };
  const branch = { head: HEAD, build: ok(BUILD), repo: REPO, ...more };
  const result = vouchFor(queries, dockerBuild, branch, running);
  return result.ok ? "deployed" : `${result.error.code} ${result.error.message}`;
}

describe("an image is deployed", () => {
  it("that the registry gave for what was built of the commit that the branch is at", () => {
    expect(said(trusted)).toBe("deployed");
    expect(said(trusted, `${REPO}@${DIGEST}`)).toBe("deployed");
  });

  it.each([
    ["of another digest", trusted, OTHER, {}, /^UNTRUSTED_IMAGE .* is sha256:1+$/],
    ["whose name only ends like it", trusted, `${REPO}:x${DIGEST}`, {}, /is sha256:1+$/],
    ["of a commit that the branch is not at", trusted, DIGEST, { head: "b".repeat(40) }, /branch is not at/],
    ["of a branch that is gone", trusted, DIGEST, { head: undefined }, /branch is not at/],
    ["while another commit is on its way", trusted, DIGEST, { build: active("running", "x") }, /branch is not at/],
    [
      "that only a check built",
      [row(dockerCheck.id, BUILT, { image: IMAGE }), ...trusted.slice(1)],
      DIGEST,
      {},
      /was built for deploys/,
    ],
    [
      "whose build failed",
      [row("docker-build", BUILT, null, problem("BUILD_FAILED", "x"))],
      DIGEST,
      {},
      /was built for/,
    ],
    ["that was not pushed", trusted.slice(0, 1), DIGEST, {}, /was pushed/],
    ["that was pushed to another place", trusted, DIGEST, { repo: "evil.example/web" }, /was pushed/],
  ])("but none %s", (_what, rows, running, more, why) => {
    expect(said(rows, running, more)).toMatch(why);
  });
});
