import { createHash } from "node:crypto";
import type { SignInProvider } from "../../src/engine/access/provider.ts";
import { problem } from "../../src/engine/errors.ts";
import type { Person } from "../../src/engine/refs.ts";
import { Secret } from "../../src/engine/secret.ts";
import { failure, success } from "../../src/term/output.ts";

/** A provider on the spot, as strict as a real one: a code is good once, with the verifier of its challenge. */
export class FakeProvider implements SignInProvider {
  readonly id = "github";
  readonly title = "GitHub";
  readonly teams = new Set<string>();
  reachable = true;
  exchanges = 0;
  readonly #codes = new Map<
    string,
    { readonly person: Person; readonly challenge: string; readonly returnTo: string }
  >();

  address(request: Parameters<SignInProvider["address"]>[0]): string {
    return `https://github.example/authorize?${new URLSearchParams({ ...request }).toString()}`;
  }

  /** Somebody agrees at the page that `address` names; the code that is sent back. */
  agree(address: string, person: Person): { readonly code: string; readonly state: string } {
    const fields = new URL(address).searchParams;
    const code = `code-${this.#codes.size}`;
    this.#codes.set(code, {
      person,
      challenge: fields.get("challenge") ?? "",
      returnTo: fields.get("returnTo") ?? "",
    });
    return { code, state: fields.get("state") ?? "" };
  }

  identify: SignInProvider["identify"] = async ({ code, verifier, returnTo }) => {
    this.exchanges += 1;
    if (!this.reachable) return failure(problem("SIGN_IN_UNREACHABLE", "GitHub does not answer: HTTP 502"));
    const given = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (given === undefined || given.challenge !== challenge || given.returnTo !== returnTo)
      return failure(problem("SIGN_IN_REFUSED", "GitHub says: the code is incorrect or expired"));
    return success({ person: given.person, credential: new Secret(`credential of ${given.person.login}`) });
  };

  inTeam: SignInProvider["inTeam"] = async ({ org, team }, { login }) => {
    if (!this.reachable) return failure(problem("SIGN_IN_UNREACHABLE", "GitHub does not answer: HTTP 502"));
    return success(this.teams.has(`${org}/${team} ${login}`));
  };
}
