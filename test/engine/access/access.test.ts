import { describe, expect, test } from "vitest";
import { Access, type AccessParts } from "../../../src/engine/access/access.ts";
import type { Identity, Standing } from "../../../src/engine/access/identity.ts";
import type { SignInProvider } from "../../../src/engine/access/provider.ts";
import type { Rules } from "../../../src/engine/access/rules.ts";
import { problem } from "../../../src/engine/errors.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { failure, success } from "../../../src/term/output.ts";
import { TestClock } from "../../../src/testing/index.ts";

const person = (id: number, login: string): Identity => ({ kind: "person", provider: "github", person: { id, login } });
const ann = person(7, "Ann");

/** A provider whose teams are moved by hand. */
function withTeams(rules: Rules, more: Partial<AccessParts> = {}) {
  const clock = new TestClock();
  const teams = new Set<string>();
  const state = { asked: 0, reachable: true };
  const provider: SignInProvider = {
    id: "github",
    title: "GitHub",
    address: () => "https://github.example/",
    identify: async ({ code }) =>
      success({ person: { id: 7, login: code }, credential: new Secret("credential-of-a-test") }),
    inTeam: async ({ org, team }, { login }) => {
      state.asked += 1;
      if (!state.reachable) return failure(problem("SIGN_IN_UNREACHABLE", "GitHub does not answer: HTTP 502"));
      return success(teams.has(`${org}/${team} ${login}`));
    },
  };
  const notes: string[] = [];
  const audit = (...entry: readonly string[]): void => void notes.push(entry.join(" | "));
  const access = new Access({ clock, token: new Secret("the-acting-token"), rules, provider, audit, ...more });
  const roleOf = async (identity: Identity): Promise<string> => {
    const { role, services, doubt } = await access.grantOf(identity);
    return [role, ...(services ?? []), ...(doubt === undefined ? [] : [`? ${doubt}`])].join(" ");
  };
  return { clock, access, teams, state, roleOf, notes };
}

const rules = (admins: readonly string[], ...builders: Rules["builders"]): Rules => ({ admins, builders });

describe("what people may do", () => {
  test.each([
    [["github:ann"], [], "admin"],
    [["github:ANN"], [], "admin"],
    [["github:ann#7"], [], "admin"],
    [["github:renamed#7"], [], "admin"],
    [["github:ann#8"], [], "viewer"],
    [["gitlab:ann"], [], "viewer"],
    [["github:annette", "github:an"], [], "viewer"],
    [["github:acme/ann"], [], "viewer"],
    [[], [{ who: "github:ann" }], "builder"],
    [
      [],
      [
        { who: "github:ann", services: ["a"] },
        { who: "github:ann", services: ["b"] },
      ],
      "builder a b",
    ],
    [[], [{ who: "github:ann", services: ["a"] }, { who: "github:ann" }], "builder"],
    [["github:ann"], [{ who: "github:ann", services: ["a"] }], "admin"],
    [["nonsense", "github:"], [{ who: "" }], "viewer"],
  ] as const)("admins %j, builders %j: %s", async (admins, builders, role) => {
    expect(await withTeams({ admins, builders }).roleOf(ann)).toBe(role);
  });

  test("teams add to it, and are asked for only where they could", async () => {
    const { teams, roleOf, state } = withTeams(
      rules(
        ["github:acme/admins", "github:bob"],
        { who: "github:acme/ops", services: ["shop"] },
        { who: "github:acme/dev" },
      ),
    );
    teams.add("acme/ops Ann");
    expect(await roleOf(ann)).toBe("builder shop");
    expect(state.asked).toBe(3);
    teams.add("acme/admins eve");
    expect(await roleOf(person(9, "eve"))).toBe("admin");
    expect(state.asked).toBe(4);
    expect(await roleOf(person(1, "bob"))).toBe("admin");
    expect(state.asked).toBe(4);
  });

  test.each([
    ["anyone", "viewer", "viewer"],
    ["signed-in", "none", "viewer"],
    ["named", "none", "none"],
  ] as const)("where %s may read, others are %s, and %s once signed in", async (readers, anonymous, signedIn) => {
    const named = { ...rules([], { who: "github:bob" }), viewers: ["github:carl", "github:acme/all"] };
    const { access, teams, state, roleOf } = withTeams(named, { readers });
    teams.add("acme/all Ann");
    expect(access.anonymous.role).toBe(anonymous);
    const people = [ann, person(1, "bob"), person(2, "carl"), person(3, "eve")];
    expect(await Promise.all(people.map(roleOf))).toEqual(["viewer", "builder", "viewer", signedIn]);
    expect(state.asked).toBe(readers === "named" ? 2 : 0);
  });

  test("who may read is not guessed when teams cannot be asked for", async () => {
    const { state, roleOf } = withTeams({ ...rules([]), viewers: ["github:acme/all"] }, { readers: "named" });
    state.reachable = false;
    expect(await roleOf(ann)).toBe("none ? GitHub does not answer: HTTP 502");
  });

  test("a right that is taken away is gone within a minute, a new one seen in that time", async () => {
    const { clock, teams, roleOf, state } = withTeams(rules(["github:acme/admins"]));
    teams.add("acme/admins Ann");
    expect(await roleOf(ann)).toBe("admin");
    teams.clear();
    await clock.advance(59_999);
    expect([await roleOf(ann), state.asked]).toEqual(["admin", 1]);
    await clock.advance(1);
    expect([await roleOf(ann), state.asked]).toEqual(["viewer", 2]);
  });

  test("what cannot be found out is not granted, and asked again soon", async () => {
    const { clock, teams, roleOf, state } = withTeams(rules(["github:acme/admins"], { who: "github:ann" }));
    teams.add("acme/admins Ann");
    state.reachable = false;
    expect(await roleOf(ann)).toBe("builder ? GitHub does not answer: HTTP 502");
    state.reachable = true;
    await clock.advance(9_999);
    expect(await roleOf(ann)).toContain("?");
    await clock.advance(1);
    expect(await roleOf(ann)).toBe("admin");
  });

  test("signing in anew asks anew", async () => {
    const { access, teams, roleOf } = withTeams(rules(["github:acme/admins"]));
    expect(await roleOf(ann)).toBe("viewer");
    teams.add("acme/admins Ann");
    const { provider } = access;
    if (provider === undefined) throw new Error("no provider");
    const answer = { code: "Ann", verifier: "", returnTo: "" };
    expect(await access.identify(provider, answer, new AbortController().signal)).toMatchObject({ ok: true });
    expect(await roleOf(ann)).toBe("admin");
  });
});

describe("while the provider hangs", () => {
  type Asked = Awaited<ReturnType<SignInProvider["inTeam"]>> | undefined;
  const TEAMS = rules(["github:acme/ops", "github:acme/leads"], { who: "github:acme/devs" });
  /** A provider that answers about a team as told, or not at all. */
  function hanging(answers: (team: string) => Asked, more: Partial<AccessParts> = {}, given = TEAMS) {
    const { provider } = withTeams(rules([])).access;
    if (provider === undefined) throw new Error("no provider");
    const asked: string[] = [];
    const own: SignInProvider = {
      ...provider,
      inTeam: async ({ team }) => {
        asked.push(team);
        return answers(team) ?? new Promise(() => {});
      },
    };
    const { access, clock } = withTeams(given, { provider: own, ...more });
    /** What somebody may do, and after how long that is said. */
    const timed = async (needed?: Standing): Promise<string> => {
      const begun = clock.elapsed();
      const said: string[] = [];
      void access.grantOf(ann, needed).then(({ role, doubt }) => {
        said.push(`${role} after ${clock.elapsed() - begun} ms${doubt === undefined ? "" : `? ${doubt}`}`);
      });
      for (let count = 0; count < 200 && said.length === 0; count += 1) await clock.advance(count === 0 ? 0 : 100);
      return said[0] ?? "never";
    };
    return { asked, clock, timed };
  }

  test("an act waits once, for all teams together, and what came of it counts from the answer", async () => {
    const { asked, clock, timed } = hanging(() => undefined);
    const late = "viewer after 5000 ms? GitHub does not answer";
    expect([await timed(), asked.splice(0)]).toEqual([late, ["ops", "leads"]]);
    await clock.advance(9_999);
    expect([await timed(), asked]).toEqual(["viewer after 0 ms? GitHub does not answer", []]);
    await clock.advance(1);
    expect([await timed(), asked]).toEqual([late, ["ops", "leads"]]);
  });

  test("who is unreachable about one team is waited for about no other", async () => {
    const down = failure(problem("SIGN_IN_UNREACHABLE", "GitHub does not answer: HTTP 502"));
    const { asked, timed } = hanging((team) => (team === "leads" ? down : undefined));
    expect(await timed()).toMatch(/^viewer after 0 ms\? GitHub does not answer/);
    expect(asked).toEqual(["ops", "leads"]);
  });

  test("an organisation that nobody answers about hides nothing of another, and is asked about no more", async () => {
    const down = failure(problem("SIGN_IN_UNREACHABLE", "GitHub does not answer: HTTP 502"));
    const given = rules(["github:acme/ops"], { who: "github:ACME/late" }, { who: "github:umbra/devs" });
    const { asked, timed } = hanging((team) => (team === "devs" ? success(true) : down), {}, given);
    expect(await timed()).toBe("builder after 0 ms? GitHub does not answer: HTTP 502");
    expect(asked).toEqual(["ops", "devs"]);
  });

  test("one team that nobody may ask about hides no other", async () => {
    const refused = failure(problem("SIGN_IN_REFUSED", "sign in again"));
    const { timed } = hanging((team) => (team === "ops" ? refused : success(team === "devs")));
    expect(await timed()).toBe("builder after 0 ms? sign in again");
  });

  test("reading waits a second at most, and not at all when the last question had no answer", async () => {
    const { clock, timed } = hanging(() => undefined);
    expect(await timed("viewer")).toBe("viewer after 1000 ms? GitHub has not answered yet");
    await clock.advance(4_000);
    expect(await timed("viewer")).toBe("viewer after 0 ms? GitHub does not answer");
    await clock.advance(60_000);
    expect(await timed("viewer")).toBe("viewer after 0 ms? GitHub does not answer");
    expect(await timed("builder")).toBe("viewer after 5000 ms? GitHub does not answer");
  });

  test("a page shows what they could do a minute ago; an act does not go by it", async () => {
    let hangs = false;
    const { clock, timed } = hanging((team) => (hangs ? undefined : success(team === "leads")));
    expect(await timed("viewer")).toBe("admin after 0 ms");
    hangs = true;
    await clock.advance(60_000);
    expect(await timed("viewer")).toBe("admin after 1000 ms");
    expect(await timed("builder")).toBe("viewer after 4000 ms? GitHub does not answer");
  });

  test("reading waits for the answer where teams decide on it", async () => {
    const { timed } = hanging(() => undefined, { readers: "named" });
    expect(await timed("viewer")).toBe("none after 5000 ms? GitHub does not answer");
  });
});

test("however many sign in, only those who did so first have to do so again", async () => {
  const { provider } = withTeams(rules([])).access;
  if (provider === undefined) throw new Error("no provider");
  const admitted = { ...rules(["github:acme/ops"]) };
  const own: SignInProvider = {
    ...provider,
    identify: async ({ code }) =>
      success({ person: { id: Number(code), login: `p${code}` }, credential: new Secret(`of ${code}`) }),
    inTeam: async (_team, { id }, credential) => success(credential?.reveal() === `of ${id}`),
  };
  const { access, roleOf } = withTeams(admitted, { provider: own });
  const signIn = (id: number) =>
    access.identify(own, { code: String(id), verifier: "", returnTo: "" }, new AbortController().signal);
  for (let id = 1; id <= 1_000; id += 1) await signIn(id);
  for (const id of [2, 1_001, 1_002]) await signIn(id); // 2 once more: one of the newest now
  const people = [1, 2, 3, 4, 1_002].map((id) => person(id, `p${id}`));
  expect(await Promise.all(people.map(roleOf))).toEqual(["viewer", "admin", "viewer", "admin", "admin"]);
});

describe("tokens and the sessions that they open", () => {
  test("the acting token is admin; another one ends the sessions of the old one", async () => {
    const rows: Parameters<NonNullable<AccessParts["keeper"]>["sessions"]["put"]>[0][] = [];
    const keeper: AccessParts["keeper"] = {
      sessions: { load: () => rows, put: async (row) => void rows.push(row) },
      tokens: { load: () => [], put: async () => {} },
    };
    const { access, roleOf } = withTeams(rules([]), { keeper });
    const identity = access.identityOfToken("the-acting-token");
    if (identity === undefined) throw new Error("refused");
    expect(await roleOf(identity)).toBe("admin");
    const { secret } = access.signIn(identity);
    const restarted = withTeams(rules([]), { keeper }).access;
    expect(restarted.sessionOf(secret)?.identity).toEqual(identity);
    const other = withTeams(rules([]), { keeper, token: new Secret("another-token") }).access;
    expect(other.sessionOf(secret)).toBeUndefined();
    expect(access.identityOfToken("the-acting-toke")).toBeUndefined();
  });

  test("a revoked token ends what it opened", async () => {
    const { access, roleOf } = withTeams(rules([]));
    const made = await access.tokens.create({ name: "ci", role: "builder", services: ["shop"], createdBy: "token" });
    const identity = made.ok ? access.identityOfToken(made.value.token) : undefined;
    if (identity === undefined) throw new Error("refused");
    expect(await roleOf(identity)).toBe("builder shop");
    const { secret } = access.signIn(identity);
    await access.tokens.revoke("ci");
    expect(access.sessionOf(secret)).toBeUndefined();
    expect(await roleOf(identity)).toBe("viewer");
  });

  test("a person's session is worth nothing without the provider", () => {
    const rows: Parameters<NonNullable<AccessParts["keeper"]>["sessions"]["put"]>[0][] = [];
    const keeper: AccessParts["keeper"] = {
      sessions: { load: () => rows, put: async (row) => void rows.push(row) },
      tokens: { load: () => [], put: async () => {} },
    };
    const { secret } = withTeams(rules(["github:ann"]), { keeper }).access.signIn(ann);
    const without = new Access({ clock: new TestClock(), token: new Secret("the-acting-token"), keeper });
    expect(without.sessionOf(secret)).toBeUndefined();
  });
});

describe("the audit log", () => {
  test("has who signed in and out, and sixty refusals an hour of one person at most", async () => {
    const { access, notes, clock } = withTeams(rules([]));
    const { session } = access.signIn(ann);
    await access.signOut(session);
    expect(notes.splice(0)).toEqual([
      "github:Ann#7 | sign-in | github:Ann#7 | ",
      "github:Ann#7 | sign-out | github:Ann#7 | ",
    ]);
    for (let count = 0; count < 70; count += 1) access.refused(ann, "POST /job", "only an administrator can do this");
    access.refused(person(8, "bob"), "POST /job", "no");
    expect(notes.filter((note) => note.startsWith("github:Ann"))).toHaveLength(60);
    expect(notes.at(-1)).toBe("github:bob#8 | refused | POST /job | no");
    await clock.advance(60 * 60_000);
    access.refused(ann, "POST /job", "no");
    expect(notes.at(-2)).toBe("github:Ann#7 | refused | POST /job | 10 more within the hour");
    expect(notes.at(-1)).toBe("github:Ann#7 | refused | POST /job | no");
  });
  test("has sixty sign-ins and sign-outs an hour of one person at most", async () => {
    const { access, notes } = withTeams(rules([]));
    for (let count = 0; count < 70; count += 1) await access.signOut(access.signIn(ann).session);
    access.signIn(person(8, "bob"));
    const kinds = notes.map((note) => note.split(" | ").slice(0, 2).join(" "));
    expect(kinds.filter((kind) => kind === "github:Ann#7 sign-in")).toHaveLength(60);
    expect(kinds.filter((kind) => kind === "github:Ann#7 sign-out")).toHaveLength(60);
    expect(kinds.at(-1)).toBe("github:bob#8 sign-in");
  });
  test("has sixty of an hour who end all their own sessions; what an administrator ends is all there", async () => {
    const { access, notes } = withTeams(rules([]));
    for (let count = 0; count < 70; count += 1) await access.endSessions("github:Ann#7", "github:Ann#7");
    expect(notes.splice(0)).toHaveLength(60);
    for (let count = 0; count < 70; count += 1) await access.endSessions("github:Ann#7", "token");
    expect(notes).toHaveLength(70);
  });
});
