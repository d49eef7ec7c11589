import { styleText } from "node:util";

/** How a command talks: lines out, complaints to the side, colours only for a person. */
export interface Io {
  /** One line of the answer. */
  out(line: string): void;
  /** Part of the answer as it is, such as a log. */
  write(text: string): void;
  /** One line for the person who waits: problems, progress. */
  err(line: string): void;
  /** Marks a text of the answer; plain when nobody sees colours. */
  paint(style: Style, text: string): string;
  /** The same for `err`. */
  paintErr(style: Style, text: string): string;
  /** Where relative paths of flags begin. */
  readonly cwd: string;
  /** `DOCKER_HOST` of the environment. */
  readonly dockerHost: string | undefined;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** The terminal of this process. A reader that has gone (`millrace jobs | head`) ends it without a word. */
export function terminalIo(process: NodeJS.Process): Io {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
  const painter = (stream: NodeJS.WriteStream) => (style: Style, text: string) =>
    stream.isTTY && process.env["NO_COLOR"] === undefined ? styleText(style, text) : text;
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    write: (text) => void process.stdout.write(text),
    err: (line) => void process.stderr.write(`${line}\n`),
    paint: painter(process.stdout),
    paintErr: painter(process.stderr),
    cwd: process.cwd(),
    dockerHost: process.env["DOCKER_HOST"],
  };
}
