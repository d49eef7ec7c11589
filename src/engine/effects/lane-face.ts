import { Variable } from "../../incr/index.ts";
import { active, type Failure, failed, ok, type Phase } from "../../term/output.ts";
import { type Answer, sameAnswer } from "../../term/term.ts";
import type { Cause, Engine } from "../engine.ts";
import type { EventRow } from "../store/store.ts";

/** What a deploy term is worth: what runs on the target, and the wanted value's generation that this is true for. */
export interface Deployed {
  readonly running: string;
  readonly generation: number;
}

/** What a lane shows of itself. */
export class LaneFace {
  readonly answer: Variable<Answer<Deployed>>;
  readonly #engine: Engine;
  readonly #term: string;
  /** The job that the state is told by. */
  readonly #job: () => string | undefined;
  #deployed: Deployed = { running: "", generation: 0 };
  /** What the next thing shown follows from: the cause that whoever reads this lane records. */
  #news: Cause | readonly EventRow[] | undefined;

  constructor(engine: Engine, term: string, job: () => string | undefined) {
    this.#engine = engine;
    this.#term = term;
    this.#job = job;
    this.answer = new Variable(engine.world.graph, this.#answer(active("ready", term)), sameAnswer);
  }

  /** An ending that the next state tells of. */
  tell(news: Cause): void {
    this.#news = news;
  }

  active(phase: Phase, detail?: string): void {
    this.#show(active(phase, this.#term), detail);
  }

  failed(error: Failure): void {
    this.#show(failed(error, this.#term));
  }

  /** `because`: the events that made it wanted, for whoever reads this lane when no ending tells. */
  ok(deployed: Deployed, detail: string | undefined, because: readonly EventRow[]): void {
    const { running, generation } = this.#deployed;
    if (running !== deployed.running || generation !== deployed.generation) {
      this.#deployed = deployed;
      this.#news ??= because;
    }
    this.#show(ok(this.#deployed), detail);
  }

  #show(output: Answer<Deployed>["output"], detail?: string): void {
    const news = output.state === "active" ? undefined : this.#news;
    if (news !== undefined) this.#news = undefined;
    const next = this.#answer(output, detail);
    if (news === undefined && sameAnswer(this.answer.latest, next)) return; // a look that found nothing new is no step
    this.#engine.change(news, () => this.answer.set(next));
  }

  #answer(output: Answer<Deployed>["output"], detail?: string): Answer<Deployed> {
    const job = this.#job();
    return { output, metadata: { ...(job === undefined ? {} : { job }), ...(detail === undefined ? {} : { detail }) } };
  }
}
