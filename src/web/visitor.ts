import "@fastify/cookie";
import type { FastifyRequest } from "fastify";
import type { Access } from "../engine/access/access.ts";
import type { Grant } from "../engine/access/grants.ts";
import { type Identity, nameOf, type Standing, whoOf } from "../engine/access/identity.ts";
import type { Session } from "../engine/access/sessions.ts";

/** Who asks, and what they may do at this moment. */
export interface Visitor extends Grant {
  /** As the audit log names them: with the number of a person. */
  readonly who: string;
  /** As people read it. */
  readonly name: string;
  /** Undefined: nobody that is known. */
  readonly identity?: Identity;
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
    role?: Standing;
    /** It needs the store: 503 while nothing can be stored. */
    stores?: boolean;
  }
}

/** Somebody of whom nothing is known yet. */
export const UNKNOWN: Visitor = { role: "none", who: "anonymous", name: "anonymous" };
const BEARER = /^Bearer +(\S+)$/i;

/**
 * Who a request comes from: the holder of a token by its header, or of a session by its cookie. Everybody else is a
 * viewer, or nobody, as it was configured. Without a provider for signing in only tokens open sessions.
 */
export async function visitorOf(request: FastifyRequest, cookie: string, access: Access): Promise<Visitor> {
  const { authorization } = request.headers;
  const { role: needed = "viewer" } = request.routeOptions.config;
  const anonymous = { ...UNKNOWN, ...access.anonymous };
  if (authorization !== undefined) {
    const given = BEARER.exec(authorization)?.[1];
    const identity = given === undefined ? undefined : access.identityOfToken(given);
    return identity === undefined ? { ...anonymous, refused: true } : visitor(access, identity, needed);
  }
  const secret = request.cookies[cookie];
  const session = secret === undefined ? undefined : access.sessionOf(secret);
  return session === undefined ? anonymous : visitor(access, session.identity, needed, session);
}

async function visitor(access: Access, identity: Identity, needed: Standing, session?: Session): Promise<Visitor> {
  const grant = await access.grantOf(identity, needed);
  const names = { who: whoOf(identity), name: nameOf(identity) };
  return { ...grant, ...names, identity, ...(session === undefined ? {} : { session }) };
}

/** Names of the cookies: the browser itself guards a `__Host-` one against other hosts, but only over https. */
export const cookieName = (secure: boolean): string => (secure ? "__Host-millrace" : "millrace");
