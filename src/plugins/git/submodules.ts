import { realpath } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import { failure, type Result, success } from "../../term/output.ts";
import { type GitContext, git, isOfMachine } from "./command.ts";
import { type GitSource, locate, masked } from "./source.ts";

/** A place in a tree where another repository's commit is wanted. */
export interface Submodule {
  readonly path: string;
  readonly source: GitSource;
  readonly commit: string;
}

/** What submodules are measured by. */
export interface Around {
  /** The repository that all of them are of. */
  readonly root: GitSource;
  readonly ownHost: boolean;
}

/** One entry of a tree, as git lists it. */
export interface TreeEntry {
  readonly mode: string;
  readonly object: string;
  /** Bytes; 0 for a submodule. */
  readonly size: number;
  readonly path: string;
}

/** Mode of an entry that is a commit of another repository. */
const GITLINK = "160000";

/**
 * The submodules that a commit wants and names an address for; one without an address stays an empty directory.
 *
 * Fails with `SUBMODULE_FAILED` when an address is not allowed: see `resolveUrl`.
 */
export async function submodulesOf(
  context: GitContext,
  cache: string,
  parent: GitSource,
  around: Around,
  commit: string,
  entries: readonly TreeEntry[],
  job: Job,
): Promise<Result<readonly Submodule[]>> {
  const links = entries.filter((entry) => entry.mode === GITLINK);
  if (links.length === 0) return success([]);
  const listed = await declarations(context, cache, commit, job.signal);
  if (!listed.ok) return listed;
  const declared = listed.value;
  const found: Submodule[] = [];
  for (const link of links) {
    const entry = declared.find((one) => one.get("path") === link.path);
    const url = entry?.get("url");
    if (url === undefined || entry?.get("update") === "none") {
      job.log(
        `submodule ${JSON.stringify(link.path)}: ${url === undefined ? "no address" : "update = none"}, left empty`,
      );
      continue;
    }
    const source = await resolveUrl(url, parent, around);
    if (!source.ok) return failure({ ...source.error, message: `submodule ${link.path}: ${source.error.message}` });
    found.push({ path: link.path, source: source.value, commit: link.object });
  }
  return success(found);
}

async function declarations(
  context: GitContext,
  cache: string,
  commit: string,
  signal: AbortSignal,
): Promise<Result<readonly ReadonlyMap<string, string>[]>> {
  const args = ["config", "--blob", `${commit}:.gitmodules`, "--null", "--list"] as const;
  const listed = await git(context, { gitDir: cache, args, signal });
  if (!listed.ok) return isOfMachine(listed.error) ? listed : success([]); // else there is no such file
  const modules = new Map<string, Map<string, string>>();
  for (const setting of listed.value.toString("utf8").split("\0")) {
    const [, name, key, value] = /^submodule\.([^\n]*)\.(path|url|update)\n(.*)$/s.exec(setting) ?? [];
    if (name === undefined || key === undefined || value === undefined) continue;
    modules.set(name, (modules.get(name) ?? new Map<string, string>()).set(key, value));
  }
  return success([...modules.values()]);
}

/**
 * The address of a submodule. https and ssh are allowed. A path of this machine is allowed only when the repository
 * itself (`root`) is on this machine, and only below the directory that `root` lies in: whoever may push to one
 * repository must not be able to read every file of the machine that git can read. And whoever is not trusted must not
 * have us ask other hosts, or show them who we are.
 */
async function resolveUrl(url: string, parent: GitSource, { root, ownHost }: Around): Promise<Result<GitSource>> {
  const absolute = /^\.{1,2}\//.test(url) ? joinUrl(parent.url, url) : url;
  const refuse = (why: string) => failure(problem("SUBMODULE_FAILED", `${JSON.stringify(masked(url))}: ${why}`));
  const located = locate({ url: absolute });
  if (!located.ok) return refuse(located.error.message);
  const { protocol, path } = located.value;
  const home = locate(root);
  if (ownHost && protocol !== "file" && originOf(absolute) !== originOf(root.url))
    return refuse("a check of this commit takes submodules from the repository's own host only");
  if (protocol === "https" || protocol === "ssh") return success({ url: absolute });
  if (path === undefined || !home.ok || home.value.path === undefined) {
    return refuse(`${protocol} is not allowed for submodules of ${masked(root.url)}`);
  }
  try {
    const around = dirname(await realpath(home.value.path));
    const real = await realpath(path);
    if (real.startsWith(around.endsWith(sep) ? around : around + sep)) return success({ url: real });
    return refuse(`a local submodule must lie below ${around}`);
  } catch {
    return refuse("there is no such repository on this machine");
  }
}

/** Protocol, host and port; of anything but a web address nothing that equals another's. */
const originOf = (url: string): string | symbol =>
  /^https?:\/\//.test(url) && URL.canParse(url) ? new URL(url).origin : Symbol("none");

/** A relative address, taken from its parent's as git does: `..` drops the last name. */
function joinUrl(parent: string, relative: string): string {
  if (parent.startsWith("/")) return resolve(parent, relative);
  const [, start = "", path = ""] = /^([a-z]+:\/\/[^/]*\/|[^/:]*:)(.*)$/.exec(parent) ?? [];
  const names = path.split("/").filter((name) => name !== "");
  for (const name of relative.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "." && name !== "") names.push(name);
  }
  return start + names.join("/");
}
