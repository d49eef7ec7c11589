import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createClock } from "../engine/clock.ts";
import { problem } from "../engine/errors.ts";
import { Secret } from "../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import type { Call } from "./command.ts";
import { type Fields, fieldsOf, textOf } from "./fields.ts";
import { pathOf } from "./path-of.ts";
import { serverFile } from "./run.ts";

/** How long a server may take to answer, in milliseconds. */
const ANSWER_MS_MAX = 30_000;

export interface LogPart {
  readonly text: string;
  /** `from` itself when there is nothing more for now. */
  readonly next: number;
  /** The job had ended when this was read. */
  readonly ended: boolean;
}

/** A running server, by its HTTP API. */
export interface Client {
  /** Reads with the token, if there is one: where not everybody may read, it is needed. */
  get(path: string): Promise<Result<unknown>>;
  /** Reads with the token what never everybody may see. Fails with `NO_TOKEN` without one. */
  read(path: string): Promise<Result<unknown>>;
  /** Acts with the token. Fails with `NO_TOKEN` without one. */
  send(method: "POST" | "PUT", path: string, body: Fields): Promise<Result<unknown>>;
  /** A webhook delivery, as the forge itself would send it. */
  deliver(forge: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<Result<unknown>>;
  /** A part of a job's log from byte `from`, and where the next one begins. */
  log(path: string, from: number): Promise<Result<LogPart>>;
}

/** The server of `--url`, or the one that runs on `--state`. Fails with `NO_SERVER`. */
export function openClient(call: Call): Result<Client> {
  const base = serverUrl(call);
  if (!base.ok) return base;
  const request = (path: string, init: RequestInit): Promise<Result<Response>> => at(`/api/v1/${path}`, init);
  const at = async (path: string, init: RequestInit): Promise<Result<Response>> => {
    const response = await answer(`${base.value}${path}`, init);
    if (!response.ok) return failure(response.error);
    return response.value.ok ? response : failure(await refusal(response.value));
  };
  return success({
    get: async (path) => {
      const headers = headersOf(call, base.value);
      return headers.ok ? bodyOf(await request(path, { headers: headers.value })) : headers;
    },
    read: async (path) => {
      const token = tokenFor(call, base.value);
      return token.ok ? bodyOf(await request(path, { headers: withToken(token.value) })) : token;
    },
    send: async (method, path, body) => {
      const token = tokenFor(call, base.value);
      if (!token.ok) return token;
      const headers = { ...withToken(token.value), "content-type": "application/json" };
      return bodyOf(await request(path, { method, headers, body: JSON.stringify(body) }));
    },
    deliver: async (forge, body, headers) => {
      const init = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body };
      return bodyOf(await at(`/webhooks/${forge}`, init));
    },
    log: async (path, from) => {
      const headers = headersOf(call, base.value);
      return headers.ok
        ? logPart(await request(`${path}/log?from=${from}`, { headers: headers.value }), from)
        : headers;
    },
  });
}

/** A token that was named must be there; the one of the state directory is shown if this user can read it. */
function headersOf(call: Call, base: string): Result<Readonly<Record<string, string>>> {
  const token = tokenFor(call, base);
  if (token.ok) return success(withToken(token.value));
  return call.given.text("tokenFile") === undefined ? success({}) : token;
}

const withToken = (token: Secret) => ({ authorization: `Bearer ${token.reveal()}` });

function serverUrl(call: Call): Result<string> {
  const given = call.given.text("url");
  if (given !== undefined) {
    if (/^https?:\/\//.test(given) && URL.canParse(given)) return success(given.replace(/\/+$/, ""));
    return failure(problem("USAGE", `--url "${given}" is not an absolute http:// or https:// address`));
  }
  const url = urlOfState(call);
  if (url !== undefined) return success(url);
  const state = pathOf(call, call.given.text("state") ?? "");
  return failure(problem("NO_SERVER", `no server runs on the state directory ${state}`));
}

const urlOfState = (call: Call): string | undefined =>
  textOf(readFields(serverFile(pathOf(call, call.given.text("state") ?? ""))), "url");

function readFields(file: string): Fields {
  try {
    return fieldsOf(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return {}; // no server, or one that is just writing its note
  }
}

/** The token of a state directory goes to the server of that directory and to nobody else. */
function tokenFor(call: Call, base: string): Result<Secret> {
  const named = call.given.text("tokenFile");
  if (named === undefined && base !== urlOfState(call)) {
    return failure(
      problem("NO_TOKEN", `acting on ${base} needs --token-file: it is not the server of this state directory`),
    );
  }
  const file = pathOf(call, named ?? join(call.given.text("state") ?? "", "token"));
  if (!existsSync(file)) return failure(problem("NO_TOKEN", `there is no token at ${file}, and acting needs one`));
  try {
    return success(new Secret(readFileSync(file, "utf8").trim()));
  } catch {
    return failure(problem("NO_TOKEN", `the token at ${file} cannot be read by this user`));
  }
}

async function answer(url: string, init: RequestInit): Promise<Result<Response>> {
  const late = new AbortController();
  const timer = createClock().after(ANSWER_MS_MAX, () => late.abort());
  try {
    return success(await fetch(url, { ...init, redirect: "error", signal: late.signal }));
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const why = late.signal.aborted ? `no answer in ${ANSWER_MS_MAX / 1000} s` : reasonOf(cause);
    return failure(problem("SERVER_UNREACHABLE", `no server answers at ${new URL(url).origin}: ${why}`));
  } finally {
    timer.unsubscribe();
  }
}

const reasonOf = (cause: unknown): string =>
  textOf(fieldsOf(cause), "code") ?? (cause instanceof Error ? cause.message : "no connection");

/** A refusal in the server's own words, or by its status when something else answers there. */
async function refusal(response: Response): Promise<Failure> {
  const body = fieldsOf(await jsonOf(response));
  const message = textOf(body, "detail") ?? textOf(body, "note") ?? textOf(body, "title");
  if (message === undefined) return noMillrace(response);
  const code = textOf(body, "code");
  const hint = textOf(body, "hint");
  const known = problem(response.status === 401 || response.status === 403 ? "NO_TOKEN" : "SERVER_REFUSED", message);
  return { ...known, ...(code === undefined ? {} : { code }), ...(hint === undefined ? {} : { hint }) };
}

async function bodyOf(response: Result<Response>): Promise<Result<unknown>> {
  if (!response.ok) return response;
  const isJson = response.value.headers.get("content-type")?.includes("json") === true;
  return isJson ? success(await jsonOf(response.value)) : failure(noMillrace(response.value));
}

const noMillrace = ({ url, status }: Response): Failure =>
  problem("SERVER_REFUSED", `what answers at ${new URL(url).origin} is no Millrace: HTTP ${status} without JSON`, {
    hint: "Check --url, and what lies between.",
  });

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return {}; // an empty answer, or a page of something that is no Millrace
  }
}

const OPEN: readonly string[] = ["ready", "waiting", "running"];

async function logPart(response: Result<Response>, from: number): Promise<Result<LogPart>> {
  if (!response.ok) return response;
  const { headers } = response.value;
  const next = Number(headers.get("x-millrace-next") ?? from);
  const ended = !OPEN.includes(headers.get("x-millrace-state") ?? "");
  return success({ text: await response.value.text(), next, ended });
}
