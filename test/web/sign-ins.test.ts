import { expect, test } from "vitest";
import { TestClock } from "../../src/testing/index.ts";
import { SignIns } from "../../src/web/sign-ins.ts";
import { FakeProvider } from "../support/sign-in.ts";

test("strangers who come back in thousands lock nobody out", () => {
  const signIns = new SignIns(new TestClock(), "https://deploy.example", true);
  const provider = new FakeProvider();
  const begun = () => {
    const { address, sealed } = signIns.begin(provider, "/jobs");
    return { sealed, state: new URL(address).searchParams.get("state") ?? "" };
  };
  for (let count = 0; count < 10_001; count += 1) {
    const { sealed, state } = begun();
    signIns.finish(sealed, state);
  }
  const mine = begun();
  expect(signIns.finish(mine.sealed, mine.state)).toMatchObject({ to: "/jobs", state: mine.state });
  expect(signIns.finish(mine.sealed, mine.state)).toBeUndefined();
});
