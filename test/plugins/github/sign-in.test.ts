import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SignInProvider } from "../../../src/engine/access/provider.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { githubSignIn } from "../../../src/plugins/github/index.ts";
import { FakeGitHub } from "../../../src/testing/fake-github/index.ts";
import { clientOf } from "../../support/github.ts";

const RETURN = "https://deploy.example/login/github/callback";
const VERIFIER = "verifier-that-only-this-browser-knows";
const never = new AbortController().signal;
const challenge = createHash("sha256").update(VERIFIER).digest("base64url");

let fake: FakeGitHub;
let provider: SignInProvider;

beforeAll(async () => {
  fake = await FakeGitHub.start();
  fake.oauth.callbacks = [RETURN];
  provider = providerOf({});
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.heal();
  fake.oauth.person = fake.user("ann");
});

const providerOf = (more: { readonly secret?: string; readonly teams?: boolean; readonly api?: string }) =>
  githubSignIn({
    clientId: fake.app.clientId,
    clientSecret: new Secret(more.secret ?? fake.app.clientSecret),
    api: new URL(more.api ?? fake.apiUrl),
    teams: more.teams ?? false,
  });

/** What a browser comes back with. */
async function agree(): Promise<URLSearchParams> {
  const address = provider.address({ state: "state-1", challenge, returnTo: RETURN });
  const reply = await fetch(address, { redirect: "manual" });
  return new URL(reply.headers.get("location") ?? "").searchParams;
}

const identify = async (
  more: { readonly verifier?: string; readonly code?: string; readonly by?: SignInProvider } = {},
) => {
  const code = more.code ?? (await agree()).get("code") ?? "";
  return (more.by ?? provider).identify({ code, verifier: more.verifier ?? VERIFIER, returnTo: RETURN }, never);
};

describe("signing in with GitHub", () => {
  test("gives who it is, by number and name", async () => {
    const fields = await agree();
    expect(fields.get("state")).toBe("state-1");
    const known = await identify({ code: fields.get("code") ?? "" });
    expect(known).toMatchObject({ ok: true, value: { person: { id: fake.user("ann").id, login: "ann" } } });
    expect(JSON.stringify(known)).toContain("‹secret›");
  });

  test("asks for nothing but teams, and only when teams are named", () => {
    const request = { state: "s", challenge, returnTo: RETURN };
    expect(new URL(provider.address(request)).searchParams.has("scope")).toBe(false);
    const fields = new URL(providerOf({ teams: true }).address(request)).searchParams;
    expect([fields.get("scope"), fields.get("code_challenge_method")]).toEqual(["read:org", "S256"]);
    const enterprise = providerOf({ api: "https://github.example/api/v3" }).address(request);
    expect(enterprise).toMatch(/^https:\/\/github\.example\/login\/oauth\/authorize\?/);
    const plain = githubSignIn({ clientId: "x", clientSecret: new Secret("y-secret"), teams: false }).address(request);
    expect(plain).toMatch(/^https:\/\/github\.com\/login\/oauth\/authorize\?/);
  });

  test("refuses a code that is used, made up, or not for this verifier, and a secret that is not ours", async () => {
    const code = (await agree()).get("code") ?? "";
    expect(await identify({ code })).toMatchObject({ ok: true });
    const wrong = [
      await identify({ code }),
      await identify({ code: "made-up" }),
      await identify({ verifier: "of-another-browser" }),
      await identify({ by: providerOf({ secret: "not-our-secret" }) }),
    ];
    for (const one of wrong)
      expect(one).toMatchObject({ ok: false, error: { code: "SIGN_IN_REFUSED", class: "failed" } });
    expect(JSON.stringify(wrong)).not.toContain("not-our-secret");
  });

  test("a person who declines comes back without a code", async () => {
    fake.oauth.person = undefined;
    const fields = await agree();
    expect([fields.get("code"), fields.get("error")]).toEqual([null, "access_denied"]);
  });

  test("an outage is no refusal", async () => {
    const code = (await agree()).get("code") ?? "";
    for (const mishap of [
      { does: "status", status: 502 },
      { does: "cut" },
      { does: "redirect", to: fake.url },
    ] as const) {
      fake.mishap({ mishap });
      expect(await identify({ code })).toMatchObject({ ok: false, error: { code: "SIGN_IN_UNREACHABLE" } });
    }
    const nowhere = providerOf({ api: "http://127.0.0.1:9/api/v3" });
    expect(await identify({ code, by: nowhere })).toMatchObject({ ok: false, error: { class: "transient" } });
  });
});

describe("teams", () => {
  test("are asked for at each look, with the person's own credential", async () => {
    const known = await identify();
    if (!known.ok) throw new Error(known.error.message);
    const { person, credential } = known.value;
    const team = { org: "acme", team: "Ops" };
    const asked = () => provider.inTeam(team, person, credential, never);
    fake.team("acme/ops", ["bob"]);
    expect(await asked()).toEqual({ ok: true, value: false });
    fake.invite("acme/ops", "ann"); // who has not agreed is not in it
    expect(await asked()).toEqual({ ok: true, value: false });
    fake.team("acme/ops", ["bob", "ann"]);
    expect(await asked()).toEqual({ ok: true, value: true });
    expect(await provider.inTeam({ org: "acme", team: "none" }, person, credential, never)).toMatchObject({
      value: false,
    });
    expect(await provider.inTeam({ org: "nobody", team: "ops" }, person, credential, never)).toMatchObject({
      value: false,
    });
  });

  test("are those of the person, not of whoever has their former name", async () => {
    const known = await identify();
    if (!known.ok) throw new Error(known.error.message);
    const { person, credential } = known.value;
    fake.team("acme/heirs", ["bob"]);
    const heirs = { org: "acme", team: "heirs" };
    expect(await provider.inTeam(heirs, { id: person.id, login: "bob" }, credential, never)).toEqual({
      ok: true,
      value: false,
    });
    const other = await provider.inTeam(heirs, { id: fake.user("bob").id, login: "bob" }, credential, never);
    expect(other).toMatchObject({ ok: false, error: { code: "SIGN_IN_REFUSED" } });
  });

  test("are not known without a credential, or with one that is over", async () => {
    const person = { id: fake.user("ann").id, login: "ann" };
    const team = { org: "acme", team: "ops" };
    const without = await provider.inTeam(team, person, undefined, never);
    expect(without).toMatchObject({ ok: false, error: { code: "SIGN_IN_REFUSED" } });
    const over = await provider.inTeam(team, person, new Secret("ghu_that-is-over"), never);
    expect(over).toMatchObject({ ok: false, error: { code: "SIGN_IN_REFUSED" } });
    expect(over.ok ? "" : over.error.message).toContain("sign in again");
  });
});

describe("teams, as the app sees them", () => {
  const ops = { org: "widgets", team: "Ops" };
  const over = new Secret("ghu_that-is-over");
  const asApp = (): SignInProvider => {
    const github = clientOf(fake);
    const client = { clientId: fake.app.clientId, clientSecret: new Secret(fake.app.clientSecret) };
    return githubSignIn({ ...client, api: new URL(fake.apiUrl), teams: true, app: github });
  };
  const ann = () => ({ id: fake.user("ann").id, login: "ann" });

  test("are known when a person's own credential is over, or was lost in a restart", async () => {
    fake.install("widgets", { permissions: { metadata: "read", members: "read" } });
    fake.team("widgets/ops", ["ann"]);
    const provider = asApp();
    for (const credential of [undefined, over])
      expect(await provider.inTeam(ops, ann(), credential, never)).toEqual({ ok: true, value: true });
    const bob = { id: fake.user("bob").id, login: "ann" }; // has taken her former name
    expect(await provider.inTeam(ops, bob, undefined, never)).toEqual({ ok: true, value: false });
    expect(await provider.inTeam(ops, { id: 987_654, login: "ann" }, undefined, never)).toMatchObject({ value: false });
    fake.invite("widgets/ops", "bob");
    expect(await provider.inTeam(ops, bob, undefined, never)).toEqual({ ok: true, value: false });
    fake.team("widgets/ops", []);
    expect(await provider.inTeam(ops, ann(), undefined, never)).toEqual({ ok: true, value: false });
    fake.team("widgets/ops", ["ann"]);
    fake.expireTokens();
    expect(await provider.inTeam(ops, ann(), undefined, never)).toEqual({ ok: true, value: true });
  });

  test.each([
    ["may not read members", () => fake.install("gadgets", { permissions: { metadata: "read" } }), "gadgets"],
    ["is not installed", () => {}, "elsewhere"],
  ])("where it %s, are asked for with the person's credential", async (_what, install, org) => {
    install();
    fake.team(`${org}/ops`, ["ann"]);
    const team = { org, team: "ops" };
    const own = new Secret(fake.userToken("ann"));
    expect(await asApp().inTeam(team, ann(), own, never)).toEqual({ ok: true, value: true });
    const lost = await asApp().inTeam(team, ann(), undefined, never);
    expect(lost).toMatchObject({ ok: false, error: { code: "SIGN_IN_REFUSED" } });
    expect(lost.ok ? "" : lost.error.message).toContain("started anew since you signed in; ");
  });

  test("are not known while GitHub is out of reach", async () => {
    fake.mishap({ mishap: { does: "status", status: 502 }, times: 100 });
    expect(await asApp().inTeam(ops, ann(), undefined, never)).toMatchObject({ error: { class: "transient" } });
  });
});

test("GitHub would have it so", () => {
  expect(fake.violations).toEqual([]);
});
