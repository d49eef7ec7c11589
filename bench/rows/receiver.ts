import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { inDirectory } from "./state.ts";

/** The product in a process of its own, as GitHub's webhooks find it. */
export interface Receiver {
  readonly url: string;
  readonly secret: string;
  /** Processor time of all its threads until now; not a number where the system has no `/proc`. */
  cpuMs(): number;
  /** What it needs of memory now, and the most that it ever needed; as above. */
  memoryBytes(): { readonly now: number; readonly most: number };
}

const SECRET = "bench-of-webhooks";
const PIPELINE = `import { deployer, docker } from "millrace";
export default deployer({ demo: { repos: { "acme/app": docker("Dockerfile", {}) } } });
`;
/** Nothing listens there: what is measured is what comes in. */
const NOWHERE = ["--github-url", "http://127.0.0.1:1", "--docker-host", "unix:///nowhere/docker.sock"];
const MS_A_TICK = 10;

/** Starts `millrace serve` on a state directory of a real disk, and ends it when `use` is done. */
export async function withReceiver<T>(use: (receiver: Receiver) => Promise<T>): Promise<T> {
  return inDirectory(async (dir) => {
    const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" });
    const files = { "pipeline.ts": PIPELINE, key: String(key), secret: SECRET };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
    const program = fileURLToPath(new URL("../../src/app/main.js", import.meta.url));
    const app = ["--github-app-id", "1", "--github-private-key-file", "key", "--github-webhook-secret-file", "secret"];
    const argv = [program, "serve", "--flavour", "demo", "--port", "0", "--state", "state", ...app, ...NOWHERE];
    const child = spawn(process.execPath, argv, { cwd: dir, stdio: ["ignore", "pipe", "inherit"] });
    try {
      return await use({ url: await addressIn(child.stdout), secret: SECRET, ...meters(child.pid ?? 0) });
    } finally {
      if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
    }
  });
}

async function addressIn(output: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: output });
  for await (const line of lines) {
    const url = /is at (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    output.resume(); // nobody reads the rest
    return url;
  }
  throw new Error("the receiver ended before it said where it is");
}

function meters(pid: number): Pick<Receiver, "cpuMs" | "memoryBytes"> {
  const read = (name: string): string => {
    const path = `/proc/${pid}/${name}`;
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const memory = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(read("status"))?.[1]) * 1_024;
  return {
    cpuMs: () => {
      // The name, which stands in brackets, may have spaces in it.
      const fields = read("stat").split(") ").at(-1)?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) * MS_A_TICK;
    },
    memoryBytes: () => ({ now: memory("VmRSS"), most: memory("VmHWM") }),
  };
}
