import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { oauthFile } from "../../src/app/oauth-file.ts";
import { folderWith } from "../support/pipeline-file.ts";

const GOOD = '{"client_id": "Iv1.0123", "client_secret": "a-secret-of-a-test"}';

const read = (text: string, mode = 0o600) => {
  const file = join(folderWith({}), "oauth.json");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return oauthFile(file);
};

test("the id is read, and the secret stays one", () => {
  const read1 = read(`${GOOD}\n`);
  expect(read1).toMatchObject({ ok: true, value: { clientId: "Iv1.0123" } });
  expect(JSON.stringify(read1)).not.toContain("a-secret-of-a-test");
});

test.each([
  [GOOD, 0o644, "may be read by others"],
  ["", 0o600, "is empty"],
  ["not json", 0o600, "client_id"],
  ["[]", 0o600, "client_id"],
  ['{"client_id": "x"}', 0o600, "client_secret"],
  ['{"client_id": 7, "client_secret": "y"}', 0o600, "client_id"],
  ['{"client_id": "", "client_secret": ""}', 0o600, "client_id"],
])("%j (mode %i) is refused: %s", (text, mode, words) => {
  const refused = read(text, mode);
  expect(refused).toMatchObject({ ok: false, error: { code: "OAUTH_FILE" } });
  expect(refused.ok ? "" : refused.error.message).toContain(words);
});

test("a file that is not there is named", () => {
  expect(oauthFile("/nowhere/oauth.json")).toMatchObject({ ok: false, error: { code: "OAUTH_FILE" } });
});
