import type { Codec } from "../../engine/json.ts";
import type { RepoName } from "./api.ts";
import { isRepoName } from "./check-want.ts";
import { recordOf, textIn } from "./shape.ts";

export const deploymentStates = ["queued", "in_progress", "success", "failure", "error"] as const;
export type DeploymentState = (typeof deploymentStates)[number];

/** What one place (an environment, as GitHub calls it) is to show: the newest deploy there, and how far it is. */
export interface DeploymentWant {
  readonly repo: RepoName;
  /** Names the place for good. */
  readonly term: string;
  readonly environment: string;
  readonly commit: string;
  readonly state: DeploymentState;
  readonly description: string;
  readonly logUrl?: string;
  readonly environmentUrl?: string;
}

/** What the outbox knows it by. */
export const deploymentKey = ({ term }: Pick<DeploymentWant, "term">): string => term;

const DESCRIPTION_MAX = 140;

/** What GitHub takes of a description: no half of a character. */
export const shortened = (text: string): string =>
  text.length <= DESCRIPTION_MAX ? text : `${text.slice(0, DESCRIPTION_MAX - 1).replace(/\p{Cs}$/u, "")}…`;

export const deploymentCodec: Codec<DeploymentWant> = {
  encode: (want) => ({ ...want }),
  decode: (json) => {
    const fields = recordOf(json);
    const state = deploymentStates.find((one) => one === fields["state"]);
    const [repo, term, environment] = ["repo", "term", "environment"].map((name) => textIn(fields, name));
    const [commit, description = ""] = ["commit", "description"].map((name) => textIn(fields, name));
    if (repo === undefined || !isRepoName(repo) || term === undefined || environment === undefined) return undefined;
    if (state === undefined || commit === undefined) return undefined;
    const [logUrl, environmentUrl] = ["logUrl", "environmentUrl"].map((name) => textIn(fields, name));
    return {
      repo,
      term,
      environment,
      commit,
      state,
      description,
      ...(logUrl === undefined ? {} : { logUrl }),
      ...(environmentUrl === undefined ? {} : { environmentUrl }),
    };
  },
};
