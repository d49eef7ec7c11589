import type { FastifyRequest } from "fastify";
import type { Failure } from "../term/output.ts";
import { addressOf, callerOf } from "./address.ts";
import { UNKNOWN, type Visitor } from "./visitor.ts";
import type { Web } from "./web.ts";

const SUBJECT_MAX = 300;

/** Whether a request wants something changed. */
export const changes = ({ method }: Pick<FastifyRequest, "method">): boolean => method !== "GET" && method !== "HEAD";

/**
 * Into the audit log when an act is refused, or somebody is who asks for what is not for them: what they asked for,
 * without its parameters. Strangers who only read leave nothing behind.
 */
export function noteRefusal(web: Web, request: FastifyRequest, status: number, failure: Failure): void {
  const visitor = request.visitor ?? UNKNOWN;
  if (!isWorthAnEntry(request, visitor, status)) return;
  const [path = ""] = request.url.split("?");
  noteRefused(web, visitor, callerOf(addressOf(request)), `${request.method} ${path.slice(0, SUBJECT_MAX)}`, failure);
}

/** The same for what a page answers by itself. */
export function noteRefused(web: Web, visitor: Visitor, caller: string, subject: string, failure: Failure): void {
  if (visitor.identity !== undefined) web.access.refused(visitor.identity, subject, failure.message);
  else web.access.refusedStranger(caller, failure.code, subject, failure.message);
}

function isWorthAnEntry(request: FastifyRequest, { identity, refused }: Visitor, status: number): boolean {
  if (status < 400 || status >= 500) return false;
  if (changes(request)) return true;
  if (identity !== undefined) return status === 403;
  const { url = "" } = request.routeOptions;
  return (refused === true && (status === 401 || status === 429)) || (url.startsWith("/login/") && status !== 404);
}
