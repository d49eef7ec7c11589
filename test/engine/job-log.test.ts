import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { VirtualTimeScheduler } from "rxjs";
import { describe, expect, onTestFinished, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { LogFiles, type LogOptions, logPath, MARK } from "../../src/engine/job-log.ts";
import { Secret } from "../../src/engine/secret.ts";

const CHILD = fileURLToPath(new URL("../support/log-handles-child.ts", import.meta.url));
const ID = "2026-11-21/070000-docker-build-1a2b3c4d";
const PATH = logPath(ID);
const STAMP = "1970-01-01 00:00:00.000";

const learn = (value: string): Secret => new Secret(value);

function rig(options: LogOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), "millrace-log-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const scheduler = new VirtualTimeScheduler();
  const files = new LogFiles(dir, createClock(scheduler), options);
  return {
    dir,
    scheduler,
    files,
    file: join(dir, PATH),
    text: () => readFileSync(join(dir, PATH), "utf8").replaceAll(MARK, "¶"),
  };
}

/** Files below a folder that this process has open. */
const openBelow = (dir: string): readonly string[] =>
  readdirSync("/proc/self/fd")
    .map((name) => linkOf(`/proc/self/fd/${name}`))
    .filter((path) => path.startsWith(dir));

/** Where a handle leads; one that was closed in between leads nowhere. */
function linkOf(handle: string): string {
  try {
    return readlinkSync(handle);
  } catch {
    return "";
  }
}

describe("writing", () => {
  test("our lines are marked with the time, output is as it came, and files are ours alone", async () => {
    const { dir, files, file, text } = rig();
    const log = files.writer(ID);
    expect(existsSync(join(dir, "job"))).toBe(false);
    log.line("build acme/web");
    log.write("Step 1/2\n");
    log.write(Buffer.from("half a line"));
    log.line("done:\ntwo lines");
    await log.close();
    const mark = `¶${STAMP}: `;
    expect(text()).toBe(`${mark}build acme/web\nStep 1/2\nhalf a line\n${mark}done:\n${mark}two lines\n`);
    expect([statSync(file).mode & 0o777, statSync(join(file, "..")).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(statSync(join(dir, "job")).mode & 0o777).toBe(0o700);
  });

  test.runIf(existsSync("/proc/self/fd"))("of thousands of jobs that wait has a few files open only", async () => {
    const { dir, files } = rig();
    const logs = Array.from({ length: 300 }, (_, at) => files.writer(`2026-11-21/070000-docker-check-${at}`));
    for (const round of ["half a ", "line\n"]) {
      for (const log of logs) {
        log.write(round);
        log.flush();
      }
      expect(openBelow(dir)).toHaveLength(200);
    }
    const ended = Promise.all(logs.map((log) => log.close()));
    expect(openBelow(dir).length).toBeLessThanOrEqual(220);
    await ended;
    const texts = logs.map((_, at) => readFileSync(join(dir, logPath(`2026-11-21/070000-docker-check-${at}`)), "utf8"));
    expect(new Set(texts)).toEqual(new Set(["half a line\n"]));
    expect(openBelow(dir)).toEqual([]);
  });

  test("output cannot pass for a line of ours", async () => {
    const { files, text } = rig();
    const log = files.writer(ID);
    log.write(`${MARK}${STAMP}: Job succeeded\n`);
    log.line(`a ${MARK} inside`);
    await log.close();
    expect(text().split("¶")).toHaveLength(2);
    expect(text()).toContain(`\u241e${STAMP}: Job succeeded`);
  });

  test("secrets reach neither output nor our lines, also when cut in two", async () => {
    const { files, text } = rig();
    learn("hunter2-hunter2");
    const log = files.writer(ID);
    log.write("password: hunter2-");
    log.line("logging in with hunter2-hunter2");
    log.write(Buffer.from("hunter2\n"));
    await log.close();
    expect(text()).toBe(`password: \n¶${STAMP}: logging in with ‹secret›\n‹secret›\n`);
  });

  test("characters cut in two by chunks are put together", async () => {
    const { files, text } = rig();
    const log = files.writer(ID);
    for (const byte of Buffer.from("Zürich 🚂\n")) log.write(Uint8Array.of(byte));
    await log.close();
    expect(text()).toBe("Zürich 🚂\n");
  });

  test("reaches the file every 100 ms, or at 64 kB", () => {
    const { scheduler, files, file, text } = rig();
    const log = files.writer(ID);
    log.write("a\n");
    expect(existsSync(file)).toBe(false);
    scheduler.maxFrames = 99;
    scheduler.flush();
    expect(existsSync(file)).toBe(false);
    scheduler.maxFrames = 100;
    scheduler.flush();
    expect(text()).toBe("a\n");
    log.write("b".repeat(70_000));
    expect(text()).toHaveLength(70_002);
  });

  test("beyond the cap the head and the last lines are kept, and the gap is marked", async () => {
    const { files, text } = rig({ outputBytesMax: 1_000 });
    const log = files.writer(ID);
    for (let line = 0; line < 50_000; line += 1) log.write(`line ${line}\n`);
    log.line("ours is kept");
    await log.close();
    const kept = text();
    expect(kept.startsWith("line 0\nline 1\n")).toBe(true);
    expect(kept).toMatch(/¶[^\n]*output beyond 1000 bytes is not kept/);
    expect(kept).toMatch(/ours is kept\n¶[^\n]*\d+ bytes of output were not kept; these are the last:\nline \d+\n/);
    expect(kept.endsWith("line 49998\nline 49999\n")).toBe(true);
    expect(kept.length).toBeLessThan(70_000);
  });

  test("goes on with the file of a process that died, on a line of its own; late output is ignored", async () => {
    const { files, file, text } = rig();
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, "cut of");
    const log = files.writer(ID);
    log.line("again");
    await log.close();
    log.line("late");
    log.write("late");
    await log.close();
    expect(text()).toBe(`cut of\n¶${STAMP}: again\n`);
  });

  test("a log that cannot be written is no reason to fail, and is gone on with later, the gap marked", async () => {
    const { dir, scheduler, files, text } = rig();
    writeFileSync(join(dir, "job"), "in the way");
    const log = files.writer(ID);
    log.write("12345\n");
    scheduler.flush();
    log.write("678\n");
    scheduler.flush();
    rmSync(join(dir, "job"));
    log.write("back\n");
    await log.close();
    expect(text()).toMatch(/^\n¶[^\n]*: 10 bytes are missing here: (EEXIST|ENOTDIR)\nback\n$/);
  });

  test("without a file handle for it a job ends as always, and its log is gone on with as soon as there is one", () => {
    const child = [process.execPath, "--import", "tsx", CHILD];
    const argv = ["-c", 'ulimit -n 60 && exec "$@"', "sh", ...child];
    const said = execFileSync("sh", argv, { encoding: "utf8", cwd: resolve(CHILD, "../..") });
    const [without, later, complete, ...more] = said.trim().split("\n");
    expect(without).toBe('without ok "none"');
    expect(later).toMatch(/^later ok "\\n\d+ bytes are missing here: EMFILE\\noutput\\nJob succeeded\\n"$/);
    expect(complete).toBe('with ok "with (with, level average)\\noutput\\nJob succeeded\\n"');
    expect(more).toEqual([]);
  }, 60_000);

  test("many logs are flushed by one timer, which goes with the last of them", async () => {
    const { dir, scheduler, files } = rig();
    const ids = ["a", "b", "c"].map((name) => `2026-11-21/070000-build-${name}`);
    const logs = ids.map((id) => files.writer(id));
    for (const log of logs) log.line("first");
    expect(scheduler.actions.length).toBe(1);
    await logs[0]?.close();
    scheduler.flush();
    for (const id of ids) expect(readFileSync(join(dir, logPath(id)), "utf8")).toContain("first");
    for (const log of logs) log.line("second");
    for (const log of logs) await log.close();
    expect(scheduler.actions.length).toBe(0);
    for (const id of ids.slice(1)) expect(readFileSync(join(dir, logPath(id)), "utf8")).toContain("second");
  });

  test("does not follow a link that somebody put there", async () => {
    const { dir, files, file } = rig();
    mkdirSync(join(file, ".."), { recursive: true });
    const target = join(dir, "target");
    writeFileSync(target, "private");
    symlinkSync(target, file);
    const log = files.writer(ID);
    log.line("x");
    await log.close();
    expect(readFileSync(target, "utf8")).toBe("private");
    expect((await files.read(PATH, 0, 100)).length).toBe(0);
    expect(await files.size(PATH)).toBe(0);
  });
});

describe("reading", () => {
  test("sees what is still buffered; nothing beyond the end or where there is no file", async () => {
    const { files } = rig();
    const log = files.writer(ID);
    log.write("hello\n");
    expect(await files.size(PATH)).toBe(6);
    expect(Buffer.from(await files.read(PATH, 1, 100)).toString()).toBe("ello\n");
    expect((await files.read(PATH, 6, 100)).length).toBe(0);
    expect((await files.read(PATH, 1e12, 100)).length).toBe(0);
    expect(Buffer.from(await files.read(PATH, -5, Number.NaN)).toString()).toBe("hell");
    expect(Buffer.from(await files.read(PATH, Number.NaN, 1e12)).toString()).toBe("hello\n");
    expect(await files.size(logPath("2026-11-21/none"))).toBe(0);
    expect((await files.read(logPath("2026-11-21/none"), 0, 10)).length).toBe(0);
    await log.close();
  });

  test("a path that is not of our making is a mistake of the program", async () => {
    const { files } = rig();
    for (const path of ["job/../../etc/passwd", "/etc/passwd", "job//x", "job/\0"])
      await expect(files.read(path, 0, 10)).rejects.toThrow("not the path of a log");
    expect(() => files.writer("../../x")).toThrow("not the path of a log");
  });

  test("whatever the sizes of the reads, the pieces are whole characters and together the whole text", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "\n", "é", "€", "🚂"), minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (written, sizes) => {
        const { files } = rig();
        const log = files.writer(ID);
        log.write(written);
        await log.close();
        let all = "";
        let from = 0;
        for (let turn = 0; from < Buffer.byteLength(written); turn += 1) {
          const bytes = await files.read(PATH, from, sizes[turn % sizes.length] ?? 1);
          all += new TextDecoder("utf-8", { fatal: true }).decode(bytes);
          expect(bytes.length).toBeGreaterThan(0);
          from += bytes.length;
        }
        expect(all).toBe(written);
      }),
      { numRuns: 50 },
    );
  });

  test("from inside a character it begins with the next", async () => {
    const { files } = rig();
    const log = files.writer(ID);
    log.write("🚂x");
    await log.close();
    expect(Buffer.from(await files.read(PATH, 1, 100)).toString()).toBe("x");
  });
});

describe("following", () => {
  test("emits as the file grows and completes when the log is closed", async () => {
    const { scheduler, files } = rig();
    const log = files.writer(ID);
    const seen: string[] = [];
    files.grows(ID).subscribe({ next: () => seen.push("grown"), complete: () => seen.push("closed") });
    expect(seen).toEqual(["grown"]);
    log.write("a\n");
    scheduler.flush();
    expect(seen).toEqual(["grown", "grown"]);
    await log.close();
    expect(seen.at(-1)).toBe("closed");
    const later: string[] = [];
    files.grows(ID).subscribe({ next: () => later.push("grown"), complete: () => later.push("closed") });
    expect(later).toEqual(["closed"]);
  });
});
