import type { Sender } from "../../engine/effects/sender.ts";
import type { Json } from "../../engine/json.ts";
import { type Result, success } from "../../term/output.ts";
import type { GitHub } from "./api.ts";
import {
  type DeploymentState,
  type DeploymentWant,
  deploymentCodec,
  deploymentKey,
  deploymentStates,
} from "./deployment-want.ts";
import { NotYet } from "./not-yet.ts";
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
/** How many of an environment are listed to find what others of our terms left there, and how many are looked at. */
const LISTED = 100;
const LEFT_MAX = 10;

/**
 * Keeps GitHub's deployments of each place: a deployment a commit, its statuses, and "inactive" for those that a newer
 * one has taken the place of. A commit that is deployed again after another one is a new deployment.
 *
 * A place may get another term: its branch is renamed, say, or its state was lost. What was told of it until then is
 * looked for when the first deploy in the life of this process is live, and becomes inactive too.
 *
 * @param owner The flavour. Another one may deploy the same repository to a place of the same name: that is not touched.
 */
export function deploymentSender(github: Asker, owner: string): Sender<DeploymentWant> {
  const known: Known = { owner, made: new Map(), cleared: new Set() };
  const notYet = new NotYet();
  return {
    kind: "github-deployment",
    want: deploymentCodec,
    coalesceMs: COALESCE_MS,
    overwrites: true,
    send: async (want, confirmed, signal, unsure) => {
      const told = await new Place(github, known, want, signal).send(keptOf(confirmed), unsure);
      return notYet.told(`${deploymentKey(want)} ${want.commit}`, told);
    },
  };
}

/** What this process knows of its terms. */
interface Known {
  readonly owner: string;
  /** Those whose send went no further, because of the rate limit say. The next try goes on with them. */
  readonly made: Map<string, readonly Made[]>;
  /** Where nothing is left of what was told of the place before. */
  readonly cleared: Set<string>;
}

/** One place while it is told of. */
class Place {
  readonly #github: Asker;
  readonly #known: Known;
  readonly #want: DeploymentWant;
  readonly #signal: AbortSignal;

  constructor(github: Asker, known: Known, want: DeploymentWant, signal: AbortSignal) {
    this.#github = github;
    this.#known = known;
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
    const left = await this.#left(kept, id.value);
    if (!left.ok) return left;
    const done = await this.#retire([...this.#ended(kept, id.value), ...found.value.stray, ...left.value]);
    if (!done.ok) return done;
    this.#known.made.delete(this.#want.term);
    if (state === "success") this.#known.cleared.add(this.#want.term);
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
    const made = this.#known.made.get(this.#want.term) ?? [];
    const mine = made.find(({ commit }) => commit === this.#want.commit)?.id;
    return { mine, stray: made.flatMap(({ id }) => (id === mine ? [] : [id])) };
  }

  /** Deployments of ours that were made without an answer: of this commit, and of others. */
  async #find({ current, live }: Kept): Promise<Result<{ mine: number | undefined; stray: readonly number[] }>> {
    const { commit, term } = this.#want;
    const listed = await this.#list(LOOK_BACK);
    if (!listed.ok) return listed;
    const newer = listed.value.filter((one) => one.term === term && one.id > (current?.id ?? 0) && one.id !== live?.id);
    const mine = newer.find(({ sha }) => sha === commit)?.id;
    return success({ mine, stray: newer.flatMap(({ id }) => (id === mine ? [] : [id])) });
  }

  /** What shows as open or live in the environment though this one is live now: of other terms, or of a lost state. */
  async #left({ live }: Kept, id: number): Promise<Result<readonly number[]>> {
    const { state, term } = this.#want;
    if (state !== "success" || this.#known.cleared.has(term)) return success([]);
    const listed = await this.#list(LISTED);
    if (!listed.ok) return listed;
    const others = listed.value.filter((one) => one.id !== id && (one.term !== term || live === undefined));
    const left: number[] = [];
    for (const other of others.slice(0, LEFT_MAX)) {
      const shows = await this.#shown(other.id);
      if (!shows.ok && shows.error.code !== "FORGE_REFUSED") return shows;
      if (shows.ok && OPEN.has(shows.value ?? "")) left.push(other.id);
    }
    return success(left);
  }

  /** Deployments of ours in the environment, newest first. */
  async #list(count: number): Promise<Result<readonly { id: number; sha: string; term: string }[]>> {
    const { repo, environment } = this.#want;
    const query = { environment, task: TASK, per_page: count };
    const listed = await this.#github.ask(repo, "GET /repos/{owner}/{repo}/deployments", query, this.#signal);
    if (!listed.ok) return listed;
    const all: readonly unknown[] = Array.isArray(listed.value) ? listed.value : [];
    return success(
      all.map(recordOf).flatMap((one) => {
        const { millrace: term, owner } = recordOf(one["payload"]);
        const [id, sha] = [numberIn(one, "id"), textIn(one, "sha")];
        const isOurs = owner === this.#known.owner && typeof term === "string";
        return id === undefined || sha === undefined || !isOurs ? [] : [{ id, sha, term }];
      }),
    );
  }

  /** The newest status of a deployment. */
  async #shown(id: number): Promise<Result<string | undefined>> {
    const route = "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses";
    const told = await this.#github.ask(this.#want.repo, route, { deployment_id: id, per_page: 1 }, this.#signal);
    if (!told.ok) return told;
    const [newest]: readonly unknown[] = Array.isArray(told.value) ? told.value : [];
    return success(textIn(recordOf(newest), "state"));
  }

  async #create(): Promise<Result<number>> {
    const { repo, environment, commit, term, description } = this.#want;
    const params = {
      ref: commit,
      environment,
      task: TASK,
      description,
      payload: { millrace: term, owner: this.#known.owner },
      auto_merge: false, // exactly this commit
      required_contexts: [], // whether it may be deployed was decided here
    };
    const made = await this.#github.ask(repo, "POST /repos/{owner}/{repo}/deployments", params, this.#signal);
    if (!made.ok) return made;
    const id = numberIn(recordOf(made.value), "id") ?? 0;
    this.#known.made.set(term, [...(this.#known.made.get(term) ?? []), { id, commit }]);
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
const OPEN: ReadonlySet<string> = new Set(["queued", "pending", "in_progress", "success"]);

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
