import { describe, expect, it } from "vitest";
import { remoteAdds } from "../../../src/plugins/docker/remote-adds.ts";

const found = (text: string): string =>
  remoteAdds(text)
    .map(({ source, where }) => `${where} ${source}`)
    .join(", ");

describe("what a Dockerfile asks the engine to fetch", () => {
  it.each([
    ["ADD https://example.com/a.tgz /", "outside https://example.com/a.tgz"],
    ["add --checksum=sha256:1 --chown=1 HTTP://Example.com/a b c/", "outside HTTP://Example.com/a"],
    ["ADD git@example.com:a/b.git /", "outside git@example.com:a/b.git"],
    ["ADD a https://1.1.1.1/b /", "outside https://1.1.1.1/b"],
    ["\uFEFFADD http://169.254.169.254/latest /x", "inside http://169.254.169.254/latest"],
    ["ADD http://0x7f.1/ /", "inside http://0x7f.1/"],
    ["ADD http://2852039166/ /", "inside http://2852039166/"],
    ["ADD http://[::ffff:169.254.169.254]/ /", "inside http://[::ffff:169.254.169.254]/"],
    ["ADD http://[fe80::1%25eth0]/ /", "inside http://[fe80::1%25eth0]/"],
    ["ADD http://[fd00::1]/ /", "inside http://[fd00::1]/"],
    ["ADD http://user@10.1.2.3:80/ /", "inside http://user@10.1.2.3:80/"],
    ["ADD https://metadata.google.internal./x /", "inside https://metadata.google.internal./x"],
    ["ADD http://localhost:2375/ /", "inside http://localhost:2375/"],
    ["ADD http://a.localhost./ /", "inside http://a.localhost./"],
    ["ADD http://registry.internal/ /", "outside http://registry.internal/"],
    ["ADD ssh://git@172.16.0.1/a /", "inside ssh://git@172.16.0.1/a"],
    ["ADD git@192.168.1.1:a.git /", "inside git@192.168.1.1:a.git"],
    ['ADD ["http://127.0.0.1/", "/x"]', "inside http://127.0.0.1/"],
    ['ADD ["\\u0068ttp://127.0.0.1/", "/x"] junk', "inside http://127.0.0.1/"],
    ['ADD h"tt"p://127.0.0.1/ /', 'inside h"tt"p://127.0.0.1/'],
    ["ADD h\\ttp://127.0.0.1/ /", "inside h\\ttp://127.0.0.1/"],
    ["ONBUILD ADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["ONBU\u0130LD add http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["  A\\\nDD \\\n# no\n\n ht\\  \ntp://127.0.0.1/ \\\n /", "inside http://127.0.0.1/"],
    ["# escape=`\nA`\nDD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["RUN echo a\\\\\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["ADD \\\\\nhttp://127.0.0.1/ /", "inside \\http://127.0.0.1/"],
    ["RUN cat <<'E\\'\nx\nE\\\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["RUN a\\\r\r\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["RUN a\\\n \t# b\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["RUN a\\\n\uFEFF\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["RUN a\\\n\uFEFF# b\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    ["COPY <\\\n<'E\\' /z\nx\nE\\\nADD http://127.0.0.1/ /", "inside http://127.0.0.1/"],
    [`COPY <<'E\\' /z\nx\nE\\\nA\\\n${"#\n".repeat(40)}DD http://127.0.0.1/ /`, "inside http://127.0.0.1/"],
    [`COPY <<'E\\' /z\nx\nE\\\nADD \\\n${"\\\n".repeat(40)}http://127.0.0.1/ /`, "inside http://127.0.0.1/"],
    ['ADD -- ["http://127.0.0.1/","/y"]', "inside http://127.0.0.1/"],
    ['ADD --link="true" --chown="0 " ["http://127.0.0.1/","/y"]', "inside http://127.0.0.1/"],
    ['ADD --chmod=\'7"\' ["http://127.0.0.1/","/y"]', "inside http://127.0.0.1/"],
    ['ADD ["h\\"\\"ttp://127.0.0.1/","/y"]', 'inside h\\"\\"ttp://127.0.0.1/'],
    ['ONBUILD ADD -- ["http://127.0.0.1/","/y"]', "inside http://127.0.0.1/"],
    ["ONBUILD -- ADD http://127.0.0.1/ /y", "inside http://127.0.0.1/"],
    ["ADD 127.0.0.1:1/x.git /y", "inside 127.0.0.1:1/x.git"],
    ["ADD /127.0.0.1/x.git#main:sub /y", "inside /127.0.0.1/x.git#main:sub"],
    ["ADD u:p@127.0.0.1/x%2egit /y", "inside u:p@127.0.0.1/x%2egit"],
    ["ADD example.com/x.git?a=b /y", "outside example.com/x.git?a=b"],
    ["ADD 127.0.0.1/app-${V}.tar.gz /", "unknown 127.0.0.1/app-${V}.tar.gz"],
    ["ADD http:/$X /y", "unknown http:/$X"],
    ['ADD ["http:\\"/${X}\\"","/y"]', 'unknown ["http:\\"/${X}\\"","/y"]'],
    ["ADD --chown=0/\u00E0$X /y", "unknown --chown=0/\u00E0$X /y"],
    ["ADD $U /", "unknown $U"],
    ["ADD app-${V}.tgz /", "unknown app-${V}.tgz"],
    ["ADD http://${HOST}/ /", "unknown http://${HOST}/"],
    ["ADD http${S}://1.1.1.1/ /", "unknown http${S}://1.1.1.1/"],
  ])("%j", (text, what) => {
    const all = found(text).split(", ");
    expect(all).toContain(what);
  });

  it.each([
    "FROM x\nADD a.tgz b /",
    "ADD ./$FILE /",
    "ADD --chown=$UID:$GID ../dist/app-${VERSION}.tar.gz .gitconfig a@b /",
    'ADD ["a b", "/"]',
    "ADD a /to/$WHERE",
    "# ADD http://127.0.0.1/ /",
    "COPY --from=x https:/a /",
    "RUN echo \\\nADD http://127.0.0.1/ /",
    "RUN apk \\\n  add $PACKAGES \\\n  curl",
    "ADD <<EOF /x\nhello\nEOF",
    "RUN <<EOF\necho ADD http://127.0.0.1/ /\nEOF",
    "ENV ADD http://127.0.0.1/",
    "",
  ])("is nothing in %j", (text) => expect(found(text)).toBe(""));

  it.each([
    "ADD \\\n".repeat(100_000),
    `${"\r".repeat(500_000)}x`,
    `ADD ${" \t".repeat(250_000)}x`,
    `RUN <<EOF\n${"a\\\n".repeat(100_000)}`,
    `ADD ["${"\\".repeat(500_000)}`,
    `ADD ["${'\\"'.repeat(200_000)}`,
    `ADD ${"--a ".repeat(100_000)}x`,
    "\r# ".repeat(100_000),
    `ADD ${"a@".repeat(100_000)} ${"a".repeat(200_000)} $`,
    `ADD [${'"'.repeat(400_000)}`,
    `# escape=\`\n<<\n\\\\\n\`\`\n${`a${" ".repeat(1000)}\n`.repeat(20_000)}`,
    `RUN <<EOF\n${"onbuild\\\n".repeat(50_000)}`,
  ])("is found in time, however it is written (%#)", (text) => expect(found(text)).not.toContain("inside"));
});
