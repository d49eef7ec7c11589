import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The absolute path that a `git()` url means, when it is one; nothing for what is reached over a network.
 *
 * @param folder Where relative paths begin: the folder of `pipeline.ts`.
 * @source `git help clone`: a colon before the first slash is `host:path`
 */
export function localPath(url: string, folder: string): string | undefined {
  if (url.startsWith("file://")) return URL.canParse(url) ? fileURLToPath(url) : undefined;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) || /^[^/]+:/.test(url)) return undefined;
  return resolve(folder, url);
}

/** What git is given: an absolute path or the URL as it is. */
export const gitUrl = (url: string, folder: string): string => localPath(url, folder) ?? url;
