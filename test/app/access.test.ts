// Who may do what, put together as a server does it: rules of a flavour, everything else in the store.
import { expect, test } from "vitest";
import { type AccessOptions, accessOf } from "../../src/app/access.ts";
import type { Identity } from "../../src/engine/access/identity.ts";
import { Secret } from "../../src/engine/secret.ts";
import type { GitHub } from "../../src/plugins/github/index.ts";
import { success } from "../../src/term/output.ts";
import { createRig, type Rig } from "../../src/testing/index.ts";

const ann: Identity = { kind: "person", provider: "github", person: { id: 7, login: "ann" } };
const oauth = { clientId: "Iv1.0123", clientSecret: new Secret("a-client-secret") };

const open = ({ engine }: Rig, team = false, more: Partial<AccessOptions> = {}) =>
  accessOf({
    engine,
    token: new Secret("the-acting-token"),
    flavour: {
      admins: ["github:eve"],
      builders: ["github:bob", { who: team ? "github:acme/ops" : "github:ann", services: ["shop_web"] }],
      repos: {},
    },
    github: { api: new URL("https://github.example/api/v3") },
    oauth,
    ...more,
  });

test("sessions, tokens and the audit log outlive the process; rights come from the flavour", async () => {
  const rig = createRig();
  const first = open(rig);
  const { secret } = first.signIn(ann);
  const made = await first.tokens.create({ name: "ci", role: "builder", createdBy: "github:eve" });
  first.refused(ann, "POST /confirm", "only an administrator can do this");
  await rig.store.flush();
  const second = open(await rig.restart());
  const session = second.sessionOf(secret);
  expect(session?.identity).toEqual(ann);
  expect(await second.grantOf(ann)).toEqual({ role: "builder", services: new Set(["shop_web"]) });
  expect(second.identityOfToken(made.ok ? made.value.token : "")).toMatchObject({ kind: "token", name: "ci" });
  expect(rig.store.queries.audit(10).map(({ who, what }) => `${who} ${what}`)).toEqual([
    "github:ann#7 refused",
    "github:ann#7 sign-in",
  ]);
});

test("a team is asked for as the app, also when nothing is known of how its people signed in", async () => {
  const asked: unknown[] = [];
  const inTeam = async (...[team, user]: Parameters<GitHub["inTeam"]>) => {
    asked.push({ ...team, user });
    return success(true);
  };
  const access = open(createRig(), true, { forge: { inTeam } });
  expect(await access.grantOf(ann)).toEqual({ role: "builder", services: new Set(["shop_web"]) });
  expect(asked).toEqual([{ org: "acme", team: "ops", user: 7 }]);
  expect(await open(createRig(), true).grantOf(ann)).toMatchObject({ role: "viewer" });
});

test("people are sent to the site that belongs to the API, and asked for teams only where teams are named", () => {
  const request = { state: "s", challenge: "c", returnTo: "https://deploy.example/login/github/callback" };
  const [without, with_] = [false, true].map((team) => open(createRig(), team).provider?.address(request) ?? "");
  expect(without).toMatch(/^https:\/\/github\.example\/login\/oauth\/authorize\?client_id=Iv1\.0123&/);
  expect([without?.includes("scope"), with_?.includes("scope=read%3Aorg")]).toEqual([false, true]);
});
