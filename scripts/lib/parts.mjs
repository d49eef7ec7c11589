// The real parts that the tests use, and what stands for each one.
import { ensurePrograms } from "./apt.mjs";
import { ensureEngine } from "./engine.mjs";
import { which } from "./run.mjs";
import { Stop, say } from "./say.mjs";
import { ensureSwarm } from "./swarm.mjs";

/** Program → Debian package. */
const PROGRAMS = {
  git: "git",
  tar: "tar",
  busybox: "busybox-static",
  "docker-registry": "docker-registry",
  htpasswd: "apache2-utils",
  chromium: "chromium",
  strace: "strace",
  ip: "iproute2",
  faketime: "faketime",
  nbdkit: "nbdkit",
  nbdfuse: "libnbd-bin",
  fusermount3: "fuse3",
  "mkfs.ext4": "e2fsprogs",
};

/**
 * Finds, installs and starts what it can. The answer is `{ env, missing }`: the environment for the tests, and one
 * sentence for each part that is not to be had here.
 */
export async function ensureParts({ yes }) {
  const missing = [];
  const absent = await ensurePrograms(PROGRAMS);
  missing.push(...absent.map((name) => `${name}: not installed, and not to be installed by this user here`));
  const host = await engineFor(missing);
  if (host === undefined) return { env: {}, missing };
  if (which("docker") === undefined) missing.push(...(await ensurePrograms({ docker: "docker-cli" })));
  await swarmFor(host, yes, missing);
  return { env: { MILLRACE_TEST_DOCKER_HOST: host }, missing };
}

async function engineFor(missing) {
  try {
    return (await ensureEngine()).host;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    missing.push(`a Docker engine: ${error.message}`);
    return undefined;
  }
}

async function swarmFor(host, yes, missing) {
  try {
    const swarm = await ensureSwarm(host, { yes });
    if (!swarm.active) missing.push("Swarm mode: off, and nobody allowed it (npm test -- --yes, or CI=true)");
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    missing.push(`Swarm mode: ${error.message}`);
  }
}

/** Says loudly what is missing. */
export function warnOf(missing) {
  for (const part of missing) say("MISSING", `${part.split("\n").join("\n            ")}`);
}
