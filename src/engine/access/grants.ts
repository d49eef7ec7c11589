import type { Clock } from "../clock.ts";
import type { Person } from "../refs.ts";
import type { Secret } from "../secret.ts";
import { type Role, type Standing, suffices } from "./identity.ts";
import type { SignInProvider, Team } from "./provider.ts";
import { namesPerson, parseWho, type Rules, type Who } from "./rules.ts";

/** What somebody may do right now. */
export interface Grant {
  readonly role: Standing;
  /** Names of the services that a builder is limited to; undefined: all. */
  readonly services?: ReadonlySet<string>;
  /** Why it is not more, when that could not be found out. */
  readonly doubt?: string;
}

/** How long a change of a team may go unnoticed, in milliseconds. */
const KNOWN_MS = 60_000;
/** A question that could not be answered is asked again after this time. */
const DOUBT_MS = 10_000;
const ASK_MS_MAX = 5_000;
const PEOPLE_MAX = 1_000;

interface Answer {
  readonly askedMs: number;
  readonly grant: Promise<Grant>;
  lifeMs: number;
}

interface Rule {
  readonly role: Role;
  readonly who: Who;
  readonly services?: ReadonlySet<string>;
}

/**
 * What people may do, by the rules of `pipeline.ts`. Teams are asked for at the provider and remembered for a minute;
 * what cannot be found out is not granted.
 */
export class Grants {
  readonly #clock: Clock;
  readonly #rules: readonly Rule[];
  readonly #provider: SignInProvider | undefined;
  readonly #others: Grant;
  readonly #answers = new Map<string, Answer>();

  /** @param others What those may do whom no rule names. */
  constructor(clock: Clock, rules: Rules, provider: SignInProvider | undefined, others: Grant) {
    this.#clock = clock;
    this.#rules = parseRules(rules);
    this.#provider = provider;
    this.#others = others;
  }

  of(provider: string, person: Person, credential: Secret | undefined): Promise<Grant> {
    const key = `${provider}:${person.id}:${person.login}`;
    const known = this.#answers.get(key);
    if (known !== undefined && this.#clock.elapsed() - known.askedMs < known.lifeMs) return known.grant;
    if (this.#answers.size >= PEOPLE_MAX) this.#answers.clear();
    const grant = this.#find(provider, person, credential);
    const answer: Answer = { askedMs: this.#clock.elapsed(), grant, lifeMs: KNOWN_MS };
    this.#answers.set(key, answer);
    void grant.then(({ doubt }) => {
      if (doubt !== undefined) answer.lifeMs = DOUBT_MS;
    });
    return grant;
  }

  /** Asks again at the next look: they have just signed in. */
  forget(provider: string, person: Person): void {
    this.#answers.delete(`${provider}:${person.id}:${person.login}`);
  }

  async #find(provider: string, person: Person, credential: Secret | undefined): Promise<Grant> {
    const own = this.#rules.filter(({ who }) => who.provider === provider);
    let grant = own.filter(({ who }) => namesPerson(who, provider, person)).reduce(better, this.#others);
    for (const rule of own) {
      if (rule.who.team === undefined || !adds(grant, rule)) continue;
      const asked = await this.#inTeam(provider, rule.who.team, person, credential);
      if (asked === true) grant = better(grant, rule);
      else if (asked !== false) grant = { ...grant, doubt: asked };
    }
    return grant;
  }

  /** True, false, or why nobody knows. */
  async #inTeam(id: string, team: Team, person: Person, credential: Secret | undefined): Promise<boolean | string> {
    const provider = this.#provider;
    if (provider?.id !== id) return `nobody signs in with ${id} here`;
    const late = new AbortController();
    const timer = this.#clock.after(ASK_MS_MAX, () => late.abort());
    const asked = await provider.inTeam(team, person, credential, late.signal);
    timer.unsubscribe();
    return asked.ok ? asked.value : asked.error.message;
  }
}

function parseRules({ admins, builders, viewers = [] }: Rules): readonly Rule[] {
  const all = [
    ...admins.map((who) => ({ role: "admin" as const, who, services: undefined })),
    ...builders.map(({ who, services }) => ({ role: "builder" as const, who, services })),
    ...viewers.map((who) => ({ role: "viewer" as const, who, services: undefined })),
  ];
  return all.flatMap(({ role, who, services }) => {
    const parsed = parseWho(who);
    if (parsed === undefined) return [];
    return [{ role, who: parsed, ...(services === undefined ? {} : { services: new Set(services) }) }];
  });
}

/** Whether the rule could give more than there is. */
const adds = (grant: Grant, rule: Rule): boolean =>
  !suffices(grant.role, rule.role) || (grant.role === rule.role && grant.services !== undefined);

/** The larger right; services of several rules add up. */
function better(grant: Grant, { role, services }: Rule): Grant {
  const doubt = grant.doubt === undefined ? {} : { doubt: grant.doubt };
  if (!suffices(grant.role, role)) return { role, ...(services === undefined ? {} : { services }), ...doubt };
  if (grant.role !== role || grant.services === undefined) return grant;
  if (services === undefined) return { role, ...doubt };
  return { role, services: new Set([...grant.services, ...services]), ...doubt };
}
