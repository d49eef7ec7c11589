import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { millrace } from "../support/cli.ts";
import { folderWith, withWords } from "../support/pipeline-file.ts";

const PIPELINE = withWords(
  `export default deployer({ test: { repos: { "a/b": from(git("https://forge.example/a/b.git"), ` +
    `docker("Dockerfile", { live: publish("a/b:live") })) } } });\n`,
);

/** Serves with a file for a flag; what is said of it. */
async function said(flag: string, text: string, mode = 0o600): Promise<string> {
  const cwd = folderWith({ "pipeline.ts": PIPELINE, "its.file": text });
  chmodSync(join(cwd, "its.file"), mode);
  const { err } = await millrace(cwd, "serve", flag, "its.file");
  return err;
}

describe("a file about messages", () => {
  it.each([
    ["--slack", "no address"],
    ["--slack", "http://chat.example/hook"],
    ["--slack", ""],
    ["--webhook", "https://there.example/hook"],
    ["--webhook", "ftp://there.example\nsecret"],
    ["--mail", "smtps://mail.example\nme@example.org"],
    ["--mail", "https://mail.example\nme@example.org\nyou@example.org"],
    ["--mail", "smtps://user:pa%ss@mail.example\nme@example.org\nyou@example.org"],
    ["--mail", "smtps://us%er:pass@mail.example\nme@example.org\nyou@example.org"],
    ["--mail", "smtps://user:pa%ff@mail.example\nme@example.org\nyou@example.org"],
  ])("of %s that says %j is refused", async (flag, text) => {
    const told = await said(flag, text);
    expect(told).toMatch(/its\.file.*\n\s+Write the file as doc\/operating\.md says/s);
    expect(told).not.toMatch(/fault of Millrace|pa%/);
  });

  it("that others may read is refused, and what is in it is not said", async () => {
    const text = await said("--slack", "https://chat.example/services/very-secret", 0o644);
    expect(text).toMatch(/its\.file.*\n\s+Write the file as doc\/operating\.md says/s);
    expect(text).not.toContain("very-secret");
  });
});
