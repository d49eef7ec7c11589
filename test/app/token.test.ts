// Tokens and what is read of the graph, on the command line, against the real HTTP server.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Access } from "../../src/engine/access/access.ts";
import { createClock } from "../../src/engine/clock.ts";
import { Secret } from "../../src/engine/secret.ts";
import { type RunningWeb, startWeb } from "../../src/web/server.ts";
import { millrace } from "../support/cli.ts";
import { folderWith } from "../support/pipeline-file.ts";
import { FakeView, makeJob, makeNode } from "../support/view.ts";

const TOKEN = "a-token-of-at-least-thirty-two-characters";
const ID = "2026-11-21/094512-docker-build-3f9a12";

let view: FakeView;
let access: Access;
let web: RunningWeb;
let folder: string;

beforeEach(async () => {
  view = new FakeView();
  const clock = createClock();
  const token = new Secret(TOKEN);
  access = new Access({ clock, token });
  const started = await startWeb({ view, host: "127.0.0.1", port: 0, token, clock, access });
  if (!started.ok) throw new Error(started.error.message);
  web = started.value;
  folder = folderWith({ "var/server.json": JSON.stringify({ url: web.url, pid: 1 }), "var/token": `${TOKEN}\n` });
});
afterEach(() => web.close());

const run = (line: string) => millrace(folder, ...line.split(" "));

/** Makes a token and keeps it in a file, as its user would. */
async function tokenFile(line: string): Promise<string> {
  const made = await run(`token create ${line}`);
  if (made.code !== 0) throw new Error(made.err);
  const file = join(folder, "their-token");
  writeFileSync(file, made.out);
  return file;
}

describe("millrace token", () => {
  it("makes one that acts with its role and its name, lists it without its secret, and revokes it", async () => {
    view.all = [makeJob(ID)];
    const file = await tokenFile("ci --role builder --life 30d");
    expect(await run(`rebuild ${ID} --token-file ${file}`)).toMatchObject({ code: 0 });
    expect(view.actions).toMatchObject([{ name: "rebuild", who: "token:ci" }]);
    const start = await run(`start ${ID} --token-file ${file}`);
    expect(start).toMatchObject({ code: 77 });
    expect(start.err).toContain("only an administrator can do this; token:ci is a builder");
    const listed = await run("token list");
    expect(listed.out).toMatch(/^ci +builder, made by token \S+, until \S+\n$/);
    expect(await run("token revoke ci")).toMatchObject({ code: 0, out: "revoked: ci\n" });
    const refused = await run(`rebuild ${ID} --token-file ${file}`);
    expect([refused.code, refused.err]).toEqual([77, expect.stringContaining("it was revoked, its time is up, or")]);
    expect(refused.err).toContain("An administrator makes one with: millrace token create NAME.");
    expect((await run("token list")).out).toContain(", revoked ");
    expect(view.actions).toHaveLength(1);
  });

  it("says of one whose time is up that it is over", async () => {
    const made = await access.tokens.create({ name: "short", role: "builder", createdBy: "test", lifeMs: 0 });
    const file = join(folder, "their-token");
    writeFileSync(file, made.ok ? made.value.token : "");
    expect((await run("token list")).out).toMatch(/, over since \S+\n$/);
    expect((await run(`rebuild ${ID} --token-file ${file}`)).err).toContain("its time is up");
  });

  it("is for administrators", async () => {
    const file = await tokenFile("ci --role builder");
    for (const line of ["list", "create more --role admin", "revoke ci"])
      expect(await run(`token ${line} --token-file ${file}`)).toMatchObject({ code: 77, out: "" });
  });

  it.each([
    ["create ci", 64, "--role is needed: viewer, builder or admin\n  See: millrace token --help."],
    ["create ci --role root", 64, "viewer, builder, admin"],
    ["create ci --role builder --life soon", 64, "12h or 30d"],
    ["create", 64, "create NAME"],
    ["list ci", 64, "create NAME"],
    ["destroy ci", 64, "create NAME"],
    ["create CI --role viewer", 1, "lower-case"],
    ["create ci --role viewer --services shop_web", 1, "there is no service shop_web"],
    ["revoke nobody", 1, 'there is no token "nobody"'],
  ] as const)("%s: %i", async (line, code, words) => {
    const ended = await run(`token ${line}`);
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });
});

describe("the graph, for other programs", () => {
  it("ops and stats", async () => {
    expect((await run("ops")).out).toBe("no job has run yet\n");
    view.all = [makeJob(ID), makeJob("2026-11-21/094513-deploy-aaaaaa", { op: "deploy" })];
    expect((await run("ops")).out.split("\n").toSorted()).toEqual(["", "deploy", "docker-build"]);
    view.nodes = [makeNode("a"), makeNode("b", { state: "failed" })];
    expect((await run("stats")).out).toMatch(/^ +1 {2}ok\n[^]* +1 {2}failed\n/);
    expect(JSON.parse((await run("stats --json")).out)).toMatchObject({ ok: 1, failed: 1 });
  });

  it("dot: what Graphviz reads, whatever names hold", async () => {
    view.nodes = [
      makeNode("demo/hello/heads", { group: "demo/hello", label: 'heads\nof "it"' }),
      makeNode("demo/hello/build", { group: "demo/hello", label: "back\\slash", state: "running" }),
      makeNode("alone", { group: "" }),
    ];
    view.edges = [
      { from: "demo/hello/heads", to: "demo/hello/build" },
      { from: "alone", to: "demo/hello/build", dashed: true },
    ];
    expect((await run("dot")).out).toBe(
      [
        "digraph millrace {",
        "  rankdir=LR;",
        '  node [shape=box, style="filled,rounded"];',
        "  subgraph cluster_0 {",
        '    label="demo/hello";',
        String.raw`    "demo/hello/heads" [label="heads\nof \"it\"\nok", fillcolor="#90ee90"];`,
        String.raw`    "demo/hello/build" [label="back\\slash\nrunning", fillcolor="#ffd070"];`,
        "  }",
        String.raw`  "alone" [label="alone\nok", fillcolor="#90ee90"];`,
        '  "demo/hello/heads" -> "demo/hello/build";',
        '  "alone" -> "demo/hello/build" [style=dashed];',
        "}",
        "",
      ].join("\n"),
    );
  });
});
