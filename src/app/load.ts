import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import { problem } from "../engine/errors.ts";
import * as words from "../pipeline/index.ts";
import { suggestion } from "../pipeline/nearest.ts";
import { placeOf, shownPath } from "../pipeline/source-line.ts";
import type { Deployer } from "../pipeline/types.ts";
import { type Failure, failure, success } from "../term/output.ts";

/** A failure to load, with the line of the user's file when there is one, and the text of that line. */
export interface LoadFailure extends Failure {
  readonly at?: string;
  readonly line?: string;
}

type Loaded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: LoadFailure };

/**
 * Loads a `pipeline.ts` with this very copy of the vocabulary, without a cache and without reading anything else than
 * the file and what it imports.
 *
 * Fails with `NO_PIPELINE`, `PIPELINE_SYNTAX`, `PIPELINE_THREW` or `NO_DEPLOYER`.
 *
 * @param path Absolute.
 */
export async function loadPipeline(path: string): Promise<Loaded<Deployer>> {
  if (!existsSync(path) || !statSync(path).isFile()) {
    return failure(problem("NO_PIPELINE", `there is no pipeline file at ${shownPath(path)}`));
  }
  const loaded = await importFile(path);
  return loaded.ok ? deployerOf(path, loaded.value) : loaded;
}

/** What a pipeline may import of Millrace: these very instances, not copies. */
const ownModules = { millrace: words };

/** Forgets what it loaded: a pipeline that was corrected must not be answered from memory. */
async function importFile(path: string): Promise<Loaded<unknown>> {
  const jiti = createJiti(path, { fsCache: false, virtualModules: ownModules });
  const before = new Set(Object.keys(jiti.cache));
  try {
    return success(await jiti.import(path));
  } catch (error) {
    return { ok: false, error: whyNotLoaded(path, error) };
  } finally {
    for (const file of Object.keys(jiti.cache)) if (!before.has(file)) Reflect.deleteProperty(jiti.cache, file);
  }
}

function deployerOf(path: string, module: unknown): Loaded<Deployer> {
  const exported: unknown = isObject(module) && "default" in module ? module.default : undefined;
  if (isDeployer(exported)) return success(exported);
  const found = exported === undefined ? "there is no default export" : "the default export is something else";
  const error = problem("NO_DEPLOYER", `${found}: it must be deployer({ … })`);
  return { ok: false, error: { ...error, at: shownPath(path) } };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Only the outermost shape: `validate` looks at everything below, and believes none of it. */
const isDeployer = (value: unknown): value is Deployer =>
  isObject(value) && "kind" in value && value.kind === "deployer" && "at" in value && "flavours" in value;

function whyNotLoaded(path: string, error: unknown): LoadFailure {
  const message = error instanceof Error ? error.message : String(error);
  const syntax = /^ParseError: (.*?)\s*\n\s*(.+):(\d+):(\d+)/s.exec(message);
  if (syntax !== null) {
    const [, what = "", file = "", line = "", column = ""] = syntax;
    // jiti counts columns from 0, editors from 1.
    const at = `${shownPath(file)}:${line}:${Number(column) + 1}`;
    return withLine(problem("PIPELINE_SYNTAX", `syntax error: ${what.replace(/[.\s]+$/, "")}`), at, file, Number(line));
  }
  const frames = error instanceof Error ? (error.stack ?? "").split("\n") : [];
  const at = frames.map(placeOf).find((place) => place !== undefined && !isLoader(place));
  const found = problem("PIPELINE_THREW", `loading ${basename(path)} failed: ${readable(message)}`);
  if (at === undefined) return { ...found, at: shownPath(path) };
  const [file = "", line = ""] = splitPlace(at);
  return withLine(found, at, resolve(file), Number(line));
}

/** `src/` or `dist/` of Millrace itself. */
const ownFolder = fileURLToPath(new URL("..", import.meta.url));
const isLoader = (place: string): boolean => place.includes("node_modules/") || resolve(place).startsWith(ownFolder);

const splitPlace = (at: string): readonly string[] => /^(.*):(\d+)$/.exec(at)?.slice(1) ?? [];

/** jiti links loosely, so a word that does not exist is only noticed when it is called. */
function readable(message: string): string {
  const word = /^\(0 ?, _\w+\.(\w+)\) is not a function/.exec(message)?.[1];
  if (word !== undefined) return `${word} is no function. ${suggestion(word, wordNames())}`;
  const [missing] = /^Cannot find module '[^']*'/.exec(message) ?? [];
  return (missing ?? message).replace(/\nRequire stack:[^]*$/, "");
}

const wordNames = (): readonly string[] => Object.keys(words).filter((name) => name !== "here");

function withLine(found: Failure, at: string, file: string, line: number): LoadFailure {
  const text = lineOfFile(file, line);
  return text === undefined ? { ...found, at } : { ...found, at, line: text };
}

/** The text of one line, counted from 1; nothing when it cannot be read. */
export function lineOfFile(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[line - 1]?.trimEnd();
  } catch {
    return undefined; // a file that is gone, or a line of no file: the place alone has to do
  }
}
