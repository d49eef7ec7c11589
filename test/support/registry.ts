import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A real docker-registry of its own. */
export interface TestRegistry {
  /** `127.0.0.1:PORT`: engines take plain HTTP from 127/8. The port stays the same over `restart`. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** The registry's own log and access log: every request that it saw. */
  readonly logPath: string;
  /** Stops the process; the data stays. */
  stop(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  restart(): Promise<void>;
  /** Stops it and removes its data. Call it when the tests are done. */
  dispose(): Promise<void>;
}

const READY_DEADLINE_MS = 20_000;

/** Starts a registry on a free port and waits until it answers: with a password, unless it is to be `open`. */
export async function startRegistry({ open: isOpen = false } = {}): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-registry-"));
  const username = "millrace";
  const password = `pw-${Math.random().toString(36).slice(2)}-${process.pid}`;
  const logPath = join(dir, "registry.log");
  const { stdout } = await promisify(execFile)("htpasswd", ["-Bbn", username, password]);
  await writeFile(join(dir, "htpasswd"), stdout);
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(dir, "config.yml"), isOpen ? configOf(dir, host) : configOf(dir, host) + authOf(dir));
  const answer = isOpen ? 200 : 401;
  let child = await launch(dir, logPath, host, answer);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
  return {
    host,
    username,
    password,
    logPath,
    stop,
    restart: async () => {
      await stop();
      child = await launch(dir, logPath, host, answer);
    },
    dispose: async () => {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function launch(dir: string, logPath: string, host: string, ready: number) {
  const log = await open(logPath, "a");
  const stdio = ["ignore", log.fd, log.fd] as const;
  const child = spawn("docker-registry", ["serve", join(dir, "config.yml")], { stdio: [...stdio] });
  const stopWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", stopWithUs);
  child.once("exit", () => process.off("exit", stopWithUs));
  await once(child, "spawn");
  await log.close();
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.status === ready) return child;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`registry did not start: see ${logPath}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const configOf = (dir: string, host: string): string => `version: 0.1
log: { level: info, fields: { service: registry } }
storage:
  filesystem: { rootdirectory: ${dir}/data }
  delete: { enabled: true }
http: { addr: "${host}" }
`;

const authOf = (dir: string): string => `auth: { htpasswd: { realm: millrace, path: ${dir}/htpasswd } }
`;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  server.close();
  await once(server, "close");
  return address.port;
}
