import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";

/**
 * The address of whoever asks: behind a proxy that is trusted (`--trust-proxy`), what the last of those says of it. What
 * is no address (a proxy that hands on what strangers wrote) counts as the proxy's own.
 */
export function addressOf(request: Pick<FastifyRequest, "ip" | "socket">): string {
  if (isIP(request.ip) !== 0) return request.ip.toLowerCase();
  return request.socket.remoteAddress ?? "nowhere";
}

/**
 * What tries are counted by: a network of IPv6 is one caller, since whoever has one address of it has 2⁶⁴.
 *
 * @source RFC 4291, 2.5.1: the last 64 bits name the interface
 */
export function callerOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(":")}::/64`;
}
