// Where things are: the checkout, and the folder outside it that outlives a clone.
import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** Everything that the demo makes inside the checkout. */
export const demoFolder = join(root, ".demo");

/**
 * A folder for what is costly to make again (the compiled database driver): `$XDG_CACHE_HOME/millrace`, else
 * `~/.cache/millrace`, else one in the temporary folder when neither can be written.
 */
export function cacheFolder() {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const home = HOME || homedirOrNothing();
  const wished = [
    XDG_CACHE_HOME && join(XDG_CACHE_HOME, "millrace"),
    home && home !== "/" && join(home, ".cache/millrace"),
    join(tmpdir(), `millrace-cache-${process.getuid?.() ?? 0}`),
  ];
  return wished.find((folder) => folder && canWrite(folder)) ?? join(root, "node_modules/.cache/millrace");
}

function canWrite(folder) {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // a read-only or missing home: the next place is tried
  }
}

function homedirOrNothing() {
  try {
    return homedir();
  } catch {
    return undefined; // a user without an entry in passwd
  }
}
