import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Files } from "../support/git.ts";
import { busyboxImage } from "../support/images.ts";
import { dockerHost } from "../support/need.ts";

/** `healthy` answers its health check, `sick` never does, `crashing` ends at once. */
export type Behaviour = "healthy" | "sick" | "crashing";

/** What a crashing sample says before it ends. */
export const LAST_WORDS = "no such setting: COLOUR";
/** What a sick sample answers to its health check. */
export const SICK_ANSWER = "the database is on holiday";

/**
 * A small web service that says `version=…`. Told to stop, it still answers for two seconds, so that whoever routes
 * to it has time to notice.
 */
export async function sample(version: string, behaviour: Behaviour = "healthy"): Promise<Record<string, string>> {
  return {
    Dockerfile: [
      `FROM ${await busyboxImage()}`,
      "COPY serve.sh health.sh /",
      "COPY www /www",
      "HEALTHCHECK --interval=500ms --timeout=2s --retries=3 CMD sh /health.sh",
      'CMD ["sh", "/serve.sh"]',
      "",
    ].join("\n"),
    "www/index.html": `version=${version}\n`,
    "serve.sh": behaviour === "crashing" ? `echo "${LAST_WORDS}"; exit 3\n` : SERVE,
    "health.sh": behaviour === "sick" ? `echo "${SICK_ANSWER}"; exit 1\n` : HEALTH,
  };
}

const SERVE = `busybox httpd -f -p 8080 -h /www & server=$!
trap 'sleep 2; kill $server; exit 0' TERM
wait $server
`;
const HEALTH = "wget -q -O- http://127.0.0.1:8080/ || exit 1\n";

/** The image that a service runs before anything was pushed: it says `version=start`. Made once per engine. */
export async function startImage(engine = dockerHost): Promise<string> {
  const files = await sample("start");
  const name = `millrace-test/start:${createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12)}`;
  const docker = (...args: string[]) =>
    promisify(execFile)("docker", ["-H", engine, ...args], { env: { ...process.env, DOCKER_BUILDKIT: "0" } });
  if ((await docker("image", "inspect", name).catch(() => undefined)) !== undefined) return name;
  const dir = mkdtempSync(join(tmpdir(), "millrace-start-"));
  try {
    writeFiles(dir, files);
    await docker("build", "--quiet", "--tag", name, dir);
    return name;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function writeFiles(dir: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    if (typeof content !== "string") continue;
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}
