import { parseWho } from "../engine/access/rules.ts";
import { problem } from "../engine/errors.ts";
import type { Deployer, Flavour, Problem } from "../pipeline/types.ts";
import { type Lacks, lacksOf } from "../plugins/github/index.ts";
import type { World } from "./world.ts";

/** What `millrace check` has to say of the app's rights, account by account. */
export interface AppCheck {
  /** Something of the pipeline fails without what lacks there. */
  readonly problems: readonly Problem[];
  /** It works, but not as well as it could. */
  readonly notes: readonly string[];
}

/** Compares what each account has granted to the app with what is done there. Asks nothing when there is no app. */
export async function checkApp(deployer: Deployer, world: Pick<World, "installations">): Promise<AppCheck> {
  const flavours = Object.values(deployer.flavours);
  const accounts = accountsOf(flavours);
  const installed = accounts.size === 0 ? undefined : await world.installations?.();
  if (installed?.ok !== true) return { problems: [], notes: [] }; // said of the repositories, one by one
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const [account, at] of accounts) {
    const installation = installed.value.find((one) => one.account.toLowerCase() === account);
    if (installation === undefined || installation.suspended) continue; // said already
    const lacks = lacksOf(installation);
    if (lacks.permissions.length > 0) problems.push({ at, ...refusal(installation.account, lacks), hint: ACCEPT });
    notes.push(...notesOf(installation.account, lacks, hasTeams(flavours, account)));
  }
  return { problems, notes };
}

const ACCEPT = "Compare the app with doc/github.md. What is new there has to be accepted where it is installed.";

const refusal = (account: string, { permissions }: Lacks): Pick<Problem, "code" | "message"> =>
  problem("FORGE_REFUSED", `the app lacks permissions on ${account}: ${permissions.join(", ")}`);

function notesOf(account: string, { events, members }: Lacks, hasTeamsThere: boolean): readonly string[] {
  const untold = `${account} tells the app nothing of ${events.join(", ")}: those events are not ticked`;
  const unseen = `the app may not read the members of ${account}: people of its teams have to sign in again and again`;
  return [...(events.length === 0 ? [] : [untold]), ...(members && hasTeamsThere ? [unseen] : [])];
}

/** The accounts whose repositories are followed, in lower case, each with the line that names one first. */
function accountsOf(flavours: readonly Flavour[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { source } of flavours.flatMap(({ repos }) => Object.values(repos))) {
    const [owner = ""] = source.kind === "github" ? source.repo.toLowerCase().split("/") : [];
    if (owner !== "" && !found.has(owner)) found.set(owner, source.at);
  }
  return found;
}

function hasTeams(flavours: readonly Flavour[], account: string): boolean {
  const named = flavours.flatMap(({ admins = [], builders = [], viewers = [] }) => [
    ...admins,
    ...viewers,
    ...builders.map((builder) => (typeof builder === "string" ? builder : builder.who)),
  ]);
  return named.some((who) => parseWho(who)?.team?.org.toLowerCase() === account);
}
