import type { Outbox } from "../engine/effects/outbox.ts";
import type { Sender } from "../engine/effects/sender.ts";
import { wanted } from "../engine/effects/wanted.ts";
import type { Engine } from "../engine/engine.ts";
import type { Hint, Hints } from "../engine/inbound.ts";
import type { JobRow } from "../engine/store/store.ts";
import { type CheckedBuild, type CheckWant, checkKey, checkOf } from "../plugins/github/index.ts";
import { map } from "../term/combinators.ts";
import type { Output } from "../term/output.ts";
import type { Box, Term } from "../term/term.ts";
import type { BuildState, CheckReport } from "./checks.ts";

export interface ReportOptions {
  readonly outbox: Outbox;
  readonly sender: Sender<CheckWant>;
  /** Where the pages are: `https://deploy.example`, without a slash at the end. */
  readonly site: string;
  readonly hints?: Hints;
  /** The line of a job's log that tells best what went wrong, when it is known. */
  readonly headlineOf?: (job: string) => string | undefined;
}

/**
 * Tells the forge how far each checked commit is, and runs again what failed when somebody asks for that there.
 *
 * Lives as long as the engine.
 */
export class CheckReports {
  readonly #engine: Engine;
  readonly #options: ReportOptions;
  /** The newest report of each term that tells. */
  readonly #reports = new Map<string, CheckReport>();

  constructor(engine: Engine, options: ReportOptions) {
    this.#engine = engine;
    this.#options = options;
    options.outbox.register(options.sender);
    options.hints?.changes.subscribe((hint) => this.#hinted(hint));
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

  #hinted(hint: Hint): void {
    if (hint.kind === "installations") return this.#options.outbox.retryRefused();
    if (hint.kind === "rerequested") this.#rerun(hint);
  }

  /** The forge shows the check as queued from now on: it is told again how things are, whatever is run. */
  #rerun({ repository, commit }: Extract<Hint, { kind: "rerequested" }>): void {
    const { outbox, sender } = this.#options;
    const asked = [...this.#reports.values()].filter((one) => one.repository === repository && one.commit === commit);
    if (asked.length === 0) return;
    const failed = asked.flatMap(({ builds }) => builds).filter(hasFailed);
    const jobs = new Map(
      failed.flatMap((build) => this.#jobOf(build) ?? []).map((row) => [`${row.op} ${row.key}`, row]),
    );
    for (const name of jobs.keys()) this.#rebuild(name);
    outbox.again(sender, checkKey({ repository, commit }));
  }

  #rebuild(name: string): void {
    const again = this.#engine.jobs.rebuilders.get(name);
    if (again === undefined) return;
    // One that runs already is what was asked for.
    this.#engine.background(async () => void (await again()));
  }
}

const hasFailed = ({ output }: BuildState): boolean =>
  output.state === "failed" && output.failure.class !== "transient";
