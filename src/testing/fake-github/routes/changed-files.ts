import { createHash } from "node:crypto";
import type { Json } from "../../../engine/json.ts";
import type { Files } from "../git-store.ts";
import type { RepositoryCall } from "../route.ts";

/** As many as GitHub lists of a comparison. */
export const COMPARED_FILES_MAX = 300;
/** What is longer has no patch. */
const PATCH_LINES_MAX = 3_000;
const AROUND = 3;
const NONE: Files = new Map();

/** The files that differ between two commits, in order of their names. */
export function changedFiles(call: RepositoryCall, from: string | undefined, to: string): readonly Json[] {
  const { commits } = call.repository.git;
  const before = commits.get(from ?? "")?.files ?? NONE;
  const after = commits.get(to)?.files ?? NONE;
  const names = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  return names.toSorted().map((name) => entry(call, to, name, [before.get(name), after.get(name)]));
}

function entry(
  { repository, shapes }: RepositoryCall,
  commit: string,
  filename: string,
  [before, after]: readonly [string | undefined, string | undefined],
): Json {
  const where = `/repos/${repository.owner.login}/${repository.name}`;
  const path = filename.split("/").map(encodeURIComponent).join("/");
  const content = after ?? before ?? "";
  const { lines, added, removed } = difference(linesOf(before), linesOf(after));
  const isText = !`${before ?? ""}${content}`.includes("\0");
  const hasPatch = isText && lines.length > 0 && lines.length <= PATCH_LINES_MAX;
  return {
    filename,
    sha: createHash("sha1")
      .update(`blob ${Buffer.byteLength(content)}\0${content}`)
      .digest("hex"),
    status: before === undefined ? "added" : after === undefined ? "removed" : "modified",
    additions: isText ? added : 0,
    deletions: isText ? removed : 0,
    changes: isText ? added + removed : 0,
    blob_url: shapes.api(`${where}/blob/${commit}/${path}`),
    raw_url: shapes.api(`${where}/raw/${commit}/${path}`),
    contents_url: shapes.api(`${where}/contents/${path}?ref=${commit}`),
    ...(hasPatch ? { patch: lines.join("\n") } : {}),
  };
}

const linesOf = (text: string | undefined): readonly string[] => (text ?? "").replace(/\n$/, "").split("\n");

/** One hunk: all between the first and the last line that differ. */
function difference(before: readonly string[], after: readonly string[]) {
  const [old, now] = [before, after].map((lines) => (lines.length === 1 && lines[0] === "" ? [] : lines));
  if (old === undefined || now === undefined) return { lines: [], added: 0, removed: 0 };
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const [gone, come] = [old.slice(start, old.length - end), now.slice(start, now.length - end)];
  if (gone.length + come.length === 0) return { lines: [], added: 0, removed: 0 };
  const head = old.slice(Math.max(0, start - AROUND), start);
  const tail = old.slice(old.length - end, old.length - end + AROUND);
  const range = (lines: readonly string[]): string =>
    `${start - head.length + 1},${head.length + lines.length + tail.length}`;
  const body = [
    ...head.map((line) => ` ${line}`),
    ...gone.map((line) => `-${line}`),
    ...come.map((line) => `+${line}`),
    ...tail.map((line) => ` ${line}`),
  ];
  return { lines: [`@@ -${range(gone)} +${range(come)} @@`, ...body], added: come.length, removed: gone.length };
}
