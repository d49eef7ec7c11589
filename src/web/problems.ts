import type { FastifyReply, FastifyRequest } from "fastify";
import { problem } from "../engine/errors.ts";
import { CSV_CHARS_MAX } from "../engine/log-rules/rule.ts";
import type { ActionResult } from "../engine/view.ts";
import type { Failure } from "../term/output.ts";

/** Ends a request with a failure. It is thrown, since hooks of fastify have no other way to say it. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly failure: Failure;
  /** It is in the audit log already. */
  readonly recorded: boolean;
  constructor(status: number, failure: Failure, recorded = false) {
    super(failure.message);
    this.status = status;
    this.failure = failure;
    this.recorded = recorded;
  }
}

const STATUS: Readonly<Record<string, number>> = { NOT_FOUND: 404, NOT_POSSIBLE: 409, BAD_REQUEST: 400 };
const STATUS_OF_CLASS = { failed: 409, transient: 503, system: 500 } as const;

/** The HTTP status of an action's failure. */
const statusOf = (failure: Failure): number => STATUS[failure.code] ?? STATUS_OF_CLASS[failure.class];

/** The end of a request that failed so. */
export const refusedWith = (failure: Failure): Refused => new Refused(statusOf(failure), failure);

/** The same where what did the failing has written it down. */
export const recordedWith = (failure: Failure): Refused => new Refused(statusOf(failure), failure, true);

/** The job of a good action, or the end of the request. */
export function outcomeOf(result: ActionResult): { readonly job?: string } {
  if (!result.ok) throw recordedWith(result.error);
  return result.job === undefined ? {} : { job: result.job };
}

/** The file is too long to be looked at. */
export function tooLongCsv(csv: string): Refused | undefined {
  if (csv.length <= CSV_CHARS_MAX) return undefined;
  const message = `nothing was imported: the CSV has ${csv.length} characters, and at most ${CSV_CHARS_MAX} are taken`;
  return new Refused(413, problem("BAD_REQUEST", message, { hint: "Import it without the rules that you can spare." }));
}

/**
 * Whatever was thrown in a request, as status and failure; a fault of ours says nothing of its inside.
 *
 * @param bytesMax What the body of this request may have.
 */
export function refusalOf(error: unknown, bytesMax: number): { readonly status: number; readonly failure: Failure } {
  if (error instanceof Refused) return error;
  const status: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "statusCode") : undefined;
  if (error instanceof Error && typeof status === "number" && status >= 400 && status < 500) {
    if (status === 414) return { status: 404, failure: problem("NOT_FOUND", "there is nothing at this address") };
    if (status === 413) return { status, failure: tooLarge(bytesMax) };
    return { status, failure: problem("BAD_REQUEST", error.message) };
  }
  return { status: 500, failure: problem("PROGRAM_FAULT", "the request ended in an error of the server") };
}

const tooLarge = (bytesMax: number): Failure =>
  problem("BAD_REQUEST", `the body of the request has more than ${bytesMax} bytes: nothing of it was looked at`, {
    hint: "Send less at once.",
  });

/** Who reads the answer: a person with a browser, or a program. */
export const forProgram = (request: FastifyRequest): boolean =>
  /^\/(api|healthz|readyz|metrics|webhooks)\b/.test(request.routeOptions.url ?? request.url);

/** RFC 9457 with our code, and what to do. */
export function sendProblem(reply: FastifyReply, status: number, failure: Failure): FastifyReply {
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="millrace"');
  if (status === 429 || status === 503) reply.header("retry-after", "60");
  return reply
    .code(status)
    .type("application/problem+json")
    .send({
      type: "about:blank",
      title: titles[status] ?? "Not possible",
      status,
      detail: failure.message,
      code: failure.code,
      ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    });
}

export const titles: Readonly<Record<number, string>> = {
  400: "The request is wrong",
  401: "Sign in first",
  403: "Not allowed",
  404: "Not found",
  409: "Not possible now",
  413: "Too large",
  415: "Unknown kind of content",
  429: "Too many tries",
  500: "A fault of Millrace",
  503: "Not available right now",
};
