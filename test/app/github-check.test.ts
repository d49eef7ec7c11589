// What the flags about GitHub take and refuse, and `millrace check` of a pipeline on GitHub, against a strict one here.
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeGitHub } from "../../src/testing/index.ts";
import { millrace } from "../support/cli.ts";
import { folderWith, withWords } from "../support/pipeline-file.ts";

let fake: FakeGitHub;
beforeAll(async () => {
  fake = await FakeGitHub.start();
  fake.repo("acme/shop", { private: true, files: { Dockerfile: "FROM scratch\n" } });
  fake.repo("acme/open", { files: { Dockerfile: "FROM scratch\n" } });
  fake.repo("other/away", { private: true });
  fake.install("acme");
});
afterAll(async () => {
  if (fake.violations.length > 0) throw new Error(fake.violations.join("\n"));
  await fake.close();
});

const pipeline = withWords(`export default deployer({ demo: { repos: {
  "acme/shop": docker("Dockerfile"),
  "acme/open": [docker("Dockerfile"), docker("none/Dockerfile")],
} } });`);

/** A folder with the pipeline and the app's files, and how `check` ends there. */
function place(text = pipeline) {
  const key = fake.app.privateKey;
  const files = { key, open: key, empty: "\n", "no-key": "hello\n", "two-lines": `${key}\n\n` };
  const folder = folderWith({ "pipeline.ts": text, ...files });
  for (const name of Object.keys(files)) chmodSync(join(folder, name), name === "open" ? 0o644 : 0o600);
  const check = (...args: readonly string[]): ReturnType<typeof millrace> =>
    millrace(folder, "check", "--github-url", fake.apiUrl, ...args);
  const app = (file: string): readonly string[] => [
    "--github-app-id",
    String(fake.app.appId),
    "--github-private-key-file",
    file,
  ];
  return { check, app };
}

describe("the app's files", () => {
  it.each([
    ["open", /open may be read by others: chmod 600 it/],
    ["empty", /empty is empty/],
    ["nowhere", /cannot read nowhere/],
    ["no-key", /no-key is no private key/],
  ])("%s is refused before anything is asked", async (file, said) => {
    const { check, app } = place();
    const before = fake.requests.length;
    const { code, err } = await check(...app(file));
    expect(err).toMatch(said);
    expect(err).not.toContain("PRIVATE KEY");
    expect([code, fake.requests.length]).toEqual([1, before]);
  });

  it("may end with empty lines", async () => {
    const { check, app } = place();
    expect(await check(...app("two-lines"))).toMatchObject({ code: 0 });
  });
});

describe("flags about GitHub", () => {
  it.each([
    [["--github-app-id", "12"], /belong together/],
    [["--github-private-key-file", "key"], /belong together/],
    [["--github-app-id", "twelve"], /App ID/],
    [["--github-url", "http://github.example/api/v3"], /is not a plain https:\/\/ address/],
    [["--github-url", "https://user@github.example/api/v3"], /is not a plain https:\/\/ address/],
    [["--github-url", "nowhere"], /is not a plain https:\/\/ address/],
  ])("%j is refused", async (args, said) => {
    const { code, err } = await place().check(...args);
    expect([code, err]).toEqual([64, expect.stringMatching(said)]);
  });
});

describe("check", () => {
  it("sees what the app sees, and no more", async () => {
    const text = pipeline.replace(
      '"acme/open": [',
      '"other/away": docker("Dockerfile"),\n "acme/gone": docker("Dockerfile"),\n $&',
    );
    const { check, app } = place(text);
    const { code, err } = await check(...app("key"));
    expect(code).toBe(65);
    expect(err).toContain("the app is not installed on other");
    expect(err).toContain("the app does not see acme/gone");
    expect(err).not.toContain("acme/shop");
  });

  it("compares what the app was granted with what is done", async () => {
    fake.repo("poor/web", { files: { Dockerfile: "FROM scratch\n" } });
    fake.install("poor", { permissions: { metadata: "read", contents: "read", pull_requests: "read" } });
    const { check, app } = place(pipeline.replace('"acme/open": [', '"poor/web": docker("Dockerfile"),\n $&'));
    const { code, err } = await check(...app("key"));
    expect(code).toBe(65);
    const said = "the app lacks permissions on poor: checks (write), deployments (write) [FORGE_REFUSED]";
    expect(err).toMatch(/^pipeline\.ts:4: the app lacks/m);
    expect(err).toContain(said);
    expect(err).toContain("accepted where it is installed");
    expect(err).not.toContain("on acme");
  });

  it("notes what would work better, and lets it be", async () => {
    fake.repo("quiet/web", { files: { Dockerfile: "FROM scratch\n" } });
    const reads = { metadata: "read", contents: "read", pull_requests: "read" } as const;
    fake.install("quiet", { permissions: { ...reads, checks: "write", deployments: "write" } });
    fake.webhooks.events.delete("check_run");
    const text = withWords(`export default deployer({ demo: { admins: ["github:Quiet/ops", "github:acme/ops"], repos: {
      "quiet/web": docker("Dockerfile"), "acme/shop": docker("Dockerfile") } } });`);
    const { check, app } = place(text);
    const { code, err } = await check(...app("key"));
    fake.webhooks.events.add("check_run");
    expect([code, err.trimEnd().split("\n")]).toEqual([
      0,
      [
        "note: quiet tells the app nothing of check_run: those events are not ticked",
        "note: the app may not read the members of quiet: people of its teams have to sign in again and again",
        "note: acme tells the app nothing of check_run: those events are not ticked",
      ],
    ]);
  });

  it("sees what anybody sees, without an app", async () => {
    const { code, err } = await place().check();
    expect(code).toBe(65);
    expect(err).toMatch(/pipeline\.ts:3: .*acme\/shop.*does not exist, or it is private.*\[REPO_HIDDEN\]/);
    expect(err).not.toContain("acme/open");
  });
});

describe("local", () => {
  it("follows a public repository without an app, and shows what it would do", async () => {
    const text = withWords(`export default deployer({ demo: { repos: {
  "acme/open": docker("Dockerfile", { main: publish("127.0.0.1:5/open:main") }) } } });`);
    const folder = folderWith({ "pipeline.ts": text });
    const flags = ["--once", "--confirm=harmless", "--docker-host", `unix://${join(folder, "no.sock")}`];
    const { out } = await millrace(folder, "local", ...flags, "--github-url", fake.apiUrl);
    const commit = fake.repository("acme/open").heads.branches.get("main") ?? "";
    expect(out).toContain(`build Dockerfile of ${commit.slice(0, 8)}`);
    expect(fake.requests.filter(({ path }) => path.startsWith("/api")).map(({ who }) => who)).not.toContain("nobody");
  });
});
