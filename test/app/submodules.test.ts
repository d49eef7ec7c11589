// What `submodules` in pipeline.ts means, from there to the files that a build is given: the real ports, real git, and no
// Docker engine, since the files are looked at in place of being sent to it.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "millrace";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withChecks } from "../../src/app/checks.ts";
import { connect } from "../../src/app/connect.ts";
import { digestOf } from "../../src/engine/cache/digest.ts";
import { problem } from "../../src/engine/errors.ts";
import { Secret } from "../../src/engine/secret.ts";
import { buildKey } from "../../src/pipeline/build-key.ts";
import type { DockerBuild } from "../../src/pipeline/types.ts";
import { type DockerBuildContext, dockerBuild, dockerCheck } from "../../src/plugins/docker/index.ts";
import { failure } from "../../src/term/output.ts";
import { createRig } from "../../src/testing/index.ts";
import { execGit, makeRepository, type TestRepository } from "../support/git.ts";
import { testJob } from "../support/job.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-submodules-"));
let library: TestRepository;
let app: TestRepository;

beforeAll(() => {
  library = makeRepository({ "lib.txt": "lib" });
  execGit(folder, ["clone", "--quiet", "--bare", library.dir, "library.git"]);
  app = makeRepository({
    Dockerfile: "FROM scratch\n",
    ".gitmodules": '[submodule "x"]\n\tpath = lib\n\turl = ../library.git\n',
  });
  app.git("update-index", "--add", "--cacheinfo", `160000,${library.git("rev-parse", "HEAD")},lib`);
  app.git("commit", "--quiet", "-m", "submodule");
  execGit(folder, ["clone", "--quiet", "--bare", app.dir, "app.git"]);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  library.dispose();
  app.dispose();
});

/** The files in the submodule's directory that a build and a check of it would be given. */
async function filesOf(build: DockerBuild): Promise<Readonly<Record<"build" | "check", readonly string[]>>> {
  const seen = { build: ["not asked"], check: ["not asked"] };
  const { engine } = createRig();
  const github = { app: { id: 1, key: new Secret("no key") } };
  const dockerHost = `unix://${join(folder, "no.sock")}`;
  const pipeline = join(folder, "pipeline.ts");
  const connected = connect(engine, { dockerHost, pipeline, flavour: "acme", github, scratch: folder });
  const ports = connected.ok ? withChecks(connected.value, undefined) : connected;
  if (!ports.ok || ports.value.checks === undefined) throw new Error("no ports");
  const { build: built, checks } = ports.value;
  const looking = (which: keyof typeof seen, checkout: DockerBuildContext["checkout"]): typeof checkout => {
    return async (...asked) => {
      const files = await checkout(...asked);
      if (files.ok) seen[which] = readdirSync(join(files.value.dir, "lib"));
      return failure(problem("CANCELLED", "enough was seen"));
    };
  };
  const source = { url: join(folder, "app.git") };
  const key = buildKey(build, source, app.git("rev-parse", "HEAD"), app.git("rev-parse", "HEAD^{tree}"));
  await dockerBuild.build({ ...built, checkout: looking("build", built.checkout) }, key, testJob());
  const checkKey = { build: key, scope: "its", network: "default", shares: [] } as const;
  const { build: context } = checks;
  await dockerCheck.build({ ...context, checkout: looking("check", context.checkout) }, checkKey, testJob());
  return seen;
}

it("submodules are filled unless pipeline.ts says otherwise, in builds and in checks", async () => {
  expect(await filesOf(docker("Dockerfile"))).toEqual({ build: ["lib.txt"], check: ["lib.txt"] });
  expect(await filesOf(docker.with({ submodules: true })("Dockerfile"))).toMatchObject({ build: ["lib.txt"] });
  expect(await filesOf(docker.with({ submodules: false })("Dockerfile"))).toEqual({ build: [], check: [] });
});

it("an image without them is another image, and those with them are what they were", () => {
  const digest = (build: DockerBuild): string =>
    digestOf(dockerBuild.key(buildKey(build, { url: "/x" }, "1".repeat(40), "2".repeat(40))));
  const [usual, said, without] = [{}, { submodules: true }, { submodules: false }].map((options) =>
    digest(docker.with(options)("Dockerfile")),
  );
  expect(said).toBe(usual);
  expect(without).not.toBe(usual);
  const older = { dockerfile: "Dockerfile", tree: "2".repeat(40), buildArgs: {}, includeGit: false };
  expect(usual).toBe(digestOf(older));
});
