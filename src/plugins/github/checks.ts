import type { Sender } from "../../engine/effects/sender.ts";
import type { Json } from "../../engine/json.ts";
import { type Result, success } from "../../term/output.ts";
import type { GitHub, RouteParams } from "./api.ts";
import { abandonedCheck } from "./check-report.ts";
import { CHECK_NAME, type CheckWant, checkCodec, checkKey, isFinal } from "./check-want.ts";
import { NotYet } from "./not-yet.ts";
import { numberIn, recordOf } from "./shape.ts";

type Asker = Pick<GitHub, "ask">;

/** Builds move from ready to running at once: one request instead of two. */
const COALESCE_MS = 2_000;

/**
 * Keeps one check run "deployability" a commit.
 *
 * @param appId Only check runs of this app are ours: another deployer may use the same name.
 */
export function checkSender(github: Asker, appId?: number): Sender<CheckWant> {
  const notYet = new NotYet();
  return {
    kind: "github-check",
    want: checkCodec,
    coalesceMs: COALESCE_MS,
    overwrites: true,
    forgets: true,
    abandoned: abandonedCheck,
    send: async (want, confirmed, signal, unsure) => {
      const id =
        numberIn(recordOf(confirmed), "id") ?? (unsure ? await findRun(github, want, appId, signal) : undefined);
      return notYet.told(checkKey(want), await tell(github, want, id, signal));
    },
  };
}

/** @param known The check run that there is already, or why that cannot be told. */
async function tell(
  github: Asker,
  want: CheckWant,
  known: number | Result<never> | undefined,
  signal: AbortSignal,
): Promise<Result<Json>> {
  if (known === undefined) return create(github, want, signal);
  if (typeof known !== "number") return known;
  const updated = await update(github, want, known, signal);
  if (updated.ok || updated.error.code !== "FORGE_REFUSED") return updated;
  // Gone, with its repository perhaps: a new one says so if it cannot be made either.
  return create(github, want, signal);
}

/** The newest of ours; its creation may have gone well without an answer. */
async function findRun(
  github: Asker,
  { repo, commit }: CheckWant,
  appId: number | undefined,
  signal: AbortSignal,
): Promise<number | Result<never> | undefined> {
  const query = { ref: commit, check_name: CHECK_NAME, filter: "latest" as const };
  const mine = appId === undefined ? query : { ...query, app_id: appId };
  const found = await github.ask(repo, "GET /repos/{owner}/{repo}/commits/{ref}/check-runs", mine, signal);
  if (!found.ok) return found;
  const runs: unknown = recordOf(found.value)["check_runs"];
  return Array.isArray(runs) ? numberIn(recordOf(runs[0]), "id") : undefined;
}

async function create(github: Asker, want: CheckWant, signal: AbortSignal): Promise<Result<Json>> {
  const params: RouteParams<"POST /repos/{owner}/{repo}/check-runs"> = {
    name: CHECK_NAME,
    head_sha: want.commit,
    ...fieldsOf(want),
  };
  return kept(await github.ask(want.repo, "POST /repos/{owner}/{repo}/check-runs", params, signal));
}

async function update(github: Asker, want: CheckWant, id: number, signal: AbortSignal): Promise<Result<Json>> {
  const params = { check_run_id: id, ...fieldsOf(want) };
  return kept(await github.ask(want.repo, "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", params, signal));
}

function kept(answer: Result<unknown>): Result<Json> {
  if (!answer.ok) return answer;
  const id = numberIn(recordOf(answer.value), "id");
  return success(id === undefined ? {} : { id });
}

const REBUILD = { label: "Rebuild", description: "Run again what failed", identifier: "rebuild" } as const;

function fieldsOf(want: CheckWant) {
  const { state, title, summary, details, job, startedAt, completedAt, rebuild } = want;
  return {
    ...(state === "queued" || state === "in_progress"
      ? { status: state }
      : { status: "completed" as const, conclusion: state }),
    output: { title, summary: summary === "" ? title : summary }, // an empty one is refused
    details_url: details,
    ...(job === undefined ? {} : { external_id: job }),
    ...(startedAt === undefined ? {} : { started_at: startedAt }),
    ...(completedAt === undefined || !isFinal(want) ? {} : { completed_at: completedAt }),
    actions: rebuild ? [REBUILD] : [],
  };
}
