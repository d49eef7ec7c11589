import { BlockList, isIP } from "node:net";
import { addsIn } from "./instructions.ts";

/** A source of an ADD that the engine itself would fetch, whatever network the build has. */
export interface RemoteAdd {
  /** As it is written. */
  readonly source: string;
  /** `inside`: of this machine or of a network behind it. `unknown`: only the build would tell whether it is one at all. */
  readonly where: "inside" | "outside" | "unknown";
}

/**
 * What a Dockerfile asks the engine to fetch by ADD. An address that is put together of variables is not looked into: a
 * base image may set them.
 */
export function remoteAdds(dockerfile: string): readonly RemoteAdd[] {
  return addsIn(dockerfile).flatMap((line) => {
    const args = ADD.exec(line.replaceAll("\u0130", "i"))?.[1]; // that one is an i for BuildKit
    return args === undefined ? [] : fetchedBy(args);
  });
}

/** What stands between ONBUILD and its instruction is left to BuildKit. */
const ADD = /^[\s\u0085]*(?:(?:onbuild[\s\u0085]+)*add[\s\u0085]+|(?:onbuild[\s\u0085]+)+(?=-))(.*)$/is;

/** Where one of these is, what flags, words and texts of a list there are depends on how they are read. */
const MANY_READINGS = /["'\\`[]|[^\t\v\f\r -~]/;
/** What no address lacks, wherever it begins: `%` may be any letter, `$` any word. */
const MAY_BE_ADDRESS = /:\/\/|@[^/:@\s]+:|\.git(?![\w.-])|[$%]/i;

/** None of the readings is chosen: where there are many, whatever may be an address in one of them counts. */
function fetchedBy(args: string): readonly RemoteAdd[] {
  if (!MANY_READINGS.test(args)) return wordsOf(args).flatMap(remoteOf);
  const texts = new Set([...wordsOf(args), ...textsIn(args)].flatMap((one) => [one, decoded(one)]));
  const found = [...texts].flatMap(remoteOf);
  const unread = MAY_BE_ADDRESS.test(unquoted(`${args} ${decoded(args)}`));
  return unread ? [...found, { source: args, where: "unknown" }] : found;
}

/** All but flags, and the last one, which is where they go to. */
function wordsOf(args: string): readonly string[] {
  const words = args.trim().split(/\s+/);
  const first = words.findIndex((word) => !FLAG.test(word));
  return words.slice(first < 0 ? words.length : first, -1);
}

const FLAG = /^--[a-z][^"'\\`]*$/i;

/** What stands between quotes, also when some of them are part of a text. */
function textsIn(args: string): readonly string[] {
  if (!args.includes("[")) return [];
  return [/"/, /(?<!\\)"/].flatMap((quote) => [...new Set(args.split(quote).slice(1, -1))]);
}

const decoded = (json: string): string =>
  json.replace(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

const unquoted = (text: string): string => text.replace(/["'\\`]/g, "");

const ADDRESS = /^[a-z][a-z\d+.-]*:\/\//i;
/** `git@host:path`. */
const HOST_AND_PATH = /^[^/@]+@([^/:]+):/;
/** With it a path is an address too, unless it begins with a dot: `host:port/x.git` and `/host/x.git#branch`. */
const REPOSITORY = /\.git(?![\w.-])/i;
const OWN_PATH = /^\.\.?\//;

/** @source github.com/moby/buildkit, util/gitutil/git_ref.go: ParseGitRef */
function remoteOf(source: string): readonly RemoteAdd[] {
  const plain = unquoted(source);
  if (OWN_PATH.test(plain)) return [];
  const host = addressedBy(plain);
  if (host !== undefined) return [{ source, where: host.includes("$") ? "unknown" : whereIs(host) }];
  return /[$%]/.test(plain) ? [{ source, where: "unknown" }] : [];
}

function addressedBy(plain: string): string | undefined {
  if (ADDRESS.test(plain)) return hostOf(plain);
  const host = HOST_AND_PATH.exec(plain)?.[1];
  if (host !== undefined) return host;
  const path = plain.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return path.includes("/") && REPOSITORY.test(path) ? hostOf(`https://${plain.replace(/^\/+/, "")}`) : undefined;
}

/** As a browser would read it, which knows `0x7f.1` too; blank when nobody could. */
function hostOf(address: string): string {
  const web = address.replace(ADDRESS, "http://");
  if (URL.canParse(web)) return new URL(web).hostname;
  return address.includes("$") ? "$" : "";
}

function whereIs(host: string): RemoteAdd["where"] {
  const bare = host
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
  const kind = isIP(bare);
  if (kind === 0) return NAMES.test(bare) ? "inside" : "outside";
  return INSIDE.check(bare, kind === 4 ? "ipv4" : "ipv6") ? "inside" : "outside";
}

/** Names that mean the engine's own machine, or what a cloud tells its machines, wherever they are asked for. */
const NAMES = /^$|^(?:.*\.)?localhost$|^metadata\.google\.internal$/;

/** @source RFC 6890, and the registries that it set up */
const INSIDE = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  INSIDE.addSubnet(net, bits, "ipv4");
}
for (const [net, bits] of [
  ["::", 96],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const) {
  INSIDE.addSubnet(net, bits, "ipv6");
}
