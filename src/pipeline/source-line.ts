import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** A constructor called by a library function (`names.map(docker)`) has its caller a few frames further up. */
const FRAMES_MAX = 6;

/**
 * Which line called `word`: `pipeline.ts:12`, below the working directory, else with its absolute path.
 *
 * Read from the text of a stack, since only that text has been through the source maps of tsx, vitest and
 * `--enable-source-maps`; jiti keeps the lines as they are. The position in a column would differ between them.
 *
 * @param word The constructor itself: it and everything above it is left out of the stack.
 */
export function sourceLine(word: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  Error.captureStackTrace(holder, word);
  Error.stackTraceLimit = before;
  const stack = holder.stack ?? "";
  return (
    stack
      .split("\n")
      .slice(1)
      .map(placeOf)
      .find((place) => place !== undefined) ?? "pipeline.ts"
  );
}

/** The place that a line of a stack names; none for lines of Node's own. */
export function placeOf(frame: string): string | undefined {
  const match = /^\s+at (?:async )?(?:.*?\((?=\/|file:))?((?:file:\/\/)?\/[^<>]+):(\d+):\d+\)?$/.exec(frame);
  const [, file, line] = match ?? [];
  if (file === undefined || line === undefined) return undefined;
  return `${shownPath(file.startsWith("file://") ? fileURLToPath(file) : file)}:${line}`;
}

/** A path as it is shown: short below the working directory, absolute elsewhere. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  if (short === "") return ".";
  return short.startsWith("..") ? path : short;
}
