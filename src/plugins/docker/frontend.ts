import { open } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";

/** How much of a Dockerfile is looked at: directives stand before the first instruction, which must lie within. */
const HEAD_BYTES = 64 * 1024;
const OFFICIAL = /^docker\/dockerfile:1(?:\.\d+){0,2}(?:-labs)?(?:@sha256:[0-9a-f]{64})?$/;

/**
 * Refuses a Dockerfile that wants to be read by a program of its own choice: that program would decide which caches a
 * build uses, and with it those of other builds. The official one may be named.
 *
 * Fails with `CONTEXT_REFUSED`.
 *
 * @source github.com/moby/buildkit, frontend/dockerfile/parser/directives.go: what is taken for `syntax`
 */
export async function pinnedFrontend(dir: string, dockerfile: string): Promise<Result<void>> {
  const { text, isWhole } = await headOf(join(dir, dockerfile));
  const wanted = frontendIn(text, isWhole);
  if (wanted === undefined || OFFICIAL.test(wanted)) return success(undefined);
  const message = `Dockerfile ${JSON.stringify(dockerfile)} wants to be read by ${JSON.stringify(wanted)}`;
  const hint = "Name docker/dockerfile:1 or nothing: pull requests and unmapped branches may not bring their own.";
  return failure(problem("CONTEXT_REFUSED", message, { hint }));
}

/** Whole lines only when it is longer: of what is cut off nobody could say how it begins. */
async function headOf(path: string): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    const isWhole = (await file.stat()).size <= bytesRead;
    return { text: isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1), isWhole };
  } finally {
    await file.close();
  }
}

/**
 * What stands behind `syntax=` before the first instruction, in a comment of any style: the first that is not the
 * official one, else that. Looks for more than BuildKit does: what is only a remark to it is refused here too. Lines end
 * as they do there, at a line feed and nowhere else. A Dockerfile that is JSON is no other than one that names a program.
 *
 * @param isWhole False: more follows, and what comes before the first instruction may go on there.
 */
export function frontendIn(text: string, isWhole = true): string | undefined {
  const plain = text.replace(/^\uFEFF/, "").trimStart();
  if (plain.startsWith("{")) return "JSON";
  let official: string | undefined;
  for (const line of plain.split("\n")) {
    const comment = /^\s*(?:#|\/\/)(.*)$/s.exec(line)?.[1];
    if (comment === undefined && line.trim() !== "") return official;
    const found = /^\W*syntax\s*=\s*(.*)$/is.exec(comment ?? "")?.[1];
    if (found === undefined) continue;
    const name = found.trim().split(/\s/)[0] ?? "";
    if (!OFFICIAL.test(name)) return name;
    official = name;
  }
  return isWhole ? official : "what follows so many comments";
}
