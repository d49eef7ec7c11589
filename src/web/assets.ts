import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};

/** The files of `static/`, read once. Their address holds a digest of all of them, so that they can be kept for ever. */
export interface Assets {
  /** `/static/<digest>`. */
  readonly base: string;
  file(name: string): { readonly type: string; readonly body: Buffer } | undefined;
}

export function loadAssets(): Assets {
  const folder = new URL("static/", import.meta.url);
  const files = new Map<string, { readonly type: string; readonly body: Buffer }>();
  const digest = createHash("sha256");
  for (const name of readdirSync(folder).toSorted()) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(new URL(name, folder));
    digest.update(name).update(body);
    files.set(name, { type, body });
  }
  return { base: `/static/${digest.digest("hex").slice(0, 16)}`, file: (name) => files.get(name) };
}
