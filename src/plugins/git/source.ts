import { createHash } from "node:crypto";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { problem } from "../../engine/errors.ts";
import type { Secret } from "../../engine/secret.ts";
import { failure, type Result, success } from "../../term/output.ts";

/** A repository: an absolute local path (also of a bare one), or a file, https, ssh (also `user@host:path`) or git URL. */
export interface GitSource {
  readonly url: string;
  /** What it is read with, asked for each time; it goes to this very address only. A submodule never has it. */
  readonly auth?: (signal: AbortSignal) => Promise<Result<Secret | undefined>>;
  /** Told of what `auth` gave and the other side did not take; then `auth` is asked once more. */
  readonly refused?: (secret: Secret, how: Refusal) => void;
}

/** unknown: it is worth nothing any more · forbidden: it is known, but this repository is not given for it. */
export type Refusal = "unknown" | "forbidden";

export type Protocol = "file" | "https" | "http" | "ssh" | "git";

/** A source that was looked at: what git is given, and by which protocol it goes there. */
export interface Located {
  readonly url: string;
  readonly protocol: Protocol;
  /** The directory, when the repository is on this machine. */
  readonly path?: string;
}

/** Letters only the shell, a terminal or git's own option parser would care for have no place in an address. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f]/;
const SCP_LIKE = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?![:-])[^\s].*$/;

/**
 * Finds out how a repository is reached.
 *
 * Fails with `REPO_REFUSED`: a protocol that is not listed (`ext::…` would run a program), a host, user or path that
 * git would take for an option, a password in the address (it would end in logs and pages).
 */
export function locate(source: GitSource): Result<Located> {
  const { url } = source;
  const refuse = (why: string): Result<never> =>
    failure(problem("REPO_REFUSED", `repository "${masked(url)}": ${why}`));
  if (UNPRINTABLE.test(url)) return refuse("it contains control characters");
  if (url.startsWith("/")) return success({ url, protocol: "file", path: url });
  if (url.startsWith("-")) return refuse("it starts with a dash");
  if (!url.includes("://")) {
    return SCP_LIKE.test(url) ? success({ url, protocol: "ssh" }) : refuse("expected an absolute path or a URL");
  }
  // The same text must mean the same to us and to git: `https:///x` and a backslash do not.
  if (!URL.canParse(url) || !/^[a-z]+:\/\/[^/\\]*\/[^\\]*$/.test(url)) return refuse("it is not a plain URL");
  const parsed = new URL(url);
  if (parsed.protocol === "file:") return locateFile(url, parsed, refuse);
  const protocol = (["https", "ssh", "git"] as const).find((name) => parsed.protocol === `${name}:`);
  // Nobody listens between us and this machine.
  if (
    protocol === undefined &&
    parsed.protocol === "http:" &&
    /^(127\.0\.0\.1|localhost|\[::1\])$/.test(parsed.hostname)
  )
    return success({ url, protocol: "http" });
  if (protocol === undefined) return refuse(`expected file, https, ssh or git, got ${parsed.protocol.slice(0, -1)}`);
  if (parsed.password !== "") return refuse("a password does not belong into an address");
  const parts = [parsed.hostname, parsed.username, decoded(parsed.username), parsed.pathname.slice(1)];
  if (/^[a-z]+:\/\/\//.test(url)) return refuse("it names no host");
  return parts.some((part) => part.startsWith("-"))
    ? refuse("a part of it starts with a dash")
    : success({ url, protocol });
}

function locateFile(url: string, parsed: URL, refuse: (why: string) => Result<never>): Result<Located> {
  if (parsed.hostname !== "") return refuse("a file URL has three slashes: file:///srv/git/shop.git");
  try {
    return success({ url, protocol: "file", path: fileURLToPath(parsed) });
  } catch {
    return refuse("it is not the URL of a file");
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The address without a password, for messages. */
export const masked = (url: string): string => url.replace(/(:\/\/[^/@:]*):[^@/]*@/, "$1:‹secret›@");

/** A name for the repository's cache: readable, and different for every address. */
export function cacheName(url: string): string {
  const name = basename(url.replace(/\/+$/, "").replace(/\/?\.git$/, "")).replace(/[^A-Za-z0-9._-]/g, "_");
  return `${name.slice(-60) || "repository"}-${createHash("sha256").update(url).digest("hex").slice(0, 16)}`;
}

/** Whether `text` is the full name of an object; anything shorter or longer is nobody's commit. */
export const isCommit = (text: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
