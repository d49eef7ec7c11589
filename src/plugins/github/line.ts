import type { Octokit } from "@octokit/core";
import { askedWaitMs } from "../../engine/asked-wait.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import type { Secret } from "../../engine/secret.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { Rate } from "./api.ts";
import { failureOf, thrownBy } from "./failures.ts";
import { installationClient, type OctokitOptions } from "./octokit.ts";
import type { Rank } from "./permissions.ts";

/** The share of the hour's requests that is left to those of a higher rank. */
const RESERVED: Readonly<Record<Rank, number>> = { first: 0, second: 0.02, last: 0.05 };
/** So much later than the first may the others come after a rest, milliseconds. */
const BEHIND_MS: Readonly<Record<Rank, number>> = { first: 0, second: 5_000, last: 10_000 };

export interface Asked {
  readonly route: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly token: Secret;
  /** What this is for, as the beginning of a message. */
  readonly doing: string;
  readonly rank: Rank;
  readonly signal: AbortSignal;
  /** The answer is wanted only if it is another one now. */
  readonly etag?: string;
  /** That there is no such thing is an answer too. */
  readonly orMissing?: boolean;
}

export interface Answered {
  /** 304: nothing has changed; 404, when asked for: there is no such thing. `data` is then nothing. */
  readonly status: number;
  readonly data: unknown;
  readonly etag?: string;
  readonly link?: string;
}

/** The way to GitHub for one installation: its throttle, and what is left of its hour. */
export class Line {
  readonly account: string;
  readonly #client: Octokit;
  readonly #clock: Clock;
  readonly #onRate: () => void;
  #rate: Omit<Rate, "account"> | undefined;
  /** When the hour is over, by the clock that nobody sets. */
  #resetAtMs = 0;
  /** GitHub asked not to be asked before this time, by the same clock. */
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: OctokitOptions, installation: number, account: string, onRate: () => void) {
    this.account = account;
    this.#clock = options.clock;
    this.#onRate = onRate;
    this.#client = installationClient(options, String(installation), (headers) => this.#note(headers));
  }

  get rate(): Rate | undefined {
    return this.#rate === undefined ? undefined : { account: this.account, ...this.#rate };
  }

  /** Fails with `FORGE_TOKEN` when the token is worth nothing any more, and as the whole client does. */
  async send(asked: Asked): Promise<Result<Answered>> {
    const rest = this.#mustRest(asked);
    if (rest !== undefined) return rest;
    const { route, params, token, doing, signal, etag } = asked;
    const headers = {
      authorization: `token ${token.reveal()}`,
      ...(etag === undefined ? {} : { "if-none-match": etag }),
    };
    try {
      const answer = await this.#client.request(route, { ...params, headers, request: { signal } });
      const data: unknown = answer.data;
      if (answer.status !== 204 && (typeof data !== "object" || data === null))
        return failure(problem("FORGE_FAULT", `${doing}: the answer is no JSON, or is cut off`));
      const { etag: tag, link } = answer.headers;
      return success({
        status: answer.status,
        data,
        ...(tag === undefined ? {} : { etag: tag }),
        ...(link === undefined ? {} : { link }),
      });
    } catch (error) {
      return this.#missed(error, asked);
    }
  }

  #missed(error: unknown, { doing, signal, orMissing, rank }: Asked): Result<Answered> {
    const status = thrownBy(error)?.status;
    if (status === 304 || (status === 404 && orMissing === true)) return success({ status, data: undefined });
    const failed = failureOf(error, doing, this.#clock, signal);
    if (failed.retryAtMs === undefined) return failure(failed);
    const restMs = askedWaitMs(failed.retryAtMs, this.#clock.now());
    this.#restUntilMs = Math.max(this.#restUntilMs, this.#clock.elapsed() + restMs);
    return failure({ ...failed, retryAtMs: this.#clock.now() + restMs + BEHIND_MS[rank] });
  }

  /** So that a limit is not run into again and again, and what is left goes to what matters most. */
  #mustRest({ doing, rank }: Asked): Result<never> | undefined {
    const elapsedMs = this.#clock.elapsed();
    const refuse = (why: string, untilMs: number): Result<never> =>
      failure({
        ...problem("FORGE_RATE_LIMITED", `${doing}: ${why}`),
        retryAtMs: this.#clock.now() + untilMs - elapsedMs,
      });
    const restUntilMs = this.#restUntilMs + BEHIND_MS[rank];
    if (elapsedMs < restUntilMs) return refuse("GitHub wants to be left alone for a while", restUntilMs);
    const rate = this.#rate;
    if (rate === undefined || elapsedMs >= this.#resetAtMs || rate.remaining >= rate.limit * RESERVED[rank])
      return undefined;
    return refuse(`only ${rate.remaining} of ${rate.limit} requests are left for ${this.account}`, this.#resetAtMs);
  }

  #note(headers: Headers): void {
    const [remaining, limit, reset] = ["remaining", "limit", "reset"].map((name) => {
      const text = headers.get(`x-ratelimit-${name}`);
      return text === null ? Number.NaN : Number(text);
    });
    if (remaining === undefined || limit === undefined || reset === undefined) return;
    if (!Number.isFinite(remaining) || !Number.isFinite(limit) || !Number.isFinite(reset)) return;
    this.#resetAtMs = this.#clock.elapsed() + askedWaitMs(reset * 1000, this.#clock.now());
    const changed = this.#rate?.remaining !== remaining || this.#rate.resetMs !== reset * 1000;
    this.#rate = { remaining, limit, resetMs: reset * 1000 };
    if (changed) this.#onRate();
  }
}
