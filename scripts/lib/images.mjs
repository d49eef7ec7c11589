// The sample's base image: pulled where that works, else made from this machine's own node and libraries.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ask } from "./http.mjs";
import { attempt, run, which } from "./run.mjs";
import { Stop, timed } from "./say.mjs";

const PULLED = { name: "node", tag: "20-alpine" };
const SILENCE_MS = 20_000;

/**
 * Makes `name` (`repository:tag`) on the engine: an image with node on PATH, and a shell where there is one to be had.
 * The answer is the name of the image that was pulled for it, if it was not there before.
 */
export async function ensureBaseImage(host, name) {
  if (await hasImage(host, name)) return undefined;
  const before = await hasImage(host, `${PULLED.name}:${PULLED.tag}`);
  const { pulled } = await timed(
    "base image",
    `${name}: pulling ${PULLED.name}:${PULLED.tag}, or made from this machine's own node`,
    async () => {
      const trouble = await pull(host, name);
      if (trouble === undefined) return { text: `${name} is ${PULLED.name}:${PULLED.tag}`, pulled: !before };
      await makeFromHere(host, name, trouble);
      return { text: `${name} made from this machine's own node, since nothing can be pulled`, pulled: false };
    },
  );
  return pulled ? `${PULLED.name}:${PULLED.tag}` : undefined;
}

export async function hasImage(host, name) {
  return (await ask(host, `/images/${name}/json`)).status === 200;
}

/** Builds a folder (a Dockerfile and what it needs) with the engine's own builder. */
export async function buildImage(host, folder, name) {
  const context = await tarOf(folder);
  const path = `/build?t=${encodeURIComponent(name)}&version=1&rm=1&forcerm=1`;
  const headers = { "content-type": "application/x-tar" };
  const answer = await ask(host, path, { method: "POST", body: context, headers, timeoutMs: 120_000, onData() {} });
  const trouble = troubleIn(answer);
  if (trouble !== undefined) throw new Stop(`${name} could not be built`, trouble);
}

/** Removes a tag, and its image when that was the last. */
export async function removeImage(host, name) {
  return (await ask(host, `/images/${name}`, { method: "DELETE", timeoutMs: 30_000 })).status === 200;
}

async function pull(host, name) {
  try {
    const path = `/images/create?fromImage=${PULLED.name}&tag=${PULLED.tag}`;
    const answer = await ask(host, path, { method: "POST", timeoutMs: SILENCE_MS, onData() {} });
    const trouble = troubleIn(answer);
    if (trouble !== undefined) return trouble;
    const [repo, tag] = name.split(":");
    await ask(host, `/images/${PULLED.name}:${PULLED.tag}/tag?repo=${repo}&tag=${tag}`, { method: "POST" });
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/** The engine answers 200 and tells of a failure in its last lines. */
function troubleIn(answer) {
  if (answer.status !== 200) return answer.text.trim();
  const lines = answer.text.trim().split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line).error).find((error) => error !== undefined);
}

async function makeFromHere(host, name, whyNotPulled) {
  if (process.platform !== "linux") {
    throw new Stop(
      `${PULLED.name}:${PULLED.tag} cannot be pulled: ${whyNotPulled}`,
      "Give the engine a way to its registry.",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "millrace-base-"));
  try {
    await layOut(folder);
    const changes = ["ENV PATH=/usr/local/bin:/bin", 'CMD ["node"]'].map(
      (change) => `&changes=${encodeURIComponent(change)}`,
    );
    const [repo, tag] = name.split(":");
    const path = `/images/create?fromSrc=-&repo=${repo}&tag=${tag}${changes.join("")}`;
    const headers = { "content-type": "application/x-tar" };
    const answer = await ask(host, path, {
      method: "POST",
      body: await tarOf(folder),
      headers,
      timeoutMs: 120_000,
      onData() {},
    });
    const trouble = troubleIn(answer);
    if (trouble !== undefined) throw new Stop(`the base image cannot be imported: ${trouble}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The running node with the libraries that it is linked to, the user root, and busybox where it is linked to nothing. */
async function layOut(folder) {
  const node = realpathSync(process.execPath);
  const libraries = (await run(["ldd", node])).match(/\/[^\s:()]+/g) ?? [];
  put(folder, node, "/usr/local/bin/node");
  for (const library of new Set(libraries)) if (existsSync(library)) put(folder, realpathSync(library), library);
  for (const empty of ["tmp", "etc", "bin", "app"]) mkdirSync(join(folder, empty), { recursive: true });
  writeFileSync(join(folder, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
  writeFileSync(join(folder, "etc/group"), "root:x:0:\n");
  await putBusybox(folder);
}

async function putBusybox(folder) {
  const busybox = which("busybox");
  if (busybox === undefined || !readFileSync(busybox).includes("BusyBox")) return;
  const linked = await attempt(["ldd", busybox]);
  if (linked.status === 0) return; // linked to libraries: it would not run in the image
  put(folder, realpathSync(busybox), "/bin/busybox");
  for (const name of (await run([busybox, "--list"])).trim().split("\n")) {
    if (name !== "busybox") symlinkSync("busybox", join(folder, "bin", name));
  }
}

function put(folder, from, to) {
  const place = join(folder, to);
  mkdirSync(dirname(place), { recursive: true });
  copyFileSync(from, place);
}

async function tarOf(folder) {
  const file = join(mkdtempSync(join(tmpdir(), "millrace-tar-")), "all.tar");
  try {
    const same = ["--numeric-owner", "--owner=0", "--group=0", "--sort=name", "--mtime=@0"]; // the same files, the same bytes
    const options = process.platform === "linux" ? same : [];
    await run(["tar", "-C", folder, ...options, "-cf", file, "."]);
    return readFileSync(file);
  } finally {
    rmSync(dirname(file), { recursive: true, force: true });
  }
}
