import { BlockList, isIP } from "node:net";
import { instructionsIn } from "./instructions.ts";

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
  return instructionsIn(dockerfile).flatMap((line) => {
    const args = ADD.exec(line.replaceAll("\u0130", "i"))?.[1]; // that one is an i for BuildKit
    return args === undefined ? [] : sourcesOf(args).flatMap(remoteOf);
  });
}

const ADD = /^[\s\u0085]*(?:onbuild[\s\u0085]+)*add[\s\u0085]+(.*)$/is;

/** All words but the last one, which is where they go to; of what looks like a list in JSON its texts as well. */
function sourcesOf(args: string): readonly string[] {
  const bare = args.trim().replace(/^(?:--\S+\s+)+/, "");
  const words = bare.split(/\s+/).slice(0, -1);
  return bare.startsWith("[") ? textsIn(bare) : words;
}

/** BuildKit takes the list also when something stands behind it. */
function textsIn(list: string): readonly string[] {
  const found: string[] = [];
  let start = -1;
  for (let at = 0; at < list.length; at += 1) {
    const character = list.charAt(at);
    if (character === "\\") at += 1;
    else if (character === '"' && start < 0) start = at;
    else if (character === '"') {
      found.push(textOf(list.slice(start, at + 1)));
      start = -1;
    }
  }
  return found;
}

function textOf(json: string): string {
  try {
    return String(JSON.parse(json));
  } catch {
    return json;
  }
}

const ADDRESS = /^[a-z][a-z\d+.-]*:\/\//i;
/** `git@host:path`. */
const HOST_AND_PATH = /^[^/@]+@([^/:]+):/;

function remoteOf(source: string): readonly RemoteAdd[] {
  const plain = source.replace(/["'\\`]/g, "");
  const known = plain.split("$", 1)[0] ?? "";
  const host = ADDRESS.test(plain) ? hostOf(plain) : HOST_AND_PATH.exec(plain)?.[1];
  if (host !== undefined) return [{ source, where: host.includes("$") ? "unknown" : whereIs(host) }];
  // With a slash in what stands before a variable it is a path, whatever follows.
  return known === plain || (known.includes("/") && !ADDRESS.test(known)) ? [] : [{ source, where: "unknown" }];
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
