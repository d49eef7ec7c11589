import { describe, expect, it } from "vitest";
import { parseCredentials } from "../../../src/plugins/registry/credentials.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the credentials file", () => {
  it("holds base64 pairs and plain ones; Docker Hub goes by its name in images", () => {
    const text = JSON.stringify({
      auths: {
        "https://index.docker.io/v1/": { auth: base64("ada:pa:ss") },
        "ghcr.io": { username: "bob", password: "s3cret" },
        "kept.elsewhere": {},
      },
      credsStore: "desktop",
    });
    const parsed = parseCredentials(text, "auth.json");
    if (!parsed.ok) throw new Error(parsed.error.message);
    expect([...parsed.value].map(([host, { username, password }]) => [host, username, password.reveal()])).toEqual([
      ["docker.io", "ada", "pa:ss"],
      ["ghcr.io", "bob", "s3cret"],
    ]);
    expect(JSON.stringify([...parsed.value])).not.toContain("s3cret");
  });

  it.each([
    ["", "is not JSON"],
    ["[1,", "is not JSON"],
    ["[]", 'has no object "auths"'],
    ['{"auths": null}', 'has no object "auths"'],
    ['{"auths": {"r.example": {"auth": "%%"}}}', '"r.example"'],
    [`{"auths": {"r.example": {"auth": "${base64("no-colon-hush")}"}}}`, '"r.example"'],
    ['{"auths": {"r.example": {"username": "ada", "password": 5}}}', '"r.example"'],
    ['{"auths": {"r.example": 5}}', '"r.example"'],
  ])("refuses %j and names the place, not the value", (text, expected) => {
    const parsed = parseCredentials(text, "auth.json");
    expect(parsed).toMatchObject({ ok: false, error: { code: "CREDENTIALS_FILE" } });
    const message = parsed.ok ? "" : parsed.error.message;
    expect(message).toContain("auth.json");
    expect(message).toContain(expected);
    expect(message).not.toContain("hush");
  });
});
