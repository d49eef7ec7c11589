import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import type { ApiToken } from "../../engine/access/api-tokens.ts";
import { whoOf } from "../../engine/access/identity.ts";
import { problem } from "../../engine/errors.ts";
import type { AuditRow } from "../../engine/store/store.ts";
import type { View } from "../../engine/view.ts";
import { Refused, recordedWith } from "../problems.ts";
import { iso } from "../text.ts";
import type { Web } from "../web.ts";
import {
  ApiTokenJson,
  AuditJson,
  AuditQuery,
  EndedJson,
  EndSessionsBody,
  NewTokenBody,
  NewTokenJson,
  SessionJson,
  TokenPath,
} from "./access-schemas.ts";
import type { Sent } from "./json.ts";
import { WhyBody } from "./schemas.ts";

const LIMIT = 100;
const admin = { role: "admin" } as const;
const storing = { role: "admin", stores: true } as const;

/** Who did what; tokens for programs; who is signed in. */
export function serveAccess(app: FastifyInstance, web: Web): void {
  serveAudit(app, web);
  serveTokens(app, web);
  serveSessions(app, web);
}

function serveAudit(app: FastifyInstance, { view }: Web): void {
  app.get<{ Querystring: Static<typeof AuditQuery> }>(
    "/audit",
    {
      config: { role: "builder" },
      schema: { summary: "Who did what, and what was refused", querystring: AuditQuery, response: { 200: AuditJson } },
    },
    ({ query }): Static<typeof AuditJson> => {
      const { limit = LIMIT, ...filter } = query;
      const found = view.audit(limit + 1, filter);
      const entries = found.slice(0, limit).map(auditJson);
      const last = entries.at(-1);
      return found.length > limit && last !== undefined ? { entries, next: last.id } : { entries };
    },
  );
}

const auditJson = ({ atMs, ...row }: AuditRow): Static<typeof AuditJson>["entries"][number] => ({
  ...row,
  at: iso(atMs),
});

function serveTokens(app: FastifyInstance, { view, access }: Web): void {
  app.get(
    "/tokens",
    { config: admin, schema: { summary: "All tokens for programs", response: { 200: Type.Array(ApiTokenJson) } } },
    () => access.tokens.list().map(tokenJson),
  );
  app.post<{ Body: Static<typeof NewTokenBody> }>(
    "/tokens",
    { config: storing, schema: { summary: "Make a token", body: NewTokenBody, response: { 200: NewTokenJson } } },
    async ({ body, visitor }): Promise<Sent<Static<typeof NewTokenJson>>> => {
      refuseUnknown(view, body.services ?? []);
      const { why = "", ...wish } = body;
      const made = await access.createToken({ ...wish, createdBy: visitor.who }, why);
      if (!made.ok) throw recordedWith(made.error);
      return { ...tokenJson(made.value.about), token: made.value.token };
    },
  );
  app.post<{ Params: Static<typeof TokenPath>; Body: Static<typeof WhyBody> }>(
    "/tokens/:name/revoke",
    {
      config: storing,
      schema: { summary: "Revoke a token", params: TokenPath, body: WhyBody, response: { 200: Type.Object({}) } },
    },
    async ({ params, visitor, body }) => {
      const revoked = await access.revokeToken(params.name, visitor.who, body?.why);
      if (!revoked.ok) throw recordedWith(revoked.error);
      return {};
    },
  );
}

/** A token for a service that is misspelt would be good for nothing, and nobody would know why. */
function refuseUnknown(view: View, services: readonly string[]): void {
  const known = [...new Set(view.services().map(({ place }) => place))];
  const strange = services.filter((place) => !known.includes(place));
  if (strange.length === 0) return;
  const message = `there is no service ${strange.join(", ")}; known are ${known.slice(0, 20).join(", ") || "none"}`;
  throw new Refused(400, problem("BAD_REQUEST", message));
}

const tokenJson = ({ name, role, services, createdMs, createdBy, expiresMs, revokedMs }: ApiToken) => ({
  name,
  role,
  services: services === undefined ? undefined : [...services],
  created: iso(createdMs),
  createdBy,
  expires: expiresMs === undefined ? undefined : iso(expiresMs),
  revoked: revokedMs === undefined ? undefined : iso(revokedMs),
});

function serveSessions(app: FastifyInstance, { access }: Web): void {
  app.get(
    "/sessions",
    { config: admin, schema: { summary: "Who is signed in", response: { 200: Type.Array(SessionJson) } } },
    () =>
      access.sessions.list().map(({ identity, openedMs, expiresMs }) => ({
        who: whoOf(identity),
        opened: iso(openedMs),
        expires: iso(expiresMs),
      })),
  );
  app.post<{ Body: Static<typeof EndSessionsBody> }>(
    "/sessions/end",
    {
      config: admin,
      schema: { summary: "End all sessions of somebody", body: EndSessionsBody, response: { 200: EndedJson } },
    },
    async ({ body, visitor }) => ({ ended: await access.endSessions(body.who, visitor.who, body.why) }),
  );
}
