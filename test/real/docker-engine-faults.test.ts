import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerBuild } from "../../src/plugins/docker/index.ts";
import { buildContext, buildKey, testEngine } from "../support/docker.ts";
import { canStartEngine, startEngine, type TestEngine } from "../support/engine.ts";
import { type Files, makeRepository } from "../support/git.ts";
import { busyboxImage } from "../support/images.ts";
import { testJob } from "../support/job.ts";

describe.runIf(canStartEngine())("an engine", () => {
  const state = mkdtempSync(join(tmpdir(), "millrace-faults-"));
  let engine: TestEngine;
  let base: string;
  const endings: (() => void)[] = [() => rmSync(state, { recursive: true, force: true })];
  beforeAll(async () => {
    base = await busyboxImage();
    engine = await startEngine(24);
  });
  afterAll(async () => {
    await engine.dispose();
    for (const end of endings) end();
  });

  function start(files: Files) {
    const source = makeRepository(files);
    endings.push(source.dispose);
    const job = testJob();
    const context = buildContext(state, testEngine(engine.endpoint));
    return { job, result: dockerBuild.build(context, buildKey(source), job) };
  }
  const slow = () => ({
    Dockerfile: `FROM ${base}\nRUN --network=none echo started; sleep 60; echo ${Math.random()}\n`,
  });
  const quick = () => ({ Dockerfile: `FROM ${base}\nRUN --network=none echo ${Math.random()}\n` });

  test("that is killed during a build is unreachable; when it is back the build goes well", async () => {
    const { job, result } = start(slow());
    await job.saw(/#\d+ started$/m);
    await engine.kill();
    expect(await result).toMatchObject({ ok: false, error: { code: "ENGINE_UNREACHABLE", class: "transient" } });
    expect(readdirSync(join(state, "tmp"))).toEqual([]);
    const signal = new AbortController().signal;
    const gone = await testEngine(engine.endpoint).ping(signal);
    expect(gone).toMatchObject({ ok: false, error: { code: "ENGINE_UNREACHABLE" } });
    await engine.start();
    expect(await testEngine(engine.endpoint).ping(signal)).toEqual({ ok: true, value: undefined });
    expect(await start(quick()).result).toMatchObject({ ok: true });
  });

  test("that is stopped during a build is unreachable too, not a failed build", async () => {
    const { job, result } = start(slow());
    await job.saw(/#\d+ started$/m);
    await engine.stop();
    expect(await result).toMatchObject({ ok: false, error: { code: "ENGINE_UNREACHABLE", class: "transient" } });
    await engine.start();
  });

  test("whose disk is full says so, which is transient", async () => {
    const dd = "RUN --network=none dd if=/dev/zero of=/big bs=1M count=64";
    const within = await start({ Dockerfile: `FROM ${base}\n${dd}\n` }).result;
    expect(within).toMatchObject({ ok: false, error: { code: "NO_SPACE", class: "transient" } });
    const files = { Dockerfile: `FROM ${base}\nCOPY . /\n`, big: Buffer.alloc(48 * 1024 * 1024, Math.random() * 255) };
    expect(await start(files).result).toMatchObject({ ok: false, error: { code: "NO_SPACE", class: "transient" } });
  });
});
