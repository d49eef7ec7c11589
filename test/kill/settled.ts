import type { Server, Told } from "../scenario/server.ts";
import { until } from "../scenario/until.ts";
import type { Accounts } from "./accounts.ts";
import { BRANCHES, type Place } from "./place.ts";

const SETTLE_MS = 120_000;
/** Longer than that nothing may be shown as failed: no fault outlives its server. */
const FAILED_MS = 10_000;
const QUIET_MS = 10_000;
const UNDER_WAY: ReadonlySet<string> = new Set(["ready", "waiting", "running"]);

/** Waits until the newest of every branch runs, and everything that is told of it says so. @throws {Error} if not. */
export async function expectSettled(
  place: Place,
  server: Server,
  accounts: Accounts,
  commitOf: (branch: string) => string,
): Promise<void> {
  const failing = patience();
  await server.waitFor(
    BRANCHES.map((branch) => `${accounts.newest(branch)} of ${branch} is rolled out`).join(", "),
    (told) => {
      failing(told);
      return BRANCHES.every((branch) => isRolledOut(told, branch, commitOf(branch)));
    },
    SETTLE_MS,
  );
  await until(
    "no job is shown as under way",
    QUIET_MS,
    async () => (await server.jobs()).every(({ state }) => !UNDER_WAY.has(state)),
    () => server.output(),
  );
  const wrong = [...(await wrongServices(place, server, accounts)), ...(await wrongDeploys(server))];
  wrong.push(...(await wrongPage(place, server)));
  if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\n${server.output()}`);
}

/** One graph is one step: its head and what follows from it are of the same moment. */
function isRolledOut({ graph }: Told, branch: string, commit: string): boolean {
  const ofBranch = graph.nodes.filter(({ key }) => key.includes(`/branch:${branch}/`));
  const heads = ofBranch.filter(({ kind, detail }) => kind === "head" && detail === commit.slice(0, 8));
  return heads.length > 0 && ofBranch.every(({ state, updating }) => state === "ok" && updating === undefined);
}

/** Throws when something has been shown as failed for too long. */
function patience(): (told: Told) => void {
  let sinceMs: number | undefined;
  return ({ graph, services }) => {
    const failed = graph.nodes.map(({ key, state, failure }) => ({ name: key, state, why: failure?.message }));
    failed.push(...services.map(({ name, state, detail }) => ({ name, state, why: detail })));
    const found = failed.filter(({ state }) => state === "failed");
    if (found.length === 0) sinceMs = undefined;
    else sinceMs ??= performance.now();
    if (sinceMs === undefined || performance.now() - sinceMs < FAILED_MS) return;
    throw new Error(`shown as failed: ${found.map(({ name, why = "" }) => `${name}: ${why}`).join("\n")}`);
  };
}

/** The engine, the registry and the server agree on what is the newest. */
async function wrongServices(place: Place, server: Server, accounts: Accounts): Promise<readonly string[]> {
  const seen = await place.seen();
  const told = await server.services();
  const wrong: string[] = [];
  for (const branch of BRANCHES) {
    const digest = (await place.world.digestOf(branch)) ?? "none";
    for (const service of place.services(branch)) {
      const image = seen.get(service)?.image ?? "none";
      const version = await place.versionOf(image);
      const newest = accounts.newest(branch);
      if (version !== newest) wrong.push(`${service} is to run ${version}, and ${newest} is the newest`);
      if (!image.endsWith(digest)) wrong.push(`${service} is to run ${image}, and ${branch} is ${digest}`);
      const one = told.find(({ name }) => name === service);
      if (one?.state !== "ok" || one.running !== image || one.wanted !== image)
        wrong.push(`${service} is told as ${JSON.stringify(one)}, and ${branch} is ${digest}`);
    }
  }
  return wrong;
}

async function wrongDeploys(server: Server): Promise<readonly string[]> {
  const open = (await server.history()).filter(({ ended }) => ended === undefined);
  return open.map(({ id, lane, state }) => `intent ${id} of ${lane} is still told as ${state}`);
}

/** What people see: every row of a service is ok and shows the digest that runs. */
async function wrongPage(place: Place, server: Server): Promise<readonly string[]> {
  const page = await (await fetch(`${server.url}/`)).text();
  const wrong: string[] = [];
  for (const branch of BRANCHES) {
    const digest = (await place.world.digestOf(branch)) ?? "none";
    for (const service of place.services(branch)) {
      const row = page.split("<tr ").find((one) => one.includes(`>${service}<`)) ?? "";
      if (!row.includes("look-ok") || !row.includes(digest) || row.includes('class="wanted"'))
        wrong.push(`the page shows ${service} as ${row}`);
    }
  }
  return wrong;
}
