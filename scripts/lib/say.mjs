// What the set-up commands print: what is being done, and how long it took.
const WIDTH = 11;
const QUIET_MS = 400;

/** A stop with a message for a person: no stack trace is shown. */
export class Stop extends Error {
  /** @param {string} message what is wrong  @param {string} [todo] what to do about it */
  constructor(message, todo) {
    super(todo === undefined ? message : `${message}\n${indent(todo)}`);
    this.name = "Stop";
  }
}

/** One line: a word in the first column, then the text. */
export function say(word, text) {
  process.stdout.write(`${word.padEnd(WIDTH)} ${text}\n`);
}

/**
 * Does `work`, says what is being done when it takes longer than a moment, and says the answer with the time taken.
 *
 * `work` returns the text of the answer, or an object with `text` and anything else, which is passed on.
 */
export async function timed(word, doing, work) {
  const startMs = performance.now();
  const announce = setTimeout(() => say(word, `${doing} …`), QUIET_MS);
  try {
    const answer = await work();
    const text = typeof answer === "string" ? answer : answer.text;
    clearTimeout(announce);
    say(word, `${text} (${seconds(performance.now() - startMs)})`);
    return answer;
  } finally {
    clearTimeout(announce);
  }
}

export function seconds(milliseconds) {
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)} m ${String(Math.round((milliseconds % 60_000) / 1000)).padStart(2, "0")} s`;
}

export const indent = (text) => text.replaceAll(/^/gm, "  ");

/** Runs a command's main function: a `Stop` ends with its message and status 1, anything else is a fault of ours. */
export async function main(command, work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    process.stderr.write(`\n${command}: ${error.message}\n`);
    process.exitCode = 1;
  }
}
