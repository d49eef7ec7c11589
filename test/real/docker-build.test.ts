import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "../../src/engine/cache/digest.ts";
import { dockerBuild } from "../../src/plugins/docker/index.ts";
import { buildContext, buildKey, docker, testEngine } from "../support/docker.ts";
import { type Files, makeRepository, type TestRepository } from "../support/git.ts";
import { busyboxImage } from "../support/images.ts";
import { testJob } from "../support/job.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-build-"));
const context = buildContext(state);
const images = new Set<string>();
const repositories: TestRepository[] = [];
let base = "";
beforeAll(async () => {
  base = await busyboxImage();
});
afterAll(async () => {
  for (const repository of repositories) repository.dispose();
  rmSync(state, { recursive: true, force: true });
  for (const image of images) await docker(["rmi", image]).catch(() => {});
});

function repository(files: Files): TestRepository {
  const made = makeRepository(files);
  repositories.push(made);
  return made;
}

async function build(from: TestRepository, more: Parameters<typeof buildKey>[1] = {}) {
  const job = testJob();
  const result = await dockerBuild.build(context, buildKey(from, more), job);
  if (result.ok) images.add(result.value.image);
  return { job, result, image: result.ok ? result.value.image : JSON.stringify(result.error) };
}

const runs = (image: string, command: string): Promise<string> =>
  docker(["run", "--rm", "--network=none", image, "sh", "-c", command]);

/** Something no other run of the tests has in its cache. */
const fresh = (): string => `${process.pid}-${Math.random()}`;

describe("a build", () => {
  test("gives an image of the commit's files; tells instructions, output and progress; leaves nothing behind", async () => {
    const dockerfile = `FROM ${base}\nARG GREETING=none\nCOPY . /app\nRUN echo "$GREETING ${fresh()}" | tee /greeting\nLABEL a=b\n`;
    const source = repository({ Dockerfile: dockerfile, "a.txt": "x", "run.sh": { script: "#!/bin/sh\necho ran" } });
    const { job, image } = await build(source, { buildArgs: { GREETING: "hello" } });
    expect(image).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await runs(image, "cat /greeting; /app/run.sh; ls -A /app")).toMatch(
      /^hello .*\nran\nDockerfile\na.txt\nrun.sh$/,
    );
    expect(job.text()).toMatch(/^#\d+ \[3\/3\] RUN echo/m);
    expect(job.text()).toMatch(/^#\d+ hello /m);
    expect(job.text()).toMatch(/^#\d+ DONE \d+\.\ds$/m);
    expect(job.reports.at(-1)).toMatchObject({ done: 3, total: 3 });
    expect(job.starts).toMatchObject([{ level: "average", pool: context.pool, timeoutMs: 3_000_000 }]);
    expect(readdirSync(join(state, "tmp"))).toEqual([]);
    const labels = await docker(["image", "inspect", "--format", "{{json .Config.Labels}}", image]);
    expect(JSON.parse(labels)).toEqual({ a: "b" });
  });

  test("equal content gives the equal image: what .dockerignore leaves out changes nothing", async () => {
    const files = {
      Dockerfile: `FROM ${base}\nCOPY . /app\nRUN echo ${fresh()}\n`,
      ".dockerignore": "doc\n*.md\n!KEEP.md",
    };
    const source = repository({ ...files, "a.txt": "1", "doc/x": "1", "README.md": "1", "KEEP.md": "1" });
    const first = await build(source);
    expect(await runs(first.image, "find /app -type f | sort")).toBe(
      "/app/.dockerignore\n/app/Dockerfile\n/app/KEEP.md\n/app/a.txt",
    );
    source.commit({ "doc/x": "2", "README.md": "2" });
    const second = await build(source);
    expect(second.image).toBe(first.image);
    expect(second.job.text()).toContain("CACHED");
    source.commit({ "KEEP.md": "2" });
    expect((await build(source)).image).not.toBe(first.image);
  });

  test("has .git when asked, and only then", async () => {
    const source = repository({ Dockerfile: `FROM ${base}\nCOPY . /app\n` });
    const head = source.git("rev-parse", "HEAD");
    const seen = "cat /app/.git/HEAD 2>/dev/null || echo none";
    expect(await runs((await build(source, { includeGit: true })).image, seen)).toBe(head);
    expect(await runs((await build(source)).image, seen)).toBe("none");
  });

  test("another Dockerfile in another directory, through a link, its own ignore file", async () => {
    const source = repository({
      Dockerfile: { link: "docker/web.Dockerfile" },
      "docker/web.Dockerfile": `FROM ${base}\nCOPY . /app\n`,
      "docker/web.Dockerfile.dockerignore": "secret\ndocker\n",
      ".dockerignore": "public\n",
      secret: "x",
      public: "x",
    });
    for (const dockerfile of ["Dockerfile", "docker/web.Dockerfile"]) {
      const { image } = await build(source, { dockerfile });
      expect(await runs(image, "cd /app; ls")).toBe("Dockerfile\ndocker\npublic");
    }
  });

  test("repositories do not share what a cache mount holds, though they give it one id", async () => {
    const mount = "RUN --mount=type=cache,id=shared,target=/cache";
    const writer = repository({ Dockerfile: `FROM ${base}\n${mount} echo ${fresh()} > /cache/x; cat /cache/x\n` });
    const reader = () =>
      `FROM ${base}\n${mount} echo ${fresh()}; echo "found: $(cat /cache/x 2>/dev/null)." | tee /found\n`;
    await build(writer);
    expect(await runs((await build(repository({ Dockerfile: reader() }))).image, "cat /found")).toBe("found: .");
    writer.commit({ Dockerfile: reader() });
    expect(await runs((await build(writer)).image, "cat /found")).toMatch(/^found: \d.*\.$/);
  });
});

describe("a build that cannot work", () => {
  test("names the instruction and the last output", async () => {
    const dockerfile = `FROM ${base}\nRUN echo ${fresh()}; for n in 1 2 3; do echo out $n; done; echo oops >&2; exit 3\n`;
    const { result } = await build(repository({ Dockerfile: dockerfile }));
    expect(result).toMatchObject({ ok: false, error: { code: "BUILD_FAILED", class: "failed" } });
    for (const part of ["[2/2] RUN echo", "exit code: 3", "\\nout 3", "\\noops"]) {
      expect(JSON.stringify(result)).toContain(part);
    }
  });

  test.each<[string, string, RegExp]>([
    ["an instruction that is none", "FROM $BASE\nRUNN x\n", /unknown instruction: RUNN/],
    ["a file that is not there", "FROM $BASE\nCOPY nothing /\n", /nothing/],
    [
      "a process that was killed",
      "FROM $BASE\nRUN --network=none sh -c 'kill -9 $$'; exit $?\n",
      /exit code: 137 \(killed: .*memory/,
    ],
    ["an empty Dockerfile", "", /empty/],
    ["no base image of this name", "FROM 127.0.0.1:1/x:1\n", /127\.0\.0\.1:1/],
  ])("%s", async (_, dockerfile, message) => {
    const { result } = await build(repository({ Dockerfile: dockerfile.replace("$BASE", base), x: fresh() }));
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).toMatch(message);
    expect(result).toMatchObject({ error: { code: dockerfile.includes("127") ? "BASE_UNREACHABLE" : "BUILD_FAILED" } });
  });

  test("a missing Dockerfile, a path or a link that leads out", async () => {
    const source = repository({ "web.Dockerfile": "FROM x", Evil: { link: "/etc/passwd" } });
    expect((await build(source)).result).toMatchObject({ ok: false, error: { code: "NO_DOCKERFILE" } });
    for (const dockerfile of ["../Dockerfile", "/etc/passwd", "Evil"]) {
      const { result } = await build(source, { dockerfile });
      expect(result).toMatchObject({ ok: false, error: { code: "CONTEXT_REFUSED" } });
    }
    expect(readdirSync(join(state, "tmp"))).toEqual([]);
  });

  test("an engine that is not there is unreachable, which is transient", async () => {
    const away = buildContext(state, testEngine("unix:///nonexistent/docker.sock"));
    const result = await dockerBuild.build(away, buildKey(repository({ Dockerfile: "FROM x" })), testJob());
    expect(result).toMatchObject({ ok: false, error: { code: "ENGINE_UNREACHABLE", class: "transient" } });
  });
});

test("cancelling stops the build in the engine", async () => {
  const seconds = 1_000 + Math.floor(Math.random() * 1e6) / 1000;
  const source = repository({ Dockerfile: `FROM ${base}\nRUN echo started; sleep ${seconds}\n` });
  const job = testJob();
  const result = dockerBuild.build(context, buildKey(source), job);
  await job.saw(/#\d+ started$/m);
  expect(await soon(() => sleeping(seconds))).toBe(true); // the line may be here before the next program has begun
  job.cancel("no longer wanted");
  expect(await result).toMatchObject({ ok: false, error: { code: "CANCELLED", message: "no longer wanted" } });
  expect(await soon(() => !sleeping(seconds))).toBe(true);
  expect(readdirSync(join(state, "tmp"))).toEqual([]);
});

describe("the key", () => {
  const key = (more: Parameters<typeof buildKey>[1]) =>
    digestOf(
      dockerBuild.key({
        source: { url: "/a" },
        commit: "c1",
        tree: "t1",
        dockerfile: "D",
        buildArgs: {},
        includeGit: false,
        ...more,
      }),
    );

  test("is the same for the same files, from wherever they come", () => {
    expect(key({ commit: "c2", source: { url: "/b" }, timeoutMs: 1 })).toBe(key({}));
    expect(key({ buildArgs: { a: "1", b: "2" } })).toBe(key({ buildArgs: { b: "2", a: "1" } }));
  });

  test("differs by whatever changes the image", () => {
    const others = [{ tree: "t2" }, { dockerfile: "E" }, { buildArgs: { a: "1" } }, { includeGit: true }];
    const keys = [{}, ...others, { includeGit: true, commit: "c2" }].map(key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

/** Whether some process of this machine sleeps for so long: the engine runs beside us. */
/** Whether this becomes true within ten seconds. */
async function soon(look: () => boolean): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (!look() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  return look();
}

function sleeping(seconds: number): boolean {
  const read = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  };
  return readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && read(pid) === `sleep\0${seconds}\0`);
}
