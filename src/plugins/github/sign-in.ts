import type { SignedIn, SignInProvider, SignInRequest, Team } from "../../engine/access/provider.ts";
import { problem } from "../../engine/errors.ts";
import type { Person } from "../../engine/refs.ts";
import { Secret } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import type { GitHub } from "./api.ts";
import { PUBLIC_API, webOf } from "./github.ts";
import { numberIn, recordOf, textIn } from "./shape.ts";

export interface SignInOptions {
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Base of the API; default that of github.com. */
  readonly api?: URL;
  /** Whether rules name teams: a person is then asked to let us see theirs. */
  readonly teams: boolean;
  /** Asks as the app, whose right to see teams does not end when a person's does. Default: there is no app. */
  readonly app?: Pick<GitHub, "inTeam">;
}

const LOGIN = /^[\w.-]{1,100}(\[bot\])?$/;
const WORDS_MAX = 200;
const LATE = "no answer in time";

/**
 * Signing in with GitHub, by an OAuth app or a GitHub app. Of what it lets us do, who it is and which teams they are in
 * are read, and nothing else; the scope asked for is none, or `read:org` when teams are named.
 *
 * @source https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps (PKCE: S256)
 */
export function githubSignIn(options: SignInOptions): SignInProvider {
  const api = (options.api ?? PUBLIC_API).href.replace(/\/$/, "");
  const site = webOf(new URL(api));
  return {
    id: "github",
    title: "GitHub",
    address: (request) => addressOf(site, options, request),
    identify: async ({ code, verifier, returnTo }, signal) => {
      const fields = { client_id: options.clientId, code, code_verifier: verifier, redirect_uri: returnTo };
      const given = await exchange(site, { ...fields, client_secret: options.clientSecret.reveal() }, signal);
      return given.ok ? askWho(api, given.value, signal) : given;
    },
    inTeam: async (team, person, credential, signal) => {
      const byApp = await options.app?.inTeam(team, person.id, signal);
      if (byApp?.ok === true || signal.aborted) return byApp ?? failure(unreachable(LATE));
      if (credential !== undefined) return isMember(api, team, person, credential, signal);
      if (byApp?.error.class === "transient") return byApp;
      const app = byApp === undefined ? "" : `; ${byApp.error.message}`;
      return failure(problem("SIGN_IN_REFUSED", `Millrace was started anew since you signed in${app}`));
    },
  };
}

function addressOf(site: string, { clientId, teams }: SignInOptions, request: SignInRequest): string {
  const address = new URL(`${site}/login/oauth/authorize`);
  const fields = {
    client_id: clientId,
    redirect_uri: request.returnTo,
    state: request.state,
    code_challenge: request.challenge,
    code_challenge_method: "S256",
    ...(teams ? { scope: "read:org" } : {}),
  };
  for (const [name, value] of Object.entries(fields)) address.searchParams.set(name, value);
  return address.href;
}

/** The code for a token; refusals come with 200 too. */
async function exchange(
  site: string,
  fields: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result<Secret>> {
  const body = new URLSearchParams(fields);
  const answer = await ask(`${site}/login/oauth/access_token`, { method: "POST", body, signal });
  if (!answer.ok) return answer;
  const content = recordOf(answer.value.content);
  const token = textIn(content, "access_token");
  if (token !== undefined && token !== "") return success(new Secret(token));
  return failure(
    refused(textIn(content, "error_description") ?? textIn(content, "error") ?? `HTTP ${answer.value.status}`),
  );
}

async function askWho(api: string, credential: Secret, signal: AbortSignal): Promise<Result<SignedIn>> {
  const answer = await ask(`${api}/user`, { headers: withToken(credential), signal });
  if (!answer.ok) return answer;
  const { status, content } = answer.value;
  const [id, login] = [numberIn(recordOf(content), "id"), textIn(recordOf(content), "login")];
  if (status !== 200 || id === undefined || login === undefined || !LOGIN.test(login))
    return failure(refused(`it does not say who you are (HTTP ${status}): sign in again`));
  return success({ person: { id, login }, credential });
}

/**
 * Somebody who is invited is not in it yet; a team that we may not see is one that they are not in. Teams are asked for
 * by name, and a name may have gone to somebody else since: so it is looked up whose credential this is, and what they
 * are called now.
 */
async function isMember(
  api: string,
  { org, team }: Team,
  person: Person,
  credential: Secret,
  signal: AbortSignal,
): Promise<Result<boolean>> {
  const now = await askWho(api, credential, signal);
  if (!now.ok) return now;
  const { id, login } = now.value.person;
  if (id !== person.id) return failure(refused(`it knows you as ${login} now: sign in again`));
  const parts = ["orgs", org, "teams", team.toLowerCase(), "memberships", login].map(encodeURIComponent);
  const answer = await ask(`${api}/${parts.join("/")}`, { headers: withToken(credential), signal });
  if (!answer.ok) return answer;
  const { status, content } = answer.value;
  if (status === 200) return success(textIn(recordOf(content), "state") === "active");
  if (status === 404) return success(false);
  return failure(refused(`it does not say whether ${login} is in ${org}/${team} (HTTP ${status}): sign in again`));
}

interface Answer {
  readonly status: number;
  readonly content: unknown;
}

interface Question {
  readonly method?: "POST";
  readonly body?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function ask(address: string, init: Question): Promise<Result<Answer>> {
  const headers = { accept: "application/json", "user-agent": "millrace", ...init.headers };
  try {
    const response = await fetch(address, { ...init, headers, redirect: "error" });
    const { status } = response;
    if (status >= 500 || status === 429) return failure(unreachable(`HTTP ${status}`));
    return success({ status, content: contentOf(await response.text()) });
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const why = typeof code === "string" ? code : "no connection";
    return failure(unreachable(init.signal.aborted ? LATE : why));
  }
}

function contentOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an empty answer, or the page of something in between
  }
}

const withToken = (credential: Secret) => ({ authorization: `Bearer ${credential.reveal()}` });

const refused = (why: string): Failure =>
  problem("SIGN_IN_REFUSED", `GitHub says: ${why.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").slice(0, WORDS_MAX)}`);

const unreachable = (why: string): Failure => problem("SIGN_IN_UNREACHABLE", `GitHub does not answer: ${why}`);
