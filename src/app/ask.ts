import type { Result } from "../term/output.ts";
import { type Client, openClient } from "./client.ts";
import type { Call } from "./command.ts";
import type { Exit } from "./exit.ts";
import { type Fields, fieldsOf, textOf } from "./fields.ts";
import { jobPath } from "./job-id.ts";
import { report } from "./report.ts";

/** Asks the server and prints the answer: as JSON with `--json`, else by `print`. */
export async function ask(
  call: Call,
  question: (client: Client) => Promise<Result<unknown>>,
  print: (answer: unknown) => void,
): Promise<Exit> {
  const client = openClient(call);
  if (!client.ok) return report(call.io, client.error);
  const answer = await question(client.value);
  if (!answer.ok) return report(call.io, answer.error);
  if (call.given.has("json")) call.io.out(JSON.stringify(answer.value, undefined, 2));
  else print(answer.value);
  return "done";
}

/** The same about the job that the first argument names. */
export async function askJob(
  call: Call,
  question: (client: Client, path: string) => Promise<Result<unknown>>,
  print: (answer: Fields) => void,
): Promise<Exit> {
  const path = jobPath(call.args[0]);
  return path.ok
    ? ask(
        call,
        (client) => question(client, path.value),
        (answer) => print(fieldsOf(answer)),
      )
    : report(call.io, path.error);
}

/** Sends an action on a job; `done` says what happened. */
export function actOnJob(call: Call, action: "rebuild" | "cancel" | "start", done: string): Promise<Exit> {
  return askJob(
    call,
    (client, path) => client.send("POST", `${path}/${action}`, whyIn(call)),
    (answer) => {
      const job = textOf(answer, "job");
      call.io.out(job === undefined ? done : `${done}: ${job}`);
    },
  );
}

/** Why it is done, as `--why` says it: a field of every action. */
export function whyIn({ given }: Call): Fields {
  const why = given.text("why");
  return why === undefined ? {} : { why };
}

/** A path with the filters that were given. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}
