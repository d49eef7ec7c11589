import { whereOf } from "../web/pages/where.ts";
import { type Fields, fieldsOf, listOf, textOf } from "./fields.ts";
import type { Io, Style } from "./io.ts";
import { safeText } from "./safe-text.ts";

const styles: Readonly<Record<string, Style>> = {
  ok: "green",
  failed: "red",
  "rolled-back": "red",
  running: "cyan",
  waiting: "yellow",
  ready: "yellow",
  cancelled: "dim",
  superseded: "dim",
  interrupted: "yellow",
  verified: "green",
};

const STATE_WIDTH = 12;

/** A state in its colour, as wide as the widest. */
export function stateText(io: Io, state: string | undefined): string {
  const style = styles[state ?? ""];
  const padded = (state ?? "unknown").padEnd(STATE_WIDTH);
  return style === undefined ? padded : io.paint(style, padded);
}

/** One line a job: state, id, what it does, why it waits. */
export function printJobs(io: Io, jobs: readonly Fields[]): void {
  for (const job of jobs) {
    const id = io.paint("bold", textOf(job, "id") ?? "");
    const where = whereOf(textOf(job, "term") ?? "");
    const of = where === "" ? "" : io.paint("dim", `  ${safeText(where)}`);
    io.out(`${stateText(io, textOf(job, "state"))}${id}  ${safeText(textOf(job, "description") ?? "")}${of}`);
    const more = textOf(job, "waitingFor") ?? textOf(fieldsOf(job["error"]), "message") ?? progressOf(job);
    for (const line of more?.trimEnd().split("\n") ?? []) io.out(`${" ".repeat(STATE_WIDTH)}${safeText(line)}`);
  }
}

function progressOf(job: Fields): string | undefined {
  const { done, total, label } = fieldsOf(job["progress"]);
  if (typeof done !== "number" || typeof total !== "number") return undefined;
  const usually = job["usuallyMs"];
  const end = typeof usually === "number" ? `, usually ${lengthText(usually)}` : "";
  return `${done} of ${total}${typeof label === "string" ? `: ${label}` : ""}${end}`;
}

const MINUTE_S = 60;

/** `8 s`, `2 m 10`. */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const rest = String(seconds % MINUTE_S).padStart(2, "0");
  return seconds < MINUTE_S ? `${seconds} s` : `${Math.floor(seconds / MINUTE_S)} m ${rest}`;
}

const details = ["term", "op", "at", "level", "pool", "created", "started", "ended", "note", "headline"] as const;

/** Everything of one job but its log. */
export function printJob(io: Io, job: Fields): void {
  printJobs(io, [job]);
  for (const name of details) {
    const text = textOf(job, name);
    if (text !== undefined) io.out(`  ${name.padEnd(STATE_WIDTH - 2)}${safeText(text)}`);
  }
  const hint = textOf(fieldsOf(job["error"]), "hint");
  if (hint !== undefined) io.out(`  ${"to do".padEnd(STATE_WIDTH - 2)}${hint}`);
  printWhy(io, job);
}

/** Why a job ran: the events from outside, and the inputs with what changed among them. */
export function printWhy(io: Io, job: Fields): void {
  for (const event of listOf(job["because"])) {
    const text = safeText(`${textOf(event, "kind") ?? ""}: ${textOf(event, "detail") ?? ""}`);
    io.out(`  because   ${textOf(event, "at") ?? ""}  ${text}`);
  }
  for (const input of listOf(job["inputs"])) {
    const text = safeText(`${textOf(input, "name") ?? ""} = ${textOf(input, "text") ?? ""}`);
    io.out(input["changed"] === true ? `  ${io.paint("bold", "changed")}   ${text}` : `  same      ${text}`);
  }
}
