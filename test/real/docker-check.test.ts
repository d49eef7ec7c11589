import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SharedPool } from "../../src/engine/shares.ts";
import { type DockerCheckKey, dockerBuild, dockerCheck } from "../../src/plugins/docker/index.ts";
import type { Result } from "../../src/term/output.ts";
import { buildContext, buildKey, docker, testEngine } from "../support/docker.ts";
import { makeRepository, type TestRepository } from "../support/git.ts";
import { busyboxImage } from "../support/images.ts";
import { testJob } from "../support/job.ts";
import { dockerHost, need } from "../support/need.ts";
import { startRegistry } from "../support/registry.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-check-"));
const repositories: TestRepository[] = [];
const images = new Set<string>();
let base = "";

const trusted = () => buildContext(state, testEngine(dockerHost));
const pool = new SharedPool("checks", 2);

function repository(dockerfile: string): TestRepository {
  const made = makeRepository({ Dockerfile: dockerfile });
  repositories.push(made);
  return made;
}

async function check(from: TestRepository, more: Partial<DockerCheckKey> = {}) {
  const job = testJob();
  const { engine, checkout } = trusted();
  const context = { engine, checkout, poolFor: (shares: DockerCheckKey["shares"]) => pool.for(shares) };
  const key: DockerCheckKey = { build: buildKey(from), scope: OWN, network: "default", shares: [], ...more };
  const result = await dockerCheck.build(context, key, job);
  return { result, text: job.text(), job };
}

async function build(from: TestRepository): Promise<string> {
  const job = testJob();
  const result = await dockerBuild.build(trusted(), buildKey(from), job);
  if (!result.ok) throw new Error(`${result.error.message}\n${job.text()}`);
  images.add(result.value.image);
  return job.text();
}

const failureOf = (result: Result<unknown>): string =>
  result.ok ? "none" : `${result.error.code} ${result.error.message}`;

/** Something no other run of the tests has in its cache. */
const fresh = (): string => `${process.pid}-${Math.random().toString(36).slice(2)}`;
/** Nothing is left in them by an earlier run. */
const [OWN, STRANGER] = [`own ${fresh()}`, `stranger ${fresh()}`];
/** A number that is another one each time the instruction really runs. */
const LOTTERY = `cat /proc/sys/kernel/random/uuid | tee /drawn`;
const drawn = (text: string): string => /^#\d+ ([0-9a-f]{8}-[0-9a-f-]{27})$/m.exec(text)?.[1] ?? "none";

/** Each of these has Docker 26.1 ask that address. */
const fetching = (at: string): readonly string[] => [
  `ADD -- ["http://${at}/x","/y"]`,
  `ADD http://${at}/x /y`,
  `ADD --link="true" --chown="0 " ["http://${at}/x","/y"]`,
  `ADD --chmod=755\u00A0["http://${at}/x","/y"]`,
  `ARG X=http://${at}/x\nADD --chown=0:0/\u00E0$X /y`,
  `ADD ["h\\"\\"\\u0074tp://${at}/x","/y"]`,
  `ARG X=/${at}/x\nADD http:/$X /y`,
  `ADD ${at}/x.git /y`,
  `ADD /${at}/x%2egit#main /y`,
  `ARG V=x.git#\nADD ${at}/app-\${V}.tar.gz /y`,
  `ENV a b\\\n\uFEFF# c\nADD http://${at}/x /y`,
  `COPY <\\\n<'E\\' /z\nx\nE\\\nADD http://${at}/x /y`,
  `COPY <<'E\\' /z\nx\nE\\\nA\\\n${"#\n".repeat(40)}DD http://${at}/x /y`,
  `FROM scratch AS a\nONBUILD ADD -- ["http://${at}/x","/y"]\nFROM a`,
];

async function listening(server: Server): Promise<AddressInfo> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address;
}

describe.skipIf(!need("docker"))("a build of somebody who may not deploy", () => {
  beforeAll(async () => {
    base = await busyboxImage();
  });
  afterAll(async () => {
    for (const one of repositories) one.dispose();
    rmSync(state, { recursive: true, force: true });
    for (const image of images) await docker(["rmi", image], dockerHost).catch(() => {});
  });

  test("says that it can be built, and leaves no image", async () => {
    const label = `drawn=${fresh()}`;
    const { result, text, job } = await check(repository(`FROM ${base}\nLABEL ${label}\nRUN echo hello ${fresh()}\n`));
    expect(result.ok ? result.value.commit : result.error.message).toMatch(/^[0-9a-f]{40}$/);
    expect(text).toMatch(/^#\d+ hello \S+$/m);
    expect(text).not.toContain("stays on the engine");
    expect(job.starts).toMatchObject([{ level: "average" }]);
    expect(await docker(["images", "--all", "--quiet", "--filter", `label=${label}`], dockerHost)).toBe("");
  });

  test("fails as any other, with the instruction's own words", async () => {
    const { result } = await check(repository(`FROM ${base}\nRUN echo oh no ${fresh()} && exit 3\n`));
    expect(failureOf(result)).toMatch(/^BUILD_FAILED [^]*exit code: 3[^]*oh no/);
  });

  test("gives no layer to a build that is deployed, nor to another scope; its own finds it again", async () => {
    const source = repository(`FROM ${base}\nRUN echo ${fresh()} && ${LOTTERY}\n`);
    const first = drawn((await check(source)).text);
    expect(first).toMatch(/-/);
    const again = (await check(source)).text;
    expect([drawn(again), /CACHED/.test(again)]).toEqual(["none", true]);
    const stranger = drawn((await check(source, { scope: STRANGER, network: "none" })).text);
    const deployed = drawn(await build(source));
    expect(new Set([first, stranger, deployed]).size).toBe(3);
    expect([first, stranger, deployed]).not.toContain("none");
  });

  test("neither sees nor spoils what a deployed build keeps in a cache mount", async () => {
    const mount = "--mount=type=cache,id=shared,target=/cache";
    const source = repository(`FROM ${base}\nRUN ${mount} echo ${fresh()}; ls /cache; echo mine > /cache/mark\n`);
    await build(source);
    const look = repository(`FROM ${base}\nRUN ${mount} echo ${fresh()}; ls /cache; echo poison > /cache/poison\n`);
    const { text } = await check(look, { build: { ...buildKey(look), source: { url: look.dir } } });
    expect(text).not.toMatch(/^#\d+ mark$/m);
    const other = await check(look, { scope: STRANGER });
    expect(other.text).not.toMatch(/^#\d+ poison$/m);
    // With the same name for the same repository, the deployed build finds its own mark and nothing else.
    source.commit({ Dockerfile: `FROM ${base}\nRUN ${mount} echo ${fresh()}; ls /cache\n` });
    const after = await build(source);
    expect(after).toMatch(/^#\d+ mark$/m);
    expect(after).not.toMatch(/^#\d+ poison$/m);
  });

  test("has no network where its author is a stranger, whatever it asks for", async () => {
    const list = "ls /sys/class/net | tr '\\n' ' '";
    const source = repository(`FROM ${base}\nRUN --network=default echo "${fresh()} has $(${list})"\n`);
    expect((await check(source, { network: "none" })).text).toMatch(/^#\d+ \S+ has lo $/m);
    const host = repository(`FROM ${base}\nRUN --network=host echo ${fresh()}\n`);
    expect((await check(host, { network: "none" })).result).toMatchObject({ ok: false });
    const insecure = repository(`FROM ${base}\nRUN --security=insecure echo ${fresh()}\n`);
    expect((await check(insecure)).result).toMatchObject({ ok: false });
  });

  test("of a stranger finds no image that is only on the engine, and writes no file without end", async () => {
    const registry = await startRegistry({ open: true });
    const names = { there: `${registry.host}/base:1`, hidden: `${registry.host}/private:1` };
    const stranger = (dockerfile: string) =>
      check(repository(dockerfile), { scope: STRANGER, network: "none", stranger: true });
    try {
      for (const name of Object.values(names)) await docker(["tag", base, name], dockerHost);
      await docker(["push", "--quiet", names.there], dockerHost);
      const large = `truncate -s 5G /large 2>&1; echo "${fresh()} ended with $?"`;
      const { text } = await stranger(`FROM ${names.there}\nRUN ${large}; ls -l /large\n`);
      expect(text).toMatch(/^#\d+ \S+ ended with (?!0$)/m);
      const secret = (line: string) => `FROM ${names.there}\n${line}\nRUN echo ${fresh()}\n`;
      const mount = `--mount=type=bind,from=${names.hidden},target=/stolen`;
      for (const line of [`FROM ${names.hidden}`, `COPY --from=${names.hidden} /bin /stolen`, `RUN ${mount} ls`]) {
        expect(failureOf((await stranger(secret(line))).result)).toContain(`${names.hidden}: not found`);
      }
      const own = await check(repository(secret(`COPY --from=${names.hidden} /bin /stolen`)));
      expect(own.result.ok).toBe(true);
    } finally {
      for (const name of Object.values(names)) await docker(["rmi", name], dockerHost).catch(() => {});
      await registry.dispose();
    }
  });

  test("is not begun where the engine would fetch what the build may not", async () => {
    let asked = 0;
    const inside = createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    const { port } = await listening(inside);
    const at = `127.0.0.1:${port}`;
    try {
      for (const line of fetching(at)) {
        const { result, text } = await check(repository(`FROM ${base}\n${line}\n`), {
          network: "none",
          stranger: true,
        });
        expect([line, failureOf(result)]).toEqual([line, expect.stringMatching(/^DOCKERFILE_REFUSED /)]);
        expect(text).not.toMatch(/^#\d/m);
      }
      expect(asked).toBe(0);
      // That the engine itself would have asked, was it let.
      const [first = ""] = fetching(at);
      const sure = repository(`FROM ${base}\n${first}\n`);
      await docker(["build", "--network=none", "--no-cache", sure.dir], dockerHost).catch(() => {});
      expect(asked).toBeGreaterThan(0);
    } finally {
      inside.close();
    }
  });

  test("may not bring the program that reads its Dockerfile", async () => {
    const { result } = await check(repository(`# syntax=evil.example/frontend\nFROM ${base}\n`));
    expect(failureOf(result)).toMatch(/^CONTEXT_REFUSED .*evil\.example/);
  });
});
