import "@fastify/cookie";
import type { FastifyRequest } from "fastify";
import type { Secret } from "../engine/secret.ts";
import { matches, type Session, type Sessions } from "./session.ts";

/** viewer reads, admin acts. Without a login provider everybody is a viewer and only the token makes an admin. */
export type Role = "viewer" | "admin";

export interface Visitor {
  readonly role: Role;
  /** As the audit log names them. */
  readonly who: string;
  readonly session?: Session;
  /** A token was sent and is wrong. */
  readonly refused?: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    visitor: Visitor;
  }
  interface FastifyContextConfig {
    /** Who may use the route; a route without one cannot be added. */
    role?: Role;
    /** It needs the store: 503 while nothing can be stored. */
    stores?: boolean;
  }
}

export const ANONYMOUS: Visitor = { role: "viewer", who: "anonymous" };
const BEARER = /^Bearer +(\S+)$/i;

/** Whoever holds the token, by header or by a session that was opened with it, is `token`. */
export function visitorOf(request: FastifyRequest, cookie: string, token: Secret, sessions: Sessions): Visitor {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const given = BEARER.exec(authorization)?.[1];
    if (given !== undefined && matches(given, token)) return { role: "admin", who: "token" };
    return { ...ANONYMOUS, refused: true };
  }
  const id = request.cookies[cookie];
  const session = id === undefined ? undefined : sessions.find(id);
  return session === undefined ? ANONYMOUS : { role: "admin", who: session.who, session };
}

/** Names of the cookie: the browser itself guards a `__Host-` one against other hosts, but only over https. */
export const cookieName = (secure: boolean): string => (secure ? "__Host-millrace" : "millrace");
