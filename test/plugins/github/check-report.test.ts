import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/engine/secret.ts";
import { abandonedCheck, type CheckedBuild, checkOf } from "../../../src/plugins/github/check-report.ts";
import { type CheckWant, checkCodec } from "../../../src/plugins/github/check-want.ts";
import { shortened } from "../../../src/plugins/github/deployment-want.ts";
import { type Failure, type Output, ok, type Phase } from "../../../src/term/output.ts";

const active = (phase: Phase): Output<unknown> => ({ state: "active", phase, origin: "t" });
const failed = (message: string, more: Partial<Failure> = {}): Output<unknown> => {
  const failure: Failure = { code: "BUILD_FAILED", message, class: "failed", ...more };
  return { state: "failed", failure, origin: "t" };
};
const transient = failed("no route to the registry", { class: "transient", code: "REGISTRY_UNREACHABLE" });
const cancelled = failed("cancelled by ann", { code: "CANCELLED" });

const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const job = (id: string, tookMs?: number) => ({
  id,
  startedMs: START,
  endedMs: tookMs === undefined ? null : START + tookMs,
});
const build = (spec: string, output: Output<unknown>, more: Partial<CheckedBuild> = {}): CheckedBuild => ({
  spec,
  output,
  ...more,
});

const site = "https://deploy.example";
const about = { repo: "acme/shop", repository: 7, commit: "c0ffee", site } as const;
const check = (...builds: readonly CheckedBuild[]): CheckWant => checkOf({ ...about, allowed: ok(undefined), builds });

describe("the state of the check", () => {
  it.each([
    ["nothing has begun", [active("ready"), active("ready")], "queued", "Queued"],
    ["one is being built", [active("running"), active("ready")], "in_progress", "0 of 2 done"],
    ["one waits for a person", [active("waiting")], "in_progress", "0 of 1 done"],
    ["one is done, one not", [ok(1), active("ready")], "in_progress", "1 of 2 done"],
    ["one has failed, one not ended", [failed("x"), active("running")], "in_progress", "1 of 2 done, failed: A"],
    ["one is tried again by itself", [ok(1), transient], "in_progress", "1 of 2 done"],
    ["all went well", [ok(1), ok(2)], "success", "Passed: 2 builds"],
    ["one alone went well", [ok(1)], "success", "Passed"],
    ["one has failed", [ok(1), failed("x")], "failure", "Failed: B"],
    ["all have failed", [failed("x"), failed("x")], "failure", "Failed: A, B"],
    ["one was cancelled", [ok(1), cancelled], "cancelled", "Cancelled: B"],
    ["one was cancelled, one failed", [failed("x"), cancelled], "failure", "Failed: A"],
    ["one took too long", [failed("x", { code: "TIMED_OUT" }), ok(1)], "timed_out", "Failed: A"],
    ["there is none", [], "neutral", "There is nothing to build"],
  ] as const)("when %s", (_name, outputs, state, title) => {
    const want = check(...outputs.map((output, n) => build("AB"[n] ?? "", output)));
    expect([want.state, want.title]).toEqual([state, title]);
    expect(checkCodec.decode(checkCodec.encode(want))).toEqual(want);
  });

  it.each([
    [active("waiting"), "neutral", "Waiting for approval"],
    [active("running"), "queued", "Queued"],
    [transient, "queued", "Not begun yet"],
    [failed("its fork is gone"), "failure", "It cannot be built"],
  ] as const)("when it may not be built (yet): %j", (allowed, state, title) => {
    const want = checkOf({ ...about, allowed, builds: [build("A", active("ready"))] });
    expect([want.state, want.title, want.rebuild]).toEqual([state, title, false]);
    expect(want.details).toBe(state === "neutral" ? `${about.site}/approvals` : about.site);
  });

  it("is ended when its commit is left, and stands when it had ended", () => {
    expect(abandonedCheck(check(build("A", active("running"))))?.state).toBe("cancelled");
    expect(abandonedCheck(check(build("A", ok(1))))).toBeUndefined();
  });
});

describe("the title", () => {
  const titleOf = (...headlines: readonly (string | undefined)[]): string =>
    check(...headlines.map((headline, n) => build("AB"[n] ?? "", failed("exit code 1"), headline ? { headline } : {})))
      .title;

  it("says why each build failed, where the log tells", () => {
    expect(titleOf("E: no such package")).toBe("Failed: A: E: no such package");
    expect(titleOf("E: no such package", undefined)).toBe("Failed: A: E: no such package, B");
    expect(titleOf("one", "two")).toBe("Failed: A: one, B: two");
  });

  it("is one line without secrets, cut to what GitHub takes, by whole characters", () => {
    const secret = new Secret("hunter3-hunter3");
    expect(titleOf(`a\n\u202Eb ${secret.reveal()}`)).toBe("Failed: A: a b ‹secret›");
    const long = titleOf(`${"x".repeat(188)}😀 more`);
    expect(long).toBe(`Failed: A: ${"x".repeat(188)}\uFFFD…`);
    expect(titleOf("😀".repeat(1_000)).length).toBeLessThan(255);
  });
});

describe("the summary", () => {
  it("has a row a build: state, time, log and what went wrong", () => {
    const want = check(
      build("Dockerfile", ok(1), { arch: "x86_64", job: job("2026-01-02/a", 130_400) }),
      build("api/Dockerfile", failed("exit code 1"), {
        arch: "arm64",
        job: job("2026-01-02/b", 3_000),
        headline: "error: no `such` | file",
      }),
    );
    expect(want.summary).toBe(
      [
        "| Dockerfile | Architecture | State | Took | Log | What went wrong |",
        "| --- | --- | --- | --- | --- | --- |",
        "| `Dockerfile` | `x86_64` | passed | 2 m 10 s | [log](https://deploy.example/job/2026-01-02/a) |  |",
        "| `api/Dockerfile` | `arm64` | failed | 3 s | [log](https://deploy.example/job/2026-01-02/b) " +
          "| `error: no 'such' \\| file` |",
      ].join("\n"),
    );
    expect(want).toMatchObject({
      details: "https://deploy.example/job/2026-01-02/b",
      job: "2026-01-02/b",
      startedAt: "2026-01-02T03:04:05Z",
      completedAt: "2026-01-02T03:06:16Z",
      rebuild: true,
    });
  });

  it("links to the job that matters: what failed, else what runs", () => {
    const first = build("A", ok(1), { job: job("j/a", 1) });
    expect(check(first, build("B", active("running"), { job: job("j/b") })).details).toBe(`${site}/job/j/b`);
    expect(check(first).details).toBe(`${site}/job/j/a`);
    expect(check(build("A", active("ready"))).details).toBe(site);
  });

  it("says nothing of a secret, and nothing in it is a link, a mention or another line", () => {
    const secret = new Secret("hunter2-hunter2");
    const hostile = `denied: ${secret.reveal()}\n[x](http://evil) @everyone | <img src=x>`;
    const { summary } = check(build("A", failed(hostile)));
    expect(summary).not.toContain("hunter2");
    expect(summary.split("\n").at(-1)).toMatch(
      /\| `denied: ‹secret› \[x\]\(http:\/\/evil\) @everyone \\\| <img src=x>` \|$/,
    );
  });

  it.each([
    ["half a character, where it is cut", `${"x".repeat(299)}😀`, /\| `x{299}\uFFFD…` \|$/u],
    ["half a character, where it was cut before", "no 😀 here".slice(0, 4), /\| `no \uFFFD` \|$/u],
    ["a bar behind a backslash", "a\\|[x](http://evil)", /\| `a\\ \\\|\[x\]\(http:\/\/evil\)` \|$/],
  ])("holds no %s", (_, headline, wanted) => {
    expect(check(build("A", failed("no"), { headline })).summary).toMatch(wanted);
  });

  it("of a deployment has no half of a character either", () => {
    expect(shortened(`${"x".repeat(138)}😀😀`)).toBe(`${"x".repeat(138)}…`);
  });

  it("is cut to what GitHub takes, by whole rows, and tells how many there are", () => {
    const many = Array.from({ length: 2_000 }, (_, n) => build(`dir/${n}/Dockerfile`, failed("é".repeat(500))));
    const { summary, title } = check(...many);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(65_535);
    expect(Buffer.byteLength(summary)).toBeGreaterThan(60_000);
    expect(summary).toMatch(/\|\n\n… and \d+ more: see \[the page\]/);
    expect(title.length).toBeLessThan(255);
  });
});
