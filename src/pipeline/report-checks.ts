import { Entries, STRANGER_MAX } from "../engine/access/entries.ts";
import { whoIs } from "../engine/access/identity.ts";
import type { Outbox } from "../engine/effects/outbox.ts";
import type { Sender } from "../engine/effects/sender.ts";
import { wanted } from "../engine/effects/wanted.ts";
import type { Engine } from "../engine/engine.ts";
import { problem } from "../engine/errors.ts";
import type { Hint } from "../engine/inbound.ts";
import { paced } from "../engine/paced.ts";
import type { Person } from "../engine/refs.ts";
import type { JobRow } from "../engine/store/store.ts";
import { type CheckedBuild, type CheckWant, checkKey, checkOf } from "../plugins/github/index.ts";
import { map } from "../term/combinators.ts";
import { failure, type Output, type Result, success } from "../term/output.ts";
import type { Box, Term } from "../term/term.ts";
import type { BuildState, CheckReport } from "./checks.ts";
import type { Writers } from "./may-build.ts";
import type { Reread } from "./reread.ts";
import type { RepoName } from "./types.ts";

export interface ReportOptions {
  readonly outbox: Outbox;
  readonly sender: Sender<CheckWant>;
  /** Where the pages are: `https://deploy.example`, without a slash at the end. */
  readonly site: string;
  /** The line of a job's log that tells best what went wrong, when it is known. */
  readonly headlineOf?: (job: string) => string | undefined;
}

const RETRY_MS = 60_000;
/** What people there are called by. */
const FORGE = "github";
const NEVER = new AbortController().signal;
/** After a start a commit that was read may have to be fetched before it is reported on. */
const KNOWN_MS = 10 * 60_000;

/**
 * Tells the forge how far each checked commit is, and runs again what failed when somebody asks for that there.
 *
 * Lives as long as the engine.
 */
export class CheckReports {
  readonly #engine: Engine;
  readonly #options: ReportOptions;
  readonly #refusals: Entries;
  readonly #startedMs: number;
  /** What was refused may be let in now. Not each time: anybody may install a public app. */
  readonly #retry: ReturnType<typeof paced>;
  /** The newest report of each term that tells. */
  readonly #reports = new Map<string, CheckReport>();

  constructor(engine: Engine, options: ReportOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#refusals = new Entries(engine.clock, (...entry) => engine.audit.note(...entry));
    options.outbox.register(options.sender);
    this.#startedMs = engine.clock.elapsed();
    this.#retry = paced(() => options.outbox.retryRefused(), RETRY_MS, engine.clock);
    engine.steps.subscribe({ complete: () => this.#retry.stop() });
  }

  /** A term that is ok when the forge has confirmed what the report comes to. */
  term(box: Box, report: Term<CheckReport>): Term<unknown> {
    const { outbox, sender } = this.#options;
    const { scope } = this.#engine.world.graph;
    scope.onRelease(() => void this.#reports.delete(box.key));
    const want = map(report, (now) => {
      this.#reports.set(box.key, now);
      return this.#wantOf(now);
    });
    return wanted(this.#engine, box, outbox, sender, checkKey, want);
  }

  #wantOf(report: CheckReport): CheckWant {
    const { repo, repository, commit, allowed } = report;
    const builds = report.builds.map((build) => this.#built(build));
    return checkOf({ repo, repository, commit, allowed, builds, site: this.#options.site });
  }

  #built(build: BuildState): CheckedBuild {
    const row = this.#jobOf(build);
    const headline = row === undefined ? undefined : this.#options.headlineOf?.(row.id);
    return {
      spec: build.spec,
      output: build.output,
      ...(row === undefined ? {} : { job: row }),
      ...(headline === undefined ? {} : { headline }),
    };
  }

  /** Its own, or that of what it waits for: a fetch, say. */
  #jobOf({ job, output }: BuildState): JobRow | undefined {
    const id = job ?? this.#jobAtOrigin(output);
    if (id === undefined) return undefined;
    return this.#engine.jobs.newest(id) ?? this.#engine.store.queries.job(id);
  }

  #jobAtOrigin(output: Output<unknown>): string | undefined {
    return output.state === "ok" ? undefined : this.#engine.world.terms.get(output.origin)?.metadata.job;
  }

  /**
   * Does what somebody asked for at the forge, if they may write to the repository, as of a minute ago at most. Of a
   * commit that is not known the repository is read anew first: fails transiently until that went well.
   */
  async handle(hint: Hint, writers: Pick<Writers, "mayWrite">, reread: Reread): Promise<Result<void>> {
    if (hint.kind === "installations") this.#retry.call();
    if (hint.kind !== "rerequested") return success(undefined);
    if (this.#of(hint).length === 0) {
      const read = await reread.read(hint.repository);
      if (!read.ok) return read;
    }
    const name = this.#of(hint)[0]?.repo ?? reread.nameOf(hint.repository);
    return name === undefined ? success(undefined) : this.#rerun(hint, name, writers);
  }

  #of({ repository, commit }: Pick<CheckReport, "repository" | "commit">): readonly CheckReport[] {
    return [...this.#reports.values()].filter((one) => one.repository === repository && one.commit === commit);
  }

  /** The forge shows the check as queued from now on: it is told again how things are, whatever is run. */
  async #rerun(
    { repository, commit, author }: Extract<Hint, { kind: "rerequested" }>,
    repo: RepoName,
    writers: Pick<Writers, "mayWrite">,
  ): Promise<Result<void>> {
    const { outbox, sender } = this.#options;
    const asked = this.#of({ repository, commit });
    const about = { repo, commit };
    if (asked.length === 0 && this.#mayBeKnownYet())
      return failure(problem("INTERRUPTED", `nothing is known of commit ${commit} yet`));
    const may = author === undefined ? success(false) : await writers.mayWrite(repo, author.id, NEVER);
    if (!may.ok) return may;
    if (author === undefined || !may.value) this.#refuse(about, author);
    else if (asked.length > 0) await this.#rebuildFailed(asked, author);
    else await this.#note(author, nameOf(about), "asked for on GitHub: nothing is at this commit any more");
    if (asked.length > 0) outbox.again(sender, checkKey({ repository, commit }));
    return success(undefined);
  }

  async #rebuildFailed(asked: readonly CheckReport[], author: Person): Promise<void> {
    const failed = asked.flatMap(({ builds }) => builds).filter(hasFailed);
    const jobs = new Map(
      failed.flatMap((build) => this.#jobOf(build) ?? []).map((row) => [`${row.op} ${row.key}`, row]),
    );
    for (const [name, { id }] of jobs) {
      this.#rebuild(name);
      await this.#note(author, id, "asked for on GitHub");
    }
    if (jobs.size === 0)
      for (const subject of new Set(asked.map(nameOf)))
        await this.#note(author, subject, "asked for on GitHub: nothing there has failed");
  }

  #note(author: Person, subject: string, detail: string): Promise<unknown> {
    return this.#engine.audit.record(whoIs(FORGE, author), "rebuild", subject, detail);
  }

  #refuse(asked: Pick<CheckReport, "repo" | "commit">, author: Person | undefined): void {
    const who = author === undefined ? `anonymous@${FORGE}` : whoIs(FORGE, author);
    const why =
      author === undefined ? "GitHub does not say who asks" : `${author.login} may not write to ${asked.repo}`;
    this.#refusals.ofKnown(who, "rebuild", nameOf(asked), `refused: ${why}`, STRANGER_MAX);
  }

  #mayBeKnownYet(): boolean {
    return this.#engine.clock.elapsed() - this.#startedMs <= KNOWN_MS;
  }

  #rebuild(name: string): void {
    const again = this.#engine.jobs.rebuilders.get(name);
    if (again === undefined) return;
    // One that runs already is what was asked for.
    this.#engine.background(async () => void (await again()));
  }
}

const nameOf = ({ repo, commit }: Pick<CheckReport, "repo" | "commit">): string => `${repo} ${commit}`;

const hasFailed = ({ output }: BuildState): boolean =>
  output.state === "failed" && output.failure.class !== "transient";
