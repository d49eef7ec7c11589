import type { Octokit } from "@octokit/core";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import type { Installation } from "./api.ts";
import { failureOf } from "./failures.ts";
import { nextPage } from "./link.ts";
import { recordOf } from "./shape.ts";

/** An account that is not there, or suspended, is looked for again after this time, not before. */
const AGAIN_MS = 60_000;
const PAGES_MAX = 100;

/** Where the app is installed, by account. Read once, and again when GitHub says that it changed. */
export class Installations {
  readonly #app: Octokit;
  readonly #api: URL;
  readonly #clock: Clock;
  readonly #allowed: ReadonlySet<string> | undefined;
  #known: readonly Installation[] | undefined;
  /** There may be newer ones. */
  #isOld = false;
  #askedAtMs = 0;
  /** Why they could not be read when they were last asked for. */
  #trouble: Failure | undefined;
  #reading: Promise<Result<readonly Installation[]>> | undefined;

  /** @param allowlist Accounts that are served; undefined: all. */
  constructor(app: Octokit, api: URL, clock: Clock, allowlist: readonly string[] | undefined) {
    this.#app = app;
    this.#api = api;
    this.#clock = clock;
    this.#allowed = allowlist === undefined ? undefined : new Set(allowlist.map((name) => name.toLowerCase()));
  }

  /** What is being read right now is too old as well. What is known stays until there is something newer. */
  refresh(): void {
    this.#isOld = true;
    this.#reading = undefined;
  }

  /** Those on accounts of the allow-list. */
  async list(): Promise<Result<readonly Installation[]>> {
    if (this.#known !== undefined && !this.#isOld) return success(this.#known);
    return this.#renewed();
  }

  /** The installation on `owner`. Fails with `NO_INSTALLATION`. */
  async find(owner: string): Promise<Result<Installation>> {
    if (this.#allowed?.has(owner.toLowerCase()) === false)
      return refuse(`${owner} is not in the allow-list of accounts`);
    const listed = await this.list();
    if (!listed.ok && this.#known === undefined) return listed;
    const known = of(this.#known ?? (listed.ok ? listed.value : []), owner);
    if (known?.suspended === false) return success(known);
    if (this.#isRecent()) return this.#trouble === undefined ? usable(known, owner) : failure(this.#trouble);
    const again = await this.#renewed();
    return again.ok ? usable(of(again.value, owner), owner) : again;
  }

  /** Who asks at the same time waits for the same answer; while there is trouble, what is known has to do for a while. */
  async #renewed(): Promise<Result<readonly Installation[]>> {
    if (this.#known !== undefined && this.#trouble !== undefined && this.#isRecent()) return failure(this.#trouble);
    this.#reading ??= this.#begin();
    return this.#reading;
  }

  #isRecent(): boolean {
    return this.#clock.elapsed() - this.#askedAtMs < AGAIN_MS;
  }

  /** Keeps what was read, unless it was to be read anew meanwhile. */
  #begin(): Promise<Result<readonly Installation[]>> {
    const reading = this.#read().then((read) => {
      if (this.#reading !== reading) return read;
      this.#reading = undefined;
      this.#askedAtMs = this.#clock.elapsed();
      this.#trouble = read.ok ? undefined : read.error;
      if (!read.ok) return read;
      this.#known = read.value;
      this.#isOld = false;
      return read;
    });
    return reading;
  }

  async #read(): Promise<Result<readonly Installation[]>> {
    const found: Installation[] = [];
    try {
      let url: string | undefined = "/app/installations?per_page=100";
      for (let page = 0; url !== undefined && page < PAGES_MAX; page += 1) {
        const answer: { readonly data: unknown; readonly headers: { readonly link?: string } } =
          await this.#app.request({ method: "GET", url });
        if (!Array.isArray(answer.data)) return failure(problem("FORGE_FAULT", "the list of installations is cut off"));
        found.push(...answer.data.flatMap(installationOf));
        const next = nextPage(answer.headers.link, this.#api);
        if (!next.ok) return next;
        url = next.value;
      }
    } catch (error) {
      return failure(failureOf(error, "list the installations of the app", this.#clock));
    }
    return success(found.filter(({ account }) => this.#allowed?.has(account.toLowerCase()) ?? true));
  }
}

const of = (all: readonly Installation[], owner: string): Installation | undefined =>
  all.find(({ account }) => account.toLowerCase() === owner.toLowerCase());

function usable(found: Installation | undefined, owner: string): Result<Installation> {
  if (found === undefined) return refuse(`the app is not installed on ${owner}`);
  return found.suspended ? refuse(`the installation of the app on ${owner} is suspended`) : success(found);
}

const refuse = (message: string): Result<never> => failure(problem("NO_INSTALLATION", message));

const isGranted = (entry: readonly [string, unknown]): entry is [string, string] => typeof entry[1] === "string";

/** One odd installation is nobody else's trouble: it is left out. */
function installationOf(value: unknown): readonly Installation[] {
  const fields = recordOf(value);
  const { id, suspended_at: suspendedAt } = fields;
  const { login } = recordOf(fields["account"]);
  if (typeof id !== "number" || typeof login !== "string") return [];
  const permissions = Object.entries(recordOf(fields["permissions"])).filter(isGranted);
  const events = Array.isArray(fields["events"]) ? fields["events"].filter((one) => typeof one === "string") : [];
  const suspended = typeof suspendedAt === "string";
  return [{ id, account: login, suspended, permissions: Object.fromEntries(permissions), events }];
}
