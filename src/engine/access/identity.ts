import type { Json } from "../json.ts";
import { isPerson, type Person } from "../refs.ts";

/** viewer reads, builder rebuilds and cancels, admin does everything. Each may do what those before it may. */
export const roles = ["viewer", "builder", "admin"] as const;
export type Role = (typeof roles)[number];

/** What somebody may do: the things of a role, or none at all. */
export type Standing = Role | "none";
const standings: readonly Standing[] = ["none", ...roles];

/** Who may read: anyone who comes by, those who are signed in, or those whom a rule names. Tokens always may. */
export const readers = ["anyone", "signed-in", "named"] as const;
export type Readers = (typeof readers)[number];

export const isReaders = (text: unknown): text is Readers => readers.some((one) => one === text);

export const isRole = (text: unknown): text is Role => roles.some((role) => role === text);

/** Whether whoever has `role` may do what needs `needed`. */
export const suffices = (role: Standing, needed: Standing): boolean =>
  standings.indexOf(role) >= standings.indexOf(needed);

/** Who it is that asks, proved by a session or a token. What they may do is looked up each time: see `Access`. */
export type Identity =
  /** Whoever can read the state directory. `bond` tells which token it was, so that a new one ends old sessions. */
  | { readonly kind: "state"; readonly bond: string }
  /** The holder of an API token; one of the same name that was made later is another one. */
  | { readonly kind: "token"; readonly name: string; readonly createdMs: number }
  | { readonly kind: "person"; readonly provider: string; readonly person: Person };

/** As people read it: `token`, `token:ci`, `github:avsm`. */
export function nameOf(identity: Identity): string {
  if (identity.kind === "state") return "token";
  return identity.kind === "token" ? `token:${identity.name}` : `${identity.provider}:${identity.person.login}`;
}

/** As records name them: `token`, `token:ci`, `github:avsm#1234`. */
export const whoOf = (identity: Identity): string =>
  identity.kind === "person" ? whoIs(identity.provider, identity.person) : nameOf(identity);

/** As records name a person. A login may belong to somebody else tomorrow, the number does not. */
export const whoIs = (provider: string, { login, id }: Person): string => `${provider}:${login}#${id}`;

export function identityJson(identity: Identity): Json {
  if (identity.kind !== "person") return { ...identity };
  const { id, login } = identity.person;
  return { kind: identity.kind, provider: identity.provider, person: { id, login } };
}

/** An identity that was stored; undefined for anything else. */
export function identityOf(value: unknown): Identity | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  if (value.kind === "state" && "bond" in value && typeof value.bond === "string")
    return { kind: "state", bond: value.bond };
  if (value.kind === "token" && "name" in value && "createdMs" in value) {
    const { name, createdMs } = value;
    if (typeof name === "string" && typeof createdMs === "number") return { kind: "token", name, createdMs };
  }
  if (value.kind !== "person" || !("provider" in value) || !("person" in value)) return undefined;
  const { provider, person } = value;
  return typeof provider === "string" && isPerson(person) ? { kind: "person", provider, person } : undefined;
}
