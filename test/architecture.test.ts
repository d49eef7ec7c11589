// The shape of the source tree, as a test: who may import whom, what is said only in one place, how long a file may grow.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { breaches, type Source } from "./support/layers.ts";

const root = resolve(import.meta.dirname, "../src");
const sources: readonly Source[] = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.(ts|mts|cts|js|mjs)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

describe("the sources", () => {
  it("are there to be checked", () => {
    expect(sources.map((source) => source.path)).toEqual(expect.arrayContaining(["engine/clock.ts", "term/output.ts"]));
  });

  it("keep to their layers", () => {
    expect(breaches(sources)).toEqual([]);
  });
});

/** One planted breach of each kind: path, text, and what has to be said of it. */
const planted: readonly (readonly [string, string, string])[] = [
  ["incr/x.ts", 'import { map } from "rxjs";', "incr/x.ts: incr may not use the package rxjs"],
  ["incr/x.ts", 'import { join } from "node:path";', "incr/x.ts: incr imports nothing (node:path)"],
  ["incr/x.ts", 'import { a } from "../term/term.ts";', "incr/x.ts: incr may not import term (../term/term.ts)"],
  ["term/x.ts", 'export { a } from "../engine/job.ts";', "term/x.ts: term may not import engine (../engine/job.ts)"],
  ["engine/x.ts", 'import Docker from "dockerode";', "engine/x.ts: engine may not use the package dockerode"],
  ["engine/x.ts", 'import fastify from "fastify";', "engine/x.ts: engine may not use the package fastify"],
  ["engine/x.ts", 'import Db from "better-sqlite3";', "engine/x.ts: only engine/store/ may use better-sqlite3"],
  ["app/x.ts", 'await import("better-sqlite3");', "app/x.ts: only engine/store/ may use better-sqlite3"],
  ["engine/x.ts", 'type A = import("../web/site.ts").A;', "engine/x.ts: engine may not import web (../web/site.ts)"],
  ["plugins/git/x.ts", 'import "../../web/y.ts";', "plugins/git/x.ts: plugins may not import web (../../web/y.ts)"],
  [
    "plugins/git/x.ts",
    'import { b } from "../docker/b.ts";',
    "plugins/git/x.ts: plugin git may not import plugin docker (../docker/b.ts)",
  ],
  ["plugins/git/x.ts", 'import { b } from "eta";', "plugins/git/x.ts: plugins may not use the package eta"],
  ["pipeline/x.ts", 'import { a } from "../web/y.ts";', "pipeline/x.ts: pipeline may not import web (../web/y.ts)"],
  [
    "web/x.ts",
    "import {\n  a,\n} from '../plugins/git/index.ts';",
    "web/x.ts: web may not import plugins (../plugins/git/index.ts)",
  ],
  ["web/x.ts", 'import { a } from "../pipeline/y.ts";', "web/x.ts: web may not import pipeline (../pipeline/y.ts)"],
  ["web/x.ts", 'import d from "dockerode";', "web/x.ts: web may not use the package dockerode"],
  ["testing/x.ts", 'import { a } from "../app/wire.ts";', "testing/x.ts: testing may not import app (../app/wire.ts)"],
  ["terms.ts", 'import { a } from "./app/wire.ts";', "terms.ts: src/ itself may not import app (./app/wire.ts)"],
  ["app/x.ts", 'import a from "../../test/y.ts";', "app/x.ts: imports from outside src/ (../../test/y.ts)"],
  ["odd/x.ts", "", 'odd/x.ts: the folder "odd" is no layer'],
  ["web/x.ts", "const a = process.env.HOME;", "web/x.ts: process.env has no place here"],
  ["web/x.ts", 'const a = process["env"];', "web/x.ts: process.env has no place here"],
  ["web/x.ts", "const a = process.argv[2];", "web/x.ts: process.argv has no place here"],
  ["engine/x.ts", "const a = Date.now();", "engine/x.ts: time apart from engine/clock.ts has no place here"],
  ["engine/x.ts", "const a = new Date();", "engine/x.ts: time apart from engine/clock.ts has no place here"],
  ["app/x.ts", "setTimeout(() => {}, 1);", "app/x.ts: time apart from engine/clock.ts has no place here"],
  ["web/x.ts", "setInterval(() => {}, 1);", "web/x.ts: time apart from engine/clock.ts has no place here"],
  ["term/x.ts", "//\n".repeat(401), "term/x.ts: 401 lines, at most 400"],
];

describe("the checker", () => {
  it.each(planted)("sees a breach in %s: %s", (path, text, said) => {
    expect(breaches([{ path, text }])).toEqual([said]);
  });

  it.each([
    ["engine/store/x.ts", 'import Database from "better-sqlite3";'],
    ["web/x.ts", 'import cookie from "@fastify/cookie";\nimport { a } from "./site.ts";'],
    ["plugins/docker/x.ts", 'import { b } from "./b.ts";\nimport { c } from "../../engine/json.ts";'],
    ["app/x.ts", 'import { a } from "../web/server.ts";\nconst b = process.env["HOME"];'],
    ["engine/clock.ts", "const a = Date.now();"],
    ["engine/x.ts", "/* Date.now() */ // setTimeout\nconst url = `http://x`; const at = new Date(clock.now());"],
    ["pipeline/x.ts", 'const a = { kind: "from", b: "../web/y.ts" }; from("x");'],
    ["web/static/page.js", "setInterval(() => {}, 1);"],
  ])("has nothing to say of %s: %s", (path, text) => {
    expect(breaches([{ path, text }])).toEqual([]);
  });
});
