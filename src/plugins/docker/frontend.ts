import { open } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";

/** How much of a Dockerfile is looked at: directives stand before the first instruction. */
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
  const wanted = frontendIn(await headOf(join(dir, dockerfile)));
  if (wanted === undefined || OFFICIAL.test(wanted)) return success(undefined);
  const message = `Dockerfile ${JSON.stringify(dockerfile)} wants to be read by ${JSON.stringify(wanted)}`;
  const hint = "Name docker/dockerfile:1 or nothing: pull requests and unmapped branches may not bring their own.";
  return failure(problem("CONTEXT_REFUSED", message, { hint }));
}

async function headOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } finally {
    await file.close();
  }
}

/**
 * What stands behind `syntax=` before the first instruction, in a comment of any style, or as JSON. Looks for more than
 * BuildKit does: what is only a remark to it is refused here too.
 */
export function frontendIn(text: string): string | undefined {
  const plain = text.replace(/^\uFEFF/, "").trimStart();
  if (plain.startsWith("{")) return /"syntax"\s*:\s*"([^"]*)"/i.exec(plain)?.[1] ?? "JSON";
  for (const line of plain.split(/\r\n|\r|\n/)) {
    const comment = /^\s*(?:#|\/\/)(.*)$/.exec(line)?.[1];
    if (comment === undefined && line.trim() !== "") return undefined;
    const found = /^\W*syntax\s*=\s*(.*)$/i.exec(comment ?? "")?.[1];
    if (found !== undefined) return found.trim().split(/\s/)[0] ?? "";
  }
  return undefined;
}
