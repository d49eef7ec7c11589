import { expect, test } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { Secret } from "../../src/engine/secret.ts";
import { TestClock } from "../../src/testing/index.ts";
import { busyDay } from "../support/scene.ts";
import { FakeProvider } from "../support/sign-in.ts";
import { injectable, TOKEN } from "../support/web.ts";

test("while the provider hangs pages are shown; what not everybody may see waits for the answer", async () => {
  const clock = new TestClock();
  const provider = new FakeProvider();
  provider.inTeam = () => new Promise(() => {});
  const rules = { admins: ["github:acme/ops"], builders: [] };
  const access = new Access({ clock, token: new Secret(TOKEN), rules, provider });
  const { app } = await injectable(busyDay(clock.now()), clock, { access });
  const { secret } = access.signIn({ kind: "person", provider: "github", person: { id: 7, login: "ann" } });
  const answered: string[] = [];
  const asked = ["/jobs", "/audit"].map(async (url) => {
    const { statusCode } = await app.inject({ url, headers: { cookie: `millrace=${secret}` } });
    answered.push(`${url} ${statusCode}`);
  });
  const begun = clock.elapsed();
  while (answered.length === 0 && clock.elapsed() - begun < 4_900) {
    await clock.advance(10);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(answered).toEqual(["/jobs 200"]);
  await clock.advance(5_000);
  await Promise.all(asked);
  await app.close();
  expect(answered).toEqual(["/jobs 200", "/audit 403"]);
});
