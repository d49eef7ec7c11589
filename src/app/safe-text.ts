import { MARK } from "../engine/job-log.ts";

/**
 * Text of a log as a terminal may see it: colours stay, anything that could move the cursor, set a title, write the
 * clipboard or reorder letters goes.
 */
export function safeText(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?)/g, "")
      // oxlint-disable-next-line no-control-regex
      .replace(/\u001b(?!\[[\d;]*m)(?:\[[\d;?<=>!]*[ -/]*[@-~]?|.?)/g, "")
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, "")
  );
}

/** Prints a log as it arrives, whole lines at a time; lines of Millrace's own are told from output by `own`. */
export class LogPrinter {
  #rest = "";
  readonly #write: (text: string) => void;
  readonly #own: (line: string) => string;

  constructor(write: (text: string) => void, own: (line: string) => string) {
    this.#write = write;
    this.#own = own;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#write(`${this.#shown(line)}\n`);
  }

  end(): void {
    if (this.#rest !== "") this.#write(`${this.#shown(this.#rest)}\n`);
    this.#rest = "";
  }

  #shown(line: string): string {
    const text = safeText(line);
    return line.startsWith(MARK) ? this.#own(text) : text;
  }
}
