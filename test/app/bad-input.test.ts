// Every mistake of a user: what it says, how it exits, and no stack trace (test/support/cli.ts looks).
import { describe, expect, it } from "vitest";
import { millrace, millraceProcess } from "../support/cli.ts";
import { folderWith, withWords } from "../support/pipeline-file.ts";

const good = withWords(`export default deployer({ demo: { repos: {
  "demo/hello": from(git("./hello.git"), docker("Dockerfile", { live: publish("demo/hello:live") })) } } });`);
const repository = { "hello.git/HEAD": "", "hello.git/objects/x": "" };

/** Command line, files, exit code, and the whole of what is said. */
const cases: Readonly<Record<string, readonly [string, Readonly<Record<string, string>>, number, string]>> = {
  "no pipeline file": [
    "check",
    {},
    65,
    `millrace: there is no pipeline file at pipeline.ts
  Write one with: millrace init, or name it with --pipeline FILE.
`,
  ],
  "another pipeline file that is not there": [
    "serve --pipeline deploy/pipe.ts",
    {},
    65,
    `millrace: there is no pipeline file at deploy/pipe.ts
  Write one with: millrace init, or name it with --pipeline FILE.
`,
  ],
  "a folder as the pipeline": [
    "check --pipeline contexts",
    { "contexts/hosts.ts": "" },
    65,
    `millrace: there is no pipeline file at contexts
  Write one with: millrace init, or name it with --pipeline FILE.
`,
  ],
  "a syntax error": [
    "local",
    { "pipeline.ts": withWords("const a = {\n  b: 1,,\n};\n") },
    65,
    `millrace: pipeline.ts:3:8: syntax error: Unexpected token
  |   b: 1,,
  Correct the line; an editor that knows TypeScript marks it too.
`,
  ],
  "a syntax error in contexts": [
    "check",
    {
      "pipeline.ts": `import { here } from "./contexts/hosts.ts";\nhere();\n`,
      "contexts/hosts.ts": "\nexport const here = (;\n",
    },
    65,
    `millrace: contexts/hosts.ts:2:22: syntax error: Unexpected token
  | export const here = (;
  Correct the line; an editor that knows TypeScript marks it too.
`,
  ],
  "an exception while loading": [
    "plan",
    { "pipeline.ts": withWords('function boom(): never {\n  throw new Error("no\\nway");\n}\nboom();\n') },
    65,
    `millrace: pipeline.ts:3: loading pipeline.ts failed: no
way
  |   throw new Error("no\\nway");
  Correct the line: pipeline.ts is data and must load without an error.
`,
  ],
  "something thrown that is no error": [
    "check",
    { "pipeline.ts": 'throw "text";' },
    65,
    `millrace: pipeline.ts: loading pipeline.ts failed: text
  Correct the line: pipeline.ts is data and must load without an error.
`,
  ],
  "a word that does not exist": [
    "check",
    { "pipeline.ts": 'import { swarmm } from "millrace";\nswarmm("x");\n' },
    65,
    `millrace: pipeline.ts:2: loading pipeline.ts failed: swarmm is no function. Did you mean "swarm"? Known: deployer, docker, from, git, publish, swarm.
  | swarmm("x");
  Correct the line: pipeline.ts is data and must load without an error.
`,
  ],
  "an import that is not there": [
    "check",
    { "pipeline.ts": 'import { x } from "./nowhere.ts";\nx();\n' },
    65,
    `millrace: pipeline.ts:1: loading pipeline.ts failed: Cannot find module './nowhere.ts'
  | import { x } from "./nowhere.ts";
  Correct the line: pipeline.ts is data and must load without an error.
`,
  ],
  "no default export": [
    "check",
    { "pipeline.ts": "export const deployer = {};\n" },
    65,
    `millrace: pipeline.ts: there is no default export: it must be deployer({ … })
  End the file with: export default deployer({ … });
`,
  ],
  "another default export": [
    "check",
    { "pipeline.ts": "export default { flavours: {} };\n" },
    65,
    `millrace: pipeline.ts: the default export is something else: it must be deployer({ … })
  End the file with: export default deployer({ … });
`,
  ],
  "an invalid pipeline, with every problem": [
    "serve",
    {
      "pipeline.ts": withWords(`import { heer } from "./contexts/hosts.ts";
export default deployer({ demo: { repos: {
  "demo/hello": from(git("./hello.git"), docker("Dockerfile", {
    live: publish("demo/hello", swarm(heer, "demo_hello")) })) } } });`),
      "contexts/hosts.ts": 'export { here } from "millrace";',
      ...repository,
    },
    65,
    `pipeline.ts:5: the image "demo/hello" has no tag: add one, such as ":live" [WRONG_IMAGE]
  Write it as owner/name:tag, or registry:port/name:tag.
pipeline.ts:5: unknown host "heer": it is undefined. Did you mean "here"? Known: here. [UNKNOWN_HOST]
  Name a host that contexts/hosts.ts exports.
millrace: pipeline.ts has 2 problems
  Correct the lines that are named above.
`,
  ],
  "a repository that is not there": [
    "check --offline",
    { "pipeline.ts": good },
    65,
    `pipeline.ts:3: there is nothing at ./hello.git [NO_REPOSITORY]
  Correct the path; it is relative to the folder of pipeline.ts.
millrace: pipeline.ts has a problem
  Correct the lines that are named above.
`,
  ],
  "an unknown flavour": [
    "serve --flavour dmeo",
    { "pipeline.ts": good, ...repository },
    64,
    `millrace: unknown flavour "dmeo". Did you mean "demo"? Known: demo.
  Name one of the flavours of pipeline.ts with --flavour.
`,
  ],
  "a flavour that must be named": [
    "plan",
    {
      "pipeline.ts": withWords(`const hello = (tag) => ({ repos: { "demo/hello": from(git("./hello.git"),
         docker("Dockerfile", { live: publish(tag) })) } });
         export default deployer({ one: hello("a/b:1"), two: hello("a/b:2") });`),
      ...repository,
    },
    64,
    `millrace: --flavour is needed: there are 2: one, two
  Name one of the flavours of pipeline.ts with --flavour.
`,
  ],
  "an unknown repository": [
    "local demo/helo",
    { "pipeline.ts": good, ...repository },
    64,
    `millrace: the flavour demo has no repository "demo/helo". Did you mean "demo/hello"? Known: demo/hello.
  Name one of the flavour's repositories as owner/name.
`,
  ],
  "an unknown command": [
    "srve",
    {},
    64,
    `millrace: unknown command 'srve'
  (Did you mean serve?)
  See: millrace --help
`,
  ],
  "an unknown flag": [
    "serve --flavor demo",
    {},
    64,
    `millrace: unknown option '--flavor'
  (Did you mean --flavour?)
  See: millrace serve --help
`,
  ],
  "a proxy that is no address": [
    "serve --trust-proxy 10.0.0.7,proxy.example",
    {},
    64,
    `millrace: option '--trust-proxy <addresses>' argument '10.0.0.7,proxy.example' is invalid. "proxy.example" is neither an IP address nor a network such as 10.1.0.0/16.
  See: millrace serve --help
`,
  ],
  "all the world as a proxy": [
    "serve --trust-proxy 0.0.0.0/0",
    {},
    64,
    `millrace: option '--trust-proxy <addresses>' argument '0.0.0.0/0' is invalid. "0.0.0.0/0" is neither an IP address nor a network such as 10.1.0.0/16.
  See: millrace serve --help
`,
  ],
  "a port that is none": [
    "serve --port 70000",
    {},
    64,
    `millrace: option '--port <number>' argument '70000' is invalid. It must be a number from 0 to 65535.
  See: millrace serve --help
`,
  ],
  "a level that is none": [
    "local --confirm harmles",
    {},
    64,
    `millrace: option '--confirm <level>' argument 'harmles' is invalid. Did you mean "harmless"? Known: harmless, mostly-harmless, average, above-average, dangerous, none.
  See: millrace local --help
`,
  ],
  "too many arguments": [
    "check this",
    {},
    64,
    `millrace: too many arguments for 'check'. Expected 0 arguments but got 1.
  See: millrace check --help
`,
  ],
  "a job without its id": [
    "log",
    {},
    64,
    `millrace: missing required argument 'id'
  See: millrace log --help
`,
  ],
  "an id that is none": [
    "job ../../etc/passwd",
    {},
    64,
    `millrace: "../../etc/passwd" is no job id: it is like 2026-11-21/094512-docker-build-3f9a12
  millrace jobs lists those that run or wait, millrace query all of them.
`,
  ],
  "stale documents": [
    "docs --check",
    { "pipeline.ts": good, "doc/services.md": "# Services\n\nOld.\n" },
    1,
    `millrace: doc/services.md:3 is not what pipeline.ts says
  Run: millrace docs, and commit the result.
`,
  ],
  "missing documents": [
    "docs --check",
    { "pipeline.ts": good },
    1,
    `millrace: doc/services.md is missing
  Run: millrace docs, and commit the result.
`,
  ],
  "a server that nobody started": [
    "jobs --url http://127.0.0.1:9",
    {},
    69,
    `millrace: no server answers at http://127.0.0.1:9: bad port
  Check that the server runs and that --url is right.
`,
  ],
  "no server on the state directory": [
    "jobs",
    {},
    69,
    `millrace: no server runs on the state directory var
  Start one with millrace serve, or name it with --url.
`,
  ],
  "no token": [
    "rebuild 2026-11-21/094512-docker-build-3f9a12",
    { "var/server.json": '{ "url": "http://127.0.0.1:1" }' },
    77,
    `millrace: there is no token at var/token, and acting needs one
  Name the token's file with --token-file; a server keeps it as token in its state directory.
`,
  ],
  "a token that would go to another server": [
    "rebuild 2026-11-21/094512-docker-build-3f9a12 --url https://deploy.example",
    { "var/server.json": '{ "url": "http://127.0.0.1:1" }', "var/token": "secret" },
    77,
    `millrace: acting on https://deploy.example needs --token-file: it is not the server of this state directory
  Name the token's file with --token-file; a server keeps it as token in its state directory.
`,
  ],
  "a level that the server does not know": [
    "confirm dangerus",
    {},
    64,
    `millrace: unknown level "dangerus". Did you mean "dangerous"? Known: harmless, mostly-harmless, average, above-average, dangerous, none.
  See: millrace --help.
`,
  ],
  "an address that is none": [
    "jobs --url deploy.example",
    {},
    64,
    `millrace: --url "deploy.example" is not an absolute http:// or https:// address
  See: millrace --help.
`,
  ],
};

describe("bad input is answered with a message and an exit code", () => {
  it.each(Object.entries(cases))("%s", async (_, [line, files, code, said]) => {
    const ended = await millrace(folderWith(files), ...line.split(" "));
    expect(ended).toEqual({ code, out: "", err: said });
  });

  const asProcess = ["no pipeline file", "a syntax error", "an exception while loading", "an unknown flag"];
  it.each(asProcess)("as a process of its own: %s", (name) => {
    const [line = "", files = {}, code, said] = cases[name] ?? [];
    const ended = millraceProcess(folderWith(files), ...line.split(" "));
    expect(ended).toEqual({ code, out: "", err: said });
  });

  it("colours are for terminals", () => {
    expect(millraceProcess(folderWith({}), "check").err).not.toContain("\u001b");
  });
});
