import type { Person } from "../refs.ts";
import type { Team } from "./provider.ts";

/** Who may act, as `pipeline.ts` says it: `github:avsm`, `github:avsm#1234`, or the team `github:org/team`. */
export interface Rules {
  readonly admins: readonly string[];
  readonly builders: readonly BuilderRule[];
  /** Those who may read, where not everybody may. */
  readonly viewers?: readonly string[];
}

export interface BuilderRule {
  readonly who: string;
  /** Names of services; default: all. */
  readonly services?: readonly string[];
}

/** One name of a rule, taken apart. */
export type Who = { readonly provider: string } & (
  | { readonly login: string; readonly id?: number; readonly team?: never }
  | { readonly team: Team }
);

/** Undefined: it has not the shape of a name. */
export function parseWho(text: string): Who | undefined {
  const [, provider, name] = /^([a-z][a-z0-9-]*):([^\s:]+)$/.exec(text) ?? [];
  if (provider === undefined || name === undefined) return undefined;
  const [, org, team] = /^([\w.-]+)\/([\w.-]+)$/.exec(name) ?? [];
  if (org !== undefined && team !== undefined) return { provider, team: { org, team } };
  const [, login, id] = /^([\w.-]+(?:\[bot\])?)(?:#(\d{1,15}))?$/.exec(name) ?? [];
  if (login === undefined) return undefined;
  return id === undefined ? { provider, login } : { provider, login, id: Number(id) };
}

/** Whether a rule names this very person; names of people do not depend on case. Says nothing of teams. */
export function namesPerson(who: Who, provider: string, person: Person): boolean {
  if (who.provider !== provider || who.team !== undefined) return false;
  if (who.id !== undefined) return who.id === person.id; // they may have another login by now
  return who.login.toLowerCase() === person.login.toLowerCase();
}
