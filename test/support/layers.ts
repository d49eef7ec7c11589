import { dirname, join, normalize } from "node:path";

/** A file of `src/`: its path from there, with `/`, and what is in it. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

interface Layer {
  /** The folders of `src/` that it may import, besides itself. */
  readonly folders: readonly string[];
  /** The npm packages that it may use. */
  readonly packages: readonly string[];
}

/** Who may import whom, lowest first. `""` is the files that lie in `src/` itself. */
const layers: Readonly<Record<string, Layer>> = {
  incr: { folders: [], packages: [] },
  term: { folders: ["incr"], packages: ["rxjs"] },
  engine: { folders: ["incr", "term"], packages: ["rxjs"] },
  plugins: { folders: ["term", "engine"], packages: ["rxjs", "dockerode", "@octokit/*", "nodemailer"] },
  pipeline: { folders: ["term", "engine", "plugins"], packages: [] },
  web: {
    folders: ["term", "engine"],
    packages: ["rxjs", "fastify", "@fastify/*", "eta", "typebox", "@viz-js/viz", "prom-client"],
  },
  testing: { folders: ["incr", "term", "engine", "plugins", "pipeline", "web"], packages: ["rxjs", "typebox"] },
  app: {
    folders: ["", "incr", "term", "engine", "plugins", "pipeline", "web", "testing"],
    packages: ["rxjs", "commander", "jiti"],
  },
  "": { folders: ["incr", "term", "engine", "pipeline"], packages: ["rxjs"] },
};

/** Packages that belong to one folder alone. */
const onlyIn: Readonly<Record<string, string>> = { "better-sqlite3": "engine/store/", re2js: "engine/log-rules/" };

const LINES_MAX = 400;

/** What only some files may say. The reason stands with each exception. */
const words: readonly { readonly name: string; readonly pattern: RegExp; readonly allowed: readonly RegExp[] }[] = [
  { name: "process.env", pattern: /\bprocess\s*\.\s*env\b|\bprocess\s*\[/, allowed: [/^app\//] },
  { name: "process.argv", pattern: /\bprocess\s*\.\s*argv\b/, allowed: [/^app\//] },
  {
    name: "time apart from engine/clock.ts",
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\b(?:setTimeout|setInterval)\b|node:timers/,
    allowed: [
      /^engine\/clock\.ts$/,
      /^engine\/process\.ts$/, // the grace before SIGKILL is a promise to the operating system, in real time
      /^web\/static\//, // runs in the browser
    ],
  },
];

/** Every breach of the layering, one sentence each: `web/x.ts: web may not import plugins (../plugins/y.ts)`. */
export function breaches(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) => [...importBreaches(source), ...wordBreaches(source), ...lengthBreaches(source)]);
}

function importBreaches({ path, text }: Source): readonly string[] {
  const from = layerOf(path);
  const layer = layers[from];
  if (layer === undefined) return [`${path}: the folder "${from}" is no layer`];
  return importsOf(text).flatMap((specifier) => {
    if (specifier.startsWith("node:")) return from === "incr" ? [`${path}: incr imports nothing (${specifier})`] : [];
    const breach = specifier.startsWith(".") ? folderBreach(path, specifier) : packageBreach(path, specifier);
    return breach === undefined ? [] : [`${path}: ${breach}`];
  });
}

function folderBreach(path: string, specifier: string): string | undefined {
  const target = normalize(join(dirname(path), specifier));
  const [from, to] = [layerOf(path), layerOf(target)];
  if (target.startsWith("..")) return `imports from outside src/ (${specifier})`;
  if (to !== from)
    return layers[from]?.folders.includes(to)
      ? undefined
      : `${nameOf(from)} may not import ${nameOf(to)} (${specifier})`;
  const [one, other] = [path.split("/")[1], target.split("/")[1]];
  if (from === "plugins" && one !== other) return `plugin ${one} may not import plugin ${other} (${specifier})`;
  return undefined;
}

function packageBreach(path: string, specifier: string): string | undefined {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const home = onlyIn[name];
  if (home !== undefined) return path.startsWith(home) ? undefined : `only ${home} may use ${name}`;
  const from = layerOf(path);
  const may = layers[from]?.packages.some(
    (one) => one === name || (one.endsWith("/*") && name.startsWith(one.slice(0, -1))),
  );
  return may === true ? undefined : `${nameOf(from)} may not use the package ${name}`;
}

function wordBreaches({ path, text }: Source): readonly string[] {
  const code = withoutComments(text);
  return words
    .filter(({ pattern, allowed }) => !allowed.some((place) => place.test(path)) && pattern.test(code))
    .map(({ name }) => `${path}: ${name} has no place here`);
}

function lengthBreaches({ path, text }: Source): readonly string[] {
  const lines = text.trimEnd().split("\n").length;
  return lines > LINES_MAX ? [`${path}: ${lines} lines, at most ${LINES_MAX}`] : [];
}

/** `import … from`, `export … from`, bare `import "x"`, `import("x")` and types: `import("x").Y`. */
function importsOf(text: string): readonly string[] {
  const statement =
    /(?<!["'`])\bfrom\s*["']([^"'\s]+)["']|\bimport\s*\(?\s*["'`]([^"'`\s]+)["'`]|\brequire\s*\(\s*["']([^"'\s]+)["']/g;
  return [...withoutComments(text).matchAll(statement)].map((found) => found[1] ?? found[2] ?? found[3] ?? "");
}

/** Comments may speak of anything. A `//` in a text, such as a URL's, is no comment: only one after a blank is. */
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");

const layerOf = (path: string): string => (path.includes("/") ? (path.split("/")[0] ?? "") : "");
const nameOf = (layer: string): string => (layer === "" ? "src/ itself" : layer);
