import type { Result } from "../../term/output.ts";
import type { Person } from "../refs.ts";
import type { Secret } from "../secret.ts";

/** Begins a sign-in. Both sides of it are bound together by `state`, and to this very browser by `challenge` (PKCE). */
export interface SignInRequest {
  readonly state: string;
  /** Base64url of the SHA-256 of the verifier. */
  readonly challenge: string;
  /** Where the provider sends the browser back to: an absolute address of ours. */
  readonly returnTo: string;
}

export interface SignedIn {
  readonly person: Person;
  /** What the provider lets us read in this person's name. Kept in memory only. */
  readonly credential: Secret;
}

/** A team of an organisation at the provider. */
export interface Team {
  readonly org: string;
  readonly team: string;
}

/** Where people prove who they are: a plugin, handed to the pages by the app. */
export interface SignInProvider {
  /** What names of people begin with: `github`. */
  readonly id: string;
  /** For people: `GitHub`. */
  readonly title: string;
  /** The page of the provider that a person is sent to. */
  address(request: SignInRequest): string;
  /** Fails with `SIGN_IN_REFUSED` or `SIGN_IN_UNREACHABLE`. */
  identify(
    answer: { readonly code: string; readonly verifier: string; readonly returnTo: string },
    signal: AbortSignal,
  ): Promise<Result<SignedIn>>;
  /** Whether the person is in the team now. Fails with `SIGN_IN_UNREACHABLE`, `SIGN_IN_REFUSED` or as a forge does. */
  inTeam(team: Team, person: Person, credential: Secret | undefined, signal: AbortSignal): Promise<Result<boolean>>;
}
