import type { FastifyInstance } from "fastify";
import { type Clock, createClock } from "../../src/engine/clock.ts";
import { Secret } from "../../src/engine/secret.ts";
import { buildServer, type RunningWeb, startWeb, type WebOptions } from "../../src/web/server.ts";
import type { FakeView } from "./view.ts";

export const TOKEN = "correct-horse-battery-staple-42";
export const BEARER = { authorization: `Bearer ${TOKEN}` };

/** A server to inject requests into. */
export async function injectable(view: FakeView, clock: Clock = createClock(), more: Partial<WebOptions> = {}) {
  const faults: unknown[] = [];
  const options = { view, clock, host: "127.0.0.1", port: 0, token: new Secret(TOKEN) };
  const app = await buildServer({ ...options, report: (error) => faults.push(error), ...more });
  return { app, faults };
}

/** A server on a free port (or on the one of its predecessor), for streams and browsers. */
export async function listening(
  view: FakeView,
  clock: Clock = createClock(),
  port = 0,
  more: Partial<WebOptions> = {},
): Promise<RunningWeb> {
  const options = { view, clock, host: "127.0.0.1", port, token: new Secret(TOKEN) };
  const started = await startWeb({
    ...options,
    report: (error) => {
      throw error;
    },
    ...more,
  });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
}

export interface SignedIn {
  readonly cookie: string;
  readonly csrf: string;
}

/** Signs in as a browser does; the CSRF token is read from the page. */
export async function signIn(app: FastifyInstance): Promise<SignedIn> {
  const reply = await app.inject({ method: "POST", url: "/login", ...form({ token: TOKEN }) });
  const cookie = cookieOf(reply.headers["set-cookie"]);
  const page = await app.inject({ url: "/login", headers: { cookie } });
  return { cookie, csrf: /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? "" };
}

export const cookieOf = (header: string | readonly string[] | undefined): string =>
  [header].flat().join("").split(";")[0] ?? "";

/** Headers and body of a form that a browser sends. */
export const form = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) => ({
  headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  payload: new URLSearchParams(fields).toString(),
});
