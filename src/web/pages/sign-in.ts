import type { SignInProvider } from "../../engine/access/provider.ts";
import { problem } from "../../engine/errors.ts";
import { pathOnly } from "../path-only.ts";
import { Refused } from "../problems.ts";
import type { Web } from "../web.ts";
import type { Page, Visit } from "./page.ts";

const ASK_MS_MAX = 10_000;
const AGAIN = "Wait a minute and begin again on /login; a token lets you in now.";

/** Sends a person to the provider; what has to be known when they come back goes into their browser. */
export const beginSignIn: Page = {
  method: "GET",
  path: "/login/:provider",
  role: "none",
  title: "Sign in",
  handler: ({ access, signIns }, { params, query }) => {
    const provider = named(access.provider, params);
    if (provider === undefined) return undefined;
    const { address, sealed } = signIns.begin(provider, pathOnly(query["to"]));
    return { kind: "redirect", to: address, begun: sealed };
  },
};

/**
 * They come back: the state must be that of the sign-in begun in this very browser, once, and in time. Nobody who is a
 * stranger to the provider, or declined, gets further than this.
 */
export const finishSignIn: Page = {
  method: "GET",
  path: "/login/:provider/callback",
  role: "none",
  title: "Sign in",
  handler: async (web, visit) => {
    const { access, signIns } = web;
    const provider = named(access.provider, visit.params);
    if (provider === undefined) return undefined;
    const { state = "", code = "", error = "" } = visit.query;
    const begun = signIns.finish(visit.begun, state);
    if (begun === undefined)
      throw refusal("this sign-in was not begun in this browser, is too old or was used already");
    if (error !== "" || code === "") {
      throw refusal(`${provider.title} did not let you in: ${whyOf(error)}`);
    }
    const answer = { code, verifier: begun.verifier, returnTo: signIns.returnTo(provider) };
    const identity = await signIns.exchange(visit.caller, () =>
      ask(web, (signal) => access.identify(provider, answer, signal)),
    );
    if (identity === undefined) throw tooMany();
    if (!identity.ok) throw new Refused(identity.error.class === "transient" ? 503 : 403, identity.error);
    const { secret } = access.signIn(identity.value, visit.visitor.session);
    return { kind: "redirect", to: begun.to, session: secret, begun: "" };
  },
};

const named = (provider: SignInProvider | undefined, params: Visit["params"]): SignInProvider | undefined =>
  provider?.id === params["provider"] ? provider : undefined;

/** @source RFC 6749, 4.1.2.1 */
function whyOf(error: string): string {
  if (error === "access_denied") return "it was declined there";
  return error === "" ? "it sent no code" : `it says ${error.slice(0, 100)}`;
}

const tooMany = (): Refused =>
  new Refused(429, problem("TOO_MANY_TRIES", "too many sign-ins have failed in this minute", { hint: AGAIN }));

const refusal = (message: string): Refused => new Refused(403, problem("SIGN_IN_REFUSED", message));

async function ask<T>({ clock }: Web, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = clock.after(ASK_MS_MAX, () => late.abort());
  try {
    return await question(late.signal);
  } finally {
    timer.unsubscribe();
  }
}
