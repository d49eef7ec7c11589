import type { Result } from "../../term/output.ts";
import { success } from "../../term/output.ts";
import { detailOf } from "../audit.ts";
import type { Clock } from "../clock.ts";
import type { Secret } from "../secret.ts";
import { type ApiToken, ApiTokens, type NewToken, type TokenKeeper } from "./api-tokens.ts";
import { Entries, type WriteEntry } from "./entries.ts";
import { type Grant, Grants } from "./grants.ts";
import { type Identity, type Readers, type Standing, whoOf } from "./identity.ts";
import type { SignInProvider } from "./provider.ts";
import type { Rules } from "./rules.ts";
import { hashOf, type Session, type SessionKeeper, Sessions } from "./sessions.ts";

export interface AccessParts {
  readonly clock: Clock;
  /** The acting token of the state directory. */
  readonly token: Secret;
  /** Default: nobody is named. */
  readonly rules?: Rules;
  /** Default: anyone. */
  readonly readers?: Readers;
  /** Default: nobody can sign in but with a token. */
  readonly provider?: SignInProvider;
  /** Default: sessions and tokens end with the process. */
  readonly keeper?: { readonly sessions: SessionKeeper; readonly tokens: TokenKeeper };
  /** Told of what is worth an entry in the audit log; default: nobody. */
  readonly audit?: WriteEntry;
}

const VIEWER: Grant = { role: "viewer" };
const NOTHING: Grant = { role: "none" };
const CREDENTIALS_MAX = 1_000;

/** Who somebody is, and what they may do. */
export class Access {
  readonly sessions: Sessions;
  readonly tokens: ApiTokens;
  readonly provider: SignInProvider | undefined;
  readonly readers: Readers;
  readonly #parts: AccessParts;
  readonly #bond: string;
  readonly #grants: Grants;
  /** What the provider lets us read in a person's name, by who they are. Never stored. */
  readonly #credentials = new Map<string, Secret>();
  readonly #entries: Entries;

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#entries = new Entries(parts.clock, (...entry) => this.note(...entry));
    this.provider = parts.provider;
    this.readers = parts.readers ?? "anyone";
    this.#bond = hashOf(`bond ${parts.token.reveal()}`).slice(0, 16);
    this.sessions = new Sessions(parts.clock, parts.keeper?.sessions);
    this.tokens = new ApiTokens(parts.clock, parts.keeper?.tokens);
    const others = this.readers === "named" ? NOTHING : VIEWER;
    this.#grants = new Grants(parts.clock, parts.rules ?? { admins: [], builders: [] }, parts.provider, others);
  }

  /** What those may do who say nothing of who they are. */
  get anonymous(): Grant {
    return this.readers === "anyone" ? VIEWER : NOTHING;
  }

  /** Whose token it is: that of the state directory, or one for programs. */
  identityOfToken(given: string): Identity | undefined {
    // hashes are compared, so that the time says nothing of where they differ
    const state = hashOf(given) === hashOf(this.#parts.token.reveal());
    return state ? { kind: "state", bond: this.#bond } : this.tokens.identityOf(given);
  }

  /** The session of what a browser holds, unless what opened it is worth nothing any more. */
  sessionOf(secret: string): Session | undefined {
    const session = this.sessions.find(secret);
    if (session === undefined || this.#stands(session.identity)) return session;
    void this.sessions.close(session);
    return undefined;
  }

  #stands(identity: Identity): boolean {
    if (identity.kind === "state") return identity.bond === this.#bond;
    if (identity.kind === "token") return this.tokens.find(identity) !== undefined;
    return identity.provider === this.provider?.id;
  }

  /**
   * What they may do at this moment.
   *
   * @param needed What it is wanted for. Default: everything; then nobody is answered by what was known before.
   */
  async grantOf(identity: Identity, needed: Standing = "admin"): Promise<Grant> {
    if (identity.kind === "state") return { role: "admin" };
    if (identity.kind === "person") {
      return this.#grants.of(identity.provider, identity.person, this.#credentials.get(whoOf(identity)), needed);
    }
    const token = this.tokens.find(identity);
    if (token === undefined) return this.anonymous;
    return { role: token.role, ...(token.services === undefined ? {} : { services: new Set(token.services) }) };
  }

  /** Asks the provider who has come back from it. Fails with `SIGN_IN_REFUSED` or `SIGN_IN_UNREACHABLE`. */
  async identify(
    provider: SignInProvider,
    answer: { readonly code: string; readonly verifier: string; readonly returnTo: string },
    signal: AbortSignal,
  ): Promise<Result<Identity>> {
    const known = await provider.identify(answer, signal);
    if (!known.ok) return known;
    const { person, credential } = known.value;
    const identity: Identity = { kind: "person", provider: provider.id, person };
    const who = whoOf(identity);
    this.#credentials.delete(who); // who signs in is the newest
    for (const [oldest] of this.#credentials) {
      if (this.#credentials.size < CREDENTIALS_MAX) break;
      this.#credentials.delete(oldest);
    }
    this.#credentials.set(who, credential);
    this.#grants.forget(provider.id, person);
    await this.grantOf(identity); // the provider is there to be asked, and the next page shows what they may do
    return success(identity);
  }

  /** Opens a session in place of the one that there was. */
  signIn(identity: Identity, before?: Session): ReturnType<Sessions["open"]> {
    this.#entries.ofKnown(whoOf(identity), "sign-in", whoOf(identity));
    return this.sessions.open(identity, before);
  }

  async signOut(session: Session): Promise<void> {
    const who = whoOf(session.identity);
    this.#entries.ofKnown(who, "sign-out", who);
    await this.sessions.close(session);
  }

  /** Ends all sessions of one person or token; answers with how many. */
  async endSessions(of: string, who: string, why = ""): Promise<number> {
    const open = this.sessions.of(of);
    const detail = detailOf(success(undefined), why, `all sessions ended: ${open.length}`);
    if (of === who) this.#entries.ofKnown(who, "sign-out", of, detail);
    else this.note(who, "sign-out", of, detail); // only an administrator gets here
    await Promise.all(open.map((session) => this.sessions.close(session)));
    return open.length;
  }

  /** Makes a token for a program, and writes that down, also when it is refused. Fails as `ApiTokens.create` does. */
  async createToken(wish: NewToken, why = ""): ReturnType<ApiTokens["create"]> {
    const made = await this.tokens.create(wish);
    this.note(
      wish.createdBy,
      "token-create",
      wish.name,
      detailOf(made, why, made.ok ? rightsOf(made.value.about) : ""),
    );
    return made;
  }

  /** Ends one, likewise. Fails with `NOT_FOUND`. */
  async revokeToken(name: string, who: string, why = ""): Promise<Result<void>> {
    const revoked = await this.tokens.revoke(name);
    this.note(who, "token-revoke", name, detailOf(revoked, why));
    return revoked;
  }

  /** Writes down what somebody who is known did. */
  note(who: string, what: string, subject: string, detail = ""): void {
    this.#parts.audit?.(who, what, subject, detail);
  }

  /** Writes down that somebody who is known was refused. */
  refused(identity: Identity, subject: string, why: string): void {
    this.#entries.ofKnown(whoOf(identity), "refused", subject, why);
  }

  /** The same of somebody of whom only an address is known. */
  refusedStranger(address: string, kind: string, subject: string, why: string): void {
    this.#entries.ofStranger(address, kind, subject, why);
  }
}

function rightsOf({ role, services, expiresMs }: ApiToken): string {
  const what = services === undefined ? "" : ` for ${services.join(", ")}`;
  return `role ${role}${what}${expiresMs === undefined ? "" : `, until ${new Date(expiresMs).toISOString()}`}`;
}
