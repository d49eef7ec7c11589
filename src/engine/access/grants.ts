import type { Clock } from "../clock.ts";
import type { Person } from "../refs.ts";
import type { Secret } from "../secret.ts";
import { type Role, roles, type Standing, suffices } from "./identity.ts";
import type { SignInProvider } from "./provider.ts";
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
/** How long all questions about one person may take together. */
const ASK_MS_MAX = 5_000;
/** How long a page that everybody may see waits, so that it shows at once what somebody may do there. */
const SHOW_MS_MAX = 1_000;
const PEOPLE_MAX = 1_000;

interface Answer {
  readonly grant: Promise<Grant>;
  /** What was known before it was asked for. */
  readonly before: Grant | undefined;
  /** Since when it is known; undefined: it is being asked for. */
  known?: { readonly grant: Grant; readonly sinceMs: number };
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

  /**
   * @param needed What the role is wanted for. Where everybody who is signed in may look, what was known before, or is
   *   without asking, has to do when the answer does not come at once.
   */
  of(provider: string, person: Person, credential: Secret | undefined, needed: Standing): Promise<Grant> {
    const key = `${provider}:${person.id}:${person.login}`;
    const last = this.#answers.get(key);
    const answer = last !== undefined && this.#isGood(last) ? last : this.#ask(key, provider, person, credential);
    const sure = this.#sure(provider, person);
    const isForAll = suffices("viewer", needed) && suffices(sure.role, needed);
    return isForAll && answer.known === undefined ? this.#soon(answer, sure) : answer.grant;
  }

  #isGood({ known }: Answer): boolean {
    if (known === undefined) return true;
    const lifeMs = known.grant.doubt === undefined ? KNOWN_MS : DOUBT_MS;
    return this.#clock.elapsed() - known.sinceMs < lifeMs;
  }

  #ask(key: string, provider: string, person: Person, credential: Secret | undefined): Answer {
    const before = this.#answers.get(key)?.known?.grant;
    this.#answers.delete(key);
    for (const [oldest] of this.#answers) {
      if (this.#answers.size < PEOPLE_MAX) break;
      this.#answers.delete(oldest);
    }
    const answer: Answer = { before, grant: this.#find(provider, person, credential) };
    this.#answers.set(key, answer);
    void answer.grant.then((grant) => {
      answer.known = { grant, sinceMs: this.#clock.elapsed() };
    });
    return answer;
  }

  async #soon({ before, grant }: Answer, sure: Grant): Promise<Grant> {
    if (before?.doubt !== undefined) return before; // nobody answered the last time: they may not this time
    const late = new AbortController();
    const timer = this.#clock.after(SHOW_MS_MAX, () => late.abort());
    const title = this.#provider?.title ?? "nobody";
    const shown = await Promise.race([grant, whenAborted(late.signal)]);
    timer.unsubscribe();
    return shown ?? before ?? { ...sure, doubt: `${title} has not answered yet` };
  }

  /** Asks again at the next look: they have just signed in. */
  forget(provider: string, person: Person): void {
    this.#answers.delete(`${provider}:${person.id}:${person.login}`);
  }

  /** What they may do whatever their teams are. */
  #sure(provider: string, person: Person): Grant {
    return this.#rules.filter(({ who }) => namesPerson(who, provider, person)).reduce(better, this.#others);
  }

  /** Teams that could give more are asked for first, and all of a role at once; then there may be nothing to add. */
  async #find(provider: string, person: Person, credential: Secret | undefined): Promise<Grant> {
    const patience = new Patience();
    const timer = this.#clock.after(ASK_MS_MAX, () => patience.end());
    let grant = this.#sure(provider, person);
    let doubt: string | undefined;
    for (const role of roles.toReversed()) {
      const held = grant;
      const asked = this.#rules.filter((rule) => rule.role === role && rule.who.team !== undefined && adds(held, rule));
      const answers = await Promise.all(
        asked.map(async (rule) => ({ rule, is: await this.#inTeam(provider, rule.who, person, credential, patience) })),
      );
      for (const { rule, is } of answers) {
        if (is === true) grant = better(grant, rule);
        else if (is !== false) doubt ??= is;
      }
    }
    timer.unsubscribe();
    return doubt === undefined ? grant : { ...grant, doubt };
  }

  /** True, false, or why nobody knows. An organisation of which one question is not answered is asked about no more. */
  async #inTeam(
    id: string,
    { provider: of, team }: Who,
    person: Person,
    credential: Secret | undefined,
    patience: Patience,
  ): Promise<boolean | string> {
    const provider = this.#provider;
    if (of !== id || team === undefined) return false;
    if (provider?.id !== id) return `nobody signs in with ${id} here`;
    const asking = patience.with(team.org);
    const { signal } = asking;
    if (signal.aborted) return `${provider.title} does not answer`;
    const question = provider.inTeam(team, person, credential, signal);
    const asked = await Promise.race([question, whenAborted(signal)]);
    if (asked === undefined) return `${provider.title} does not answer`;
    if (asked.ok) return asked.value;
    if (asked.error.class === "transient") asking.abort();
    return asked.error.message;
  }
}

/** How long one is asked, by organisation: one whose app is gone or limited says nothing of the others. */
class Patience {
  readonly #orgs = new Map<string, AbortController>();
  #isOver = false;

  with(org: string): AbortController {
    const name = org.toLowerCase();
    const found = this.#orgs.get(name) ?? new AbortController();
    this.#orgs.set(name, found);
    if (this.#isOver) found.abort();
    return found;
  }

  /** Nobody is asked any more. */
  end(): void {
    this.#isOver = true;
    for (const asked of this.#orgs.values()) asked.abort();
  }
}

/** Resolves with nothing when the signal is aborted. */
const whenAborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });

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
