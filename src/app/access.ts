import { Access } from "../engine/access/access.ts";
import type { Readers } from "../engine/access/identity.ts";
import type { Engine } from "../engine/engine.ts";
import type { Secret } from "../engine/secret.ts";
import type { Write } from "../engine/store/store.ts";
import type { Flavour } from "../pipeline/types.ts";
import { type GitHub, githubSignIn } from "../plugins/github/index.ts";
import type { GitHubAccess, OAuthClient } from "./options.ts";

export interface AccessOptions {
  readonly engine: Engine;
  readonly token: Secret;
  readonly flavour: Flavour | undefined;
  readonly github: GitHubAccess;
  /** How people sign in with GitHub; without it only tokens do. */
  readonly oauth?: OAuthClient;
  readonly readers?: Readers;
  /** GitHub as its app sees it. */
  readonly forge?: Pick<GitHub, "inTeam">;
}

/** Who may do what, with everything that has to outlive the process in the store. */
export function accessOf({ engine, token, flavour, github, oauth, readers = "anyone", forge }: AccessOptions): Access {
  const { admins = [], builders = [], viewers = [] } = flavour ?? {};
  const rules = {
    admins,
    viewers,
    builders: builders.map((builder) => (typeof builder === "string" ? { who: builder } : builder)),
  };
  const { journal, store, clock, audit } = engine;
  // a full disk must not keep a person waiting who signs out: then it is written when there is room
  const save = (write: Write): Promise<void> => {
    if (!journal.blocked) return journal.save(write);
    journal.note(write);
    return Promise.resolve();
  };
  const app = forge === undefined ? {} : { app: forge };
  const api = github.api === undefined ? {} : { api: github.api };
  const teams = [...admins, ...viewers, ...rules.builders.map(({ who }) => who)].some((who) => who.includes("/"));
  return new Access({
    clock,
    token,
    rules,
    readers,
    ...(oauth === undefined ? {} : { provider: githubSignIn({ ...oauth, ...api, ...app, teams }) }),
    keeper: {
      sessions: { load: () => store.queries.sessions(), put: (row) => save({ put: "session", row }) },
      tokens: { load: () => store.queries.apiTokens(), put: (row) => save({ put: "apiToken", row }) },
    },
    audit: (who, what, subject, detail) => audit.note(who, what, subject, detail),
  });
}
