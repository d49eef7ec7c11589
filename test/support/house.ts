import { dirname, join, normalize } from "node:path";

/** A file of the project: its path from the root, and its text. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** Links of a Markdown page that lead nowhere inside the project: `page: link`. Links to other sites are not followed. */
export function brokenLinks(
  { path, text }: Document,
  exists: (path: string) => boolean,
  read: (path: string) => string,
): readonly string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, "").replaceAll(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((found) => found[1] ?? "");
  return links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(link)).map((link) => `${path}: ${link}`);

  function leadsSomewhere(link: string): boolean {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : normalize(join(dirname(path), file));
    if (file !== "" && !exists(target)) return false;
    return anchor === undefined || anchorsOf(file === "" ? text : read(target)).has(anchor);
  }
}

/** The names of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ +(.+)$/gm)].map((found) => found[1] ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}

/** `npm run x` that package.json does not have. */
export function unknownScripts({ path, text }: Document, manifest: string): readonly string[] {
  const scripts = fieldsOf(fieldsOf(JSON.parse(manifest))["scripts"]);
  const named = [...text.matchAll(/\bnpm run (?:--?\S+ )*([a-z][\w:-]*)/g)].map((found) => found[1] ?? "");
  return named.filter((name) => !(name in scripts)).map((name) => `${path}: npm run ${name}`);
}

/** Code → class and hint, from the tables of doc/errors.md. A row without all four columns counts for nothing. */
export function documentedErrors(text: string): Readonly<Record<string, { class: string; hint: string }>> {
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| [^|]+ \| ([^|]+) \|$/gm)];
  return Object.fromEntries(rows.map(([, code = "", kind = "", hint = ""]) => [code, { class: kind, hint }]));
}

/** One letter of each is in brackets, so that this file does not speak of them either. */
const traces = /\/(wor[k]|far[m])\/(main|shared|steering|in|out|\.)|bash[_]jobs|\.librar[y]|\bTOD[O]\b|\bFIXM[E]\b/;

/** Lines that name the machine where they were written, or say that something is left to do. */
export function workplaceTraces({ path, text }: Document): readonly string[] {
  if (!traces.test(text)) return [];
  const lines = text.split("\n").map((line, index) => ({ line, number: index + 1 }));
  return lines
    .filter(({ line }) => traces.test(line))
    .map(({ line, number }) => `${path}:${number}: ${line.trim()}`.slice(0, 120));
}

/** Optional packages that the lockfile names but does not hold: `npm ci` stops at the first one. */
export function missingFromLock(text: string): readonly string[] {
  const packages = fieldsOf(fieldsOf(JSON.parse(text))["packages"]);
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(fieldsOf(fieldsOf(entry)["optionalDependencies"]))
      .filter((name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
      .map((name) => `${name} (of ${path})`),
  );
}

/** The fields of a parsed JSON object; none for anything else. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
