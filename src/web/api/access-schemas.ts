import { Type } from "typebox";
import { roles } from "../../engine/access/identity.ts";
import { Why } from "./schemas.ts";

const Time = Type.String({ format: "date-time" });
const Name = Type.String({ minLength: 1, maxLength: 200 });
const Names = Type.Array(Name, { minItems: 1, maxItems: 100 });
const YEAR_MS = 366 * 24 * 60 * 60 * 1000;

export const AuditJson = Type.Object({
  /** `next` is the `before` of the next page; absent on the last one. */
  entries: Type.Array(
    Type.Object({
      id: Type.Number(),
      at: Time,
      who: Type.String(),
      what: Type.String(),
      subject: Type.String(),
      detail: Type.String(),
    }),
  ),
  next: Type.Optional(Type.Number()),
});

export const AuditQuery = Type.Object({
  who: Type.Optional(Name),
  what: Type.Optional(Name),
  before: Type.Optional(Type.Integer({ minimum: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 999 })),
});

const Role = Type.Enum(roles);
const about = {
  name: Type.String(),
  role: Role,
  /** Services that a builder's token is for; absent: all. */
  services: Type.Optional(Type.Array(Type.String())),
  created: Time,
  createdBy: Type.String(),
  expires: Type.Optional(Time),
  revoked: Type.Optional(Time),
};
export const ApiTokenJson = Type.Object(about);
/** The only time that the token itself is seen. */
export const NewTokenJson = Type.Object({ ...about, token: Type.String() });
export const NewTokenBody = Type.Object({
  name: Name,
  role: Role,
  services: Type.Optional(Names),
  lifeMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 10 * YEAR_MS })),
  why: Why,
});
export const TokenPath = Type.Object({ name: Type.String({ maxLength: 200 }) });

export const SessionJson = Type.Object({ who: Type.String(), opened: Time, expires: Time });
export const EndSessionsBody = Type.Object({ who: Name, why: Why });
export const EndedJson = Type.Object({ ended: Type.Number() });
