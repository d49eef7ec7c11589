// Other programs: run one and wait, find one on PATH, stop one by its pid file.
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { indent, Stop } from "./say.mjs";

const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The path of a program, or undefined. Looks where administrators' programs are too. */
export function which(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs a program to its end: `{ status, stdout, stderr }`, whatever the status.
 * `show` passes its output on as it comes; `input` is its standard input; a program over `timeoutMs` is killed.
 */
export function attempt(argv, { cwd, env, input, show = false, timeoutMs = 900_000 } = {}) {
  const [program, ...args] = argv;
  const output = show ? "inherit" : "pipe";
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["pipe", output, output],
    timeout: timeoutMs,
  });
  child.stdin.on("error", () => {}); // it may end without reading: its status tells
  child.stdin.end(input);
  const texts = { stdout: [], stderr: [] };
  child.stdout?.on("data", (chunk) => texts.stdout.push(chunk));
  child.stderr?.on("data", (chunk) => texts.stderr.push(chunk));
  const text = (name) => Buffer.concat(texts[name]).toString("utf8");
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: 127, stdout: "", stderr: error.message }));
    child.on("close", (code, signal) => {
      const status = code ?? 128;
      const why = signal === null ? "" : `\nended by ${signal} (limit ${timeoutMs / 1000} s)`;
      resolve({ status, stdout: text("stdout"), stderr: text("stderr") + why });
    });
  });
}

/** As `attempt`, but a status other than 0 stops the command with the last lines that the program said. */
export async function run(argv, options = {}) {
  const ended = await attempt(argv, options);
  if (ended.status === 0) return ended.stdout;
  const said = `${ended.stdout}\n${ended.stderr}`.trim().split("\n").slice(-15).join("\n");
  throw new Stop(`${argv.join(" ")} ended with status ${ended.status}`, said);
}

/**
 * Starts a program that stays, in a process group of its own, with its output in a file and its id in another.
 * What an earlier run left behind under the same pid file is stopped first.
 */
export async function startDaemon(argv, { pidFile, logFile, cwd, env }) {
  await stopDaemon(pidFile);
  const log = openSync(logFile, "a", 0o600);
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd, env: env ?? process.env, detached: true, stdio: ["ignore", log, log] });
  await new Promise((resolve, reject) => {
    child.on("spawn", resolve);
    child.on("error", (error) => reject(new Stop(`cannot start ${program}: ${error.message}`)));
  });
  writePid(pidFile, child.pid);
  child.unref();
}

/** Notes a running process in a pid file. */
export function writePid(pidFile, pid) {
  writeFileSync(pidFile, `${pid} ${startOf(pid) ?? ""}\n`);
}

/** Stops what `startDaemon` started: SIGTERM, then SIGKILL after `graceMs`. True when something was running. */
export async function stopDaemon(pidFile, graceMs = 15_000) {
  const pid = livingDaemon(pidFile);
  rmSync(pidFile, { force: true });
  if (pid === undefined) return false;
  process.kill(pid, "SIGTERM");
  if (await until(() => !isAlive(pid), graceMs)) return true;
  process.kill(pid, "SIGKILL");
  await until(() => !isAlive(pid), 5_000);
  return true;
}

/** The process id in a pid file, if that very process still runs: an id that was given to another does not count. */
export function livingDaemon(pidFile) {
  if (!existsSync(pidFile)) return undefined;
  const [pid, start] = readFileSync(pidFile, "utf8").trim().split(" ");
  const id = Number(pid);
  return Number.isInteger(id) && id > 1 && isAlive(id) && (start ?? "") === (startOf(id) ?? "") ? id : undefined;
}

/** When a process was started, in clock ticks since boot: with the id it names one process for good. Linux only. */
function startOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19];
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function isZombie(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.startsWith("Z") ?? false;
  } catch {
    return false;
  }
}

/** Whether a port of 127.0.0.1 can be listened on; 0 asks for any. The answer is the port, or undefined. */
export function freePort(wanted = 0) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(wanted, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Waits until `condition` holds, at most `limitMs`. The answer is what it last said. */
export async function until(condition, limitMs, everyMs = 50) {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const answer = await condition();
    if (answer || performance.now() > endMs) return answer;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** The last lines of a log, for a message. */
export function tail(file, lines = 12) {
  if (!existsSync(file)) return "(no log)";
  return indent(readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n"));
}
