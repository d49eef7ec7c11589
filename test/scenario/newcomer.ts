import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { dockerHost } from "../support/need.ts";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

export interface Ended {
  readonly code: number;
  /** Standard output and error. */
  readonly said: string;
}

/** A command that goes on until it is stopped. */
export interface Staying {
  said(): string;
  ended(): boolean;
  /** Sends Ctrl-C to it and its children, and waits for the end. */
  stop(): Promise<void>;
}

/** Somebody with an empty home, a strict umask, and a folder whose name has a space in it. */
export class Newcomer {
  readonly #place = mkdtempSync(join(tmpdir(), "millrace-newcomer-"));
  readonly folder = join(this.#place, "my deploys");
  readonly tarballs = join(this.#place, "tarballs");
  readonly #env = environment(this.#place);

  constructor() {
    for (const folder of [this.folder, this.tarballs, join(this.#place, "home")]) mkdirSync(folder);
  }

  /**
   * Packs the driver that stands in node_modules as its installer likes it, so that it need not be compiled once more.
   * The answer goes before `npm install`, as doc/operating.md has it.
   */
  async lendDriver(): Promise<string> {
    const driver = join(root, "node_modules/better-sqlite3");
    const manifest: unknown = JSON.parse(readFileSync(join(driver, "package.json"), "utf8"));
    if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) throw new Error("no version");
    const { platform, arch, versions } = process;
    const name = `better-sqlite3-v${String(manifest.version)}-node-v${versions.modules}-${platform}-${arch}.tar.gz`;
    const prebuilds = join(this.#place, "prebuilds");
    mkdirSync(prebuilds);
    await run("tar", ["-C", driver, "-czf", join(prebuilds, name), "build/Release/better_sqlite3.node"]);
    return `npm_config_better_sqlite3_local_prebuilds='${prebuilds}'`;
  }

  /** Types a command in the folder, or in another one. */
  async type(command: string, cwd = this.folder): Promise<Ended> {
    return run("sh", ["-c", `umask 077; ${command}`], { cwd, env: this.#env, encoding: "utf8" }).then(
      ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        said: error.stdout + error.stderr,
      }),
    );
  }

  /** Types a command and leaves it running. */
  leave(command: string): Staying {
    const argv = ["-c", `umask 077; ${command}`];
    const child = spawn("sh", argv, { cwd: this.folder, env: this.#env, detached: true });
    const signal = (name: NodeJS.Signals): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, name);
    };
    const stopWithUs = (): void => signal("SIGKILL");
    process.once("exit", stopWithUs);
    const ended = once(child, "exit").then(() => process.off("exit", stopWithUs));
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
    return {
      said: () => said,
      ended: () => child.exitCode !== null || child.signalCode !== null,
      stop: async () => {
        signal("SIGINT");
        await ended;
      },
    };
  }

  dispose(): void {
    rmSync(this.#place, { recursive: true, force: true });
  }
}

/** Nothing of ours but the way to the programs and npm's cache. */
function environment(place: string): NodeJS.ProcessEnv {
  const person = (role: string) => ({ [`GIT_${role}_NAME`]: "me", [`GIT_${role}_EMAIL`]: "me@example.org" });
  return {
    PATH: process.env["PATH"],
    HOME: join(place, "home"),
    DOCKER_HOST: dockerHost,
    ...person("AUTHOR"),
    ...person("COMMITTER"),
    npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm"),
    npm_config_prefer_offline: "true",
  };
}
