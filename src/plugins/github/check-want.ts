import type { Codec, Json } from "../../engine/json.ts";
import type { RepoName } from "./api.ts";
import { recordOf, textIn } from "./shape.ts";

/** The name of the one check run of a commit: branch protection rules name it. */
export const CHECK_NAME = "deployability";

export type Conclusion = "success" | "failure" | "neutral" | "cancelled" | "timed_out";

/** What the check run of a commit is to say. */
export interface CheckWant {
  readonly repo: RepoName;
  /** The repository's number: the key holds when it is renamed. */
  readonly repository: number;
  readonly commit: string;
  readonly state: "queued" | "in_progress" | Conclusion;
  readonly title: string;
  /** Markdown, at most 65,535 bytes. */
  readonly summary: string;
  readonly details: string;
  /** The job that the details are of. */
  readonly job?: string;
  /** ISO 8601, whole seconds. */
  readonly startedAt?: string;
  readonly completedAt?: string;
  /** Whether there is something that Rebuild would run. */
  readonly rebuild: boolean;
}

const states: readonly CheckWant["state"][] = [
  "queued",
  "in_progress",
  "success",
  "failure",
  "neutral",
  "cancelled",
  "timed_out",
];

export const isFinal = ({ state }: Pick<CheckWant, "state">): boolean => state !== "queued" && state !== "in_progress";

/** What the outbox knows it by. */
export const checkKey = ({ repository, commit }: Pick<CheckWant, "repository" | "commit">): string =>
  `${repository} ${commit}`;

export const checkCodec: Codec<CheckWant> = {
  encode: (want) => ({ ...want }),
  decode: (json: Json) => {
    const fields = recordOf(json);
    const { repository, rebuild } = fields;
    const state = states.find((one) => one === fields["state"]);
    const [repo, commit] = [textIn(fields, "repo"), textIn(fields, "commit")];
    if (state === undefined || repo === undefined || !isRepoName(repo) || commit === undefined) return undefined;
    if (typeof repository !== "number") return undefined;
    const [title = "", summary = "", details = ""] = ["title", "summary", "details"].map((name) =>
      textIn(fields, name),
    );
    const [job, startedAt, completedAt] = ["job", "startedAt", "completedAt"].map((name) => textIn(fields, name));
    return {
      repo,
      repository,
      commit,
      state,
      title,
      summary,
      details,
      rebuild: rebuild === true,
      ...(job === undefined ? {} : { job }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(completedAt === undefined ? {} : { completedAt }),
    };
  },
};

export const isRepoName = (text: string): text is RepoName => /^[^/]+\/[^/]+$/.test(text);
