// npm run openapi: src/testing/fake-github/openapi.json, the part of GitHub's published description of its API that the
// fake GitHub serves, from `@octokit/openapi` at a fixed version. The whole package is 390 MB, so it is no dependency.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";
import { attempt } from "./lib/run.mjs";
import { main, Stop, say } from "./lib/say.mjs";

const VERSION = "23.0.2";
const folder = join(root, "src/testing/fake-github");
/** What says nothing of validity. */
const PROSE = new Set([
  "description",
  "example",
  "examples",
  "title",
  "default",
  "externalDocs",
  "deprecated",
  "summary",
]);

await main("npm run openapi", async () => {
  const whole = await published();
  const names = new Set();
  const operations = Object.fromEntries(servedOperations().map((name) => [name, operationOf(whole, name, names)]));
  const events = Object.fromEntries(sentEvents().map((name) => [name, eventOf(whole, name, names)]));
  const schemas = schemasOf(whole, names);
  const text = `{"version":"${VERSION}",\n"operations":${linewise(operations)},\n"events":${linewise(events)},\n"schemas":${linewise(schemas)}}\n`;
  writeFileSync(join(folder, "openapi.json"), text);
  const count = (of) => Object.keys(of).length;
  say("openapi", `${count(operations)} operations, ${count(events)} webhooks, ${count(schemas)} schemas`);
});

/** One entry a line, so that a difference can be read. */
function linewise(entries) {
  const lines = Object.entries(entries).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{\n${lines.join(",\n")}\n}`;
}

/** The routes name their operations as GitHub does: "GET /repos/{owner}/{repo}". */
function servedOperations() {
  const files = readdirSync(join(folder, "routes")).map((name) => readFileSync(join(folder, "routes", name), "utf8"));
  const found = files.flatMap((text) => [...text.matchAll(/"((?:GET|POST|PATCH|PUT|DELETE) \/[^"]*)"/g)]);
  return [...new Set(found.map(([, name]) => name))].toSorted((a, b) => (a < b ? -1 : 1));
}

/** The list in events.ts. */
function sentEvents() {
  const [, list] = /EVENTS = \[([^\]]*)\]/.exec(readFileSync(join(folder, "events.ts"), "utf8"));
  return [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
}

function eventOf(whole, name, names) {
  const event = whole["x-webhooks"][name];
  if (event === undefined) throw new Stop(`GitHub describes no webhook ${name}`);
  return plain(whole, event.post.requestBody.content["application/json"].schema, names);
}

async function published() {
  const place = mkdtempSync(join(tmpdir(), "millrace-openapi-"));
  try {
    await must(["npm", "pack", "--silent", `@octokit/openapi@${VERSION}`], place);
    const file = "package/generated/api.github.com.json";
    await must(["tar", "-xzf", `octokit-openapi-${VERSION}.tgz`, file], place);
    return JSON.parse(readFileSync(join(place, file), "utf8"));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function must(argv, cwd) {
  const ended = await attempt(argv, { cwd });
  if (ended.status !== 0) throw new Stop(`${argv.join(" ")} failed`, ended.stdout + ended.stderr);
}

function operationOf(whole, name, names) {
  const [method, path] = name.split(" ");
  const operation = whole.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) throw new Stop(`GitHub describes no ${name}`);
  const take = (schema) => plain(whole, schema, names);
  const parameters = (operation.parameters ?? [])
    .map((parameter) => resolved(whole, parameter))
    .map((parameter) => ({ name: parameter.name, in: parameter.in, schema: take(parameter.schema) }));
  const content = operation.requestBody?.content?.["application/json"];
  const answers = Object.entries(operation.responses).map(([status, answer]) => {
    const schema = resolved(whole, answer).content?.["application/json"]?.schema;
    return [status, schema === undefined ? null : take(schema)];
  });
  const body = content === undefined ? {} : { body: take(content.schema) };
  return { parameters, ...body, answers: Object.fromEntries(answers) };
}

function resolved(whole, thing) {
  if (thing.$ref === undefined) return thing;
  return thing.$ref
    .slice(2)
    .split("/")
    .reduce((at, name) => at[name], whole);
}

/** Plain JSON Schema: names instead of pointers, `null` as a type, no prose. */
function plain(whole, schema, names) {
  if (Array.isArray(schema)) return schema.map((one) => plain(whole, one, names));
  if (typeof schema !== "object" || schema === null) return schema;
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/components/schemas/", "");
    names.add(name);
    return { $ref: name };
  }
  const { nullable, ...rest } = schema;
  const kept = Object.entries(rest).filter(([name]) => !PROSE.has(name) && !name.startsWith("x-"));
  const own = Object.fromEntries(kept.map(([name, value]) => [name, partOf(whole, name, value, names)]));
  return nullable === true ? orNull(own) : own;
}

function partOf(whole, name, value, names) {
  if (name === "enum" || name === "required") return value;
  if (name !== "properties") return plain(whole, value, names);
  return Object.fromEntries(Object.entries(value).map(([key, schema]) => [key, plain(whole, schema, names)]));
}

function orNull(schema) {
  if (typeof schema.type === "string") {
    const values = schema.enum === undefined ? {} : { enum: [...new Set([...schema.enum, null])] };
    return { ...schema, ...values, type: [schema.type, "null"] };
  }
  return Object.keys(schema).length === 0 ? schema : { anyOf: [schema, { type: "null" }] };
}

function schemasOf(whole, names) {
  const schemas = {};
  for (const name of names) schemas[name] ??= plain(whole, whole.components.schemas[name], names);
  return Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
