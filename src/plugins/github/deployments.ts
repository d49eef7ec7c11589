import type { Sender } from "../../engine/effects/sender.ts";
import type { Json } from "../../engine/json.ts";
import { type Result, success } from "../../term/output.ts";
import type { GitHub } from "./api.ts";
import { type DeploymentState, type DeploymentWant, deploymentCodec, deploymentStates } from "./deployment-want.ts";
import { numberIn, recordOf, textIn } from "./shape.ts";

type Asker = Pick<GitHub, "ask">;

/** What is remembered of a place: the newest deployment, and the one that is live. */
interface Kept {
  readonly current?: { readonly id: number; readonly commit: string; readonly state: DeploymentState };
  readonly live?: { readonly id: number; readonly commit: string };
}

interface Made {
  readonly id: number;
  readonly commit: string;
}

const COALESCE_MS = 2_000;
/** How many of the newest are looked through when an answer was lost. */
const LOOK_BACK = 10;

/**
 * Keeps GitHub's deployments of one place: a deployment a commit, its statuses, and "inactive" for those that a newer
 * one has taken the place of. A commit that is deployed again after another one is a new deployment.
 */
export function deploymentSender(github: Asker): Sender<DeploymentWant> {
  const made = new Map<string, readonly Made[]>();
  return {
    kind: "github-deployment",
    want: deploymentCodec,
    coalesceMs: COALESCE_MS,
    overwrites: true,
    send: (want, confirmed, signal, unsure) => new Place(github, made, want, signal).send(keptOf(confirmed), unsure),
  };
}

/** One place while it is told of. */
class Place {
  readonly #github: Asker;
  /** By place: those whose send went no further, because of the rate limit say. The next try goes on with them. */
  readonly #made: Map<string, readonly Made[]>;
  readonly #want: DeploymentWant;
  readonly #signal: AbortSignal;

  constructor(github: Asker, made: Map<string, readonly Made[]>, want: DeploymentWant, signal: AbortSignal) {
    this.#github = github;
    this.#made = made;
    this.#want = want;
    this.#signal = signal;
  }

  async send(kept: Kept, unsure: boolean): Promise<Result<Json>> {
    const { commit, state } = this.#want;
    const found = unsure ? await this.#find(kept) : success(this.#begun());
    if (!found.ok) return found;
    const known = kept.current?.commit === commit ? kept.current.id : found.value.mine;
    const id = known === undefined ? await this.#create() : success(known);
    if (!id.ok) return id;
    const told = await this.#status(id.value, state);
    if (!told.ok) return told;
    const done = await this.#retire([...this.#ended(kept, id.value), ...found.value.stray]);
    if (!done.ok) return done;
    this.#made.delete(this.#want.term);
    const live = state === "success" ? { id: id.value, commit } : kept.live;
    return success(jsonOf({ current: { id: id.value, commit, state }, ...(live === undefined ? {} : { live }) }));
  }

  /** What this send takes the place of: what was live when this one is now, and what never got that far. */
  #ended({ current, live }: Kept, id: number): readonly number[] {
    const open = current?.state === "queued" || current?.state === "in_progress";
    const left = open && current.id !== live?.id ? [current.id] : [];
    const replaced = this.#want.state === "success" && live !== undefined ? [live.id] : [];
    return [...left, ...replaced].filter((one) => one !== id);
  }

  /** Deployments that this process has made, and could not finish with: of this commit, and of others. */
  #begun(): { readonly mine: number | undefined; readonly stray: readonly number[] } {
    const made = this.#made.get(this.#want.term) ?? [];
    const mine = made.find(({ commit }) => commit === this.#want.commit)?.id;
    return { mine, stray: made.flatMap(({ id }) => (id === mine ? [] : [id])) };
  }

  /** Deployments of ours that were made without an answer: of this commit, and of others. */
  async #find({ current, live }: Kept): Promise<Result<{ mine: number | undefined; stray: readonly number[] }>> {
    const { repo, environment, commit, term } = this.#want;
    const query = { environment, task: TASK, per_page: LOOK_BACK };
    const listed = await this.#github.ask(repo, "GET /repos/{owner}/{repo}/deployments", query, this.#signal);
    if (!listed.ok) return listed;
    const all: readonly unknown[] = Array.isArray(listed.value) ? listed.value : [];
    const newer = all
      .map(recordOf)
      .filter(({ payload }) => textIn(recordOf(payload), "millrace") === term)
      .flatMap((one) => {
        const [id, sha] = [numberIn(one, "id"), textIn(one, "sha")];
        return id === undefined || sha === undefined || id <= (current?.id ?? 0) || id === live?.id
          ? []
          : [{ id, sha }];
      });
    const mine = newer.find(({ sha }) => sha === commit)?.id;
    return success({ mine, stray: newer.flatMap(({ id }) => (id === mine ? [] : [id])) });
  }

  async #create(): Promise<Result<number>> {
    const { repo, environment, commit, term, description } = this.#want;
    const params = {
      ref: commit,
      environment,
      task: TASK,
      description,
      payload: { millrace: term },
      auto_merge: false, // exactly this commit
      required_contexts: [], // whether it may be deployed was decided here
    };
    const made = await this.#github.ask(repo, "POST /repos/{owner}/{repo}/deployments", params, this.#signal);
    if (!made.ok) return made;
    const id = numberIn(recordOf(made.value), "id") ?? 0;
    this.#made.set(term, [...(this.#made.get(term) ?? []), { id, commit }]);
    return success(id);
  }

  #status(id: number, state: DeploymentState | "inactive"): Promise<Result<unknown>> {
    const { repo, description, logUrl, environmentUrl } = this.#want;
    const about = {
      description,
      ...(logUrl === undefined ? {} : { log_url: logUrl }),
      ...(environmentUrl === undefined ? {} : { environment_url: environmentUrl }),
    };
    const params = {
      deployment_id: id,
      state,
      auto_inactive: false, // we say it ourselves, also where GitHub would not
      ...(state === "inactive" ? { description: "a newer commit took its place" } : about),
    };
    return this.#github.ask(
      repo,
      "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
      params,
      this.#signal,
    );
  }

  async #retire(ids: readonly number[]): Promise<Result<void>> {
    for (const id of new Set(ids)) {
      const told = await this.#status(id, "inactive");
      // One that is gone needs no ending.
      if (!told.ok && told.error.code !== "FORGE_REFUSED") return told;
    }
    return success(undefined);
  }
}

const TASK = "deploy";

function keptOf(json: Json | undefined): Kept {
  const { current, live } = recordOf(json);
  const [now, then] = [recordOf(current), recordOf(live)];
  const [id, commit] = [numberIn(now, "id"), textIn(now, "commit")];
  const state = deploymentStates.find((one) => one === now["state"]);
  const [liveId, liveCommit] = [numberIn(then, "id"), textIn(then, "commit")];
  return {
    ...(id === undefined || commit === undefined || state === undefined ? {} : { current: { id, commit, state } }),
    ...(liveId === undefined || liveCommit === undefined ? {} : { live: { id: liveId, commit: liveCommit } }),
  };
}

const jsonOf = ({ current, live }: Kept): Json => ({
  ...(current === undefined ? {} : { current: { ...current } }),
  ...(live === undefined ? {} : { live: { ...live } }),
});
