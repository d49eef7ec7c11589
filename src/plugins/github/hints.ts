import type { Hint } from "../../engine/inbound.ts";
import { isPerson, type Person } from "../../engine/refs.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** What we name our jobs by is shorter. */
const EXTERNAL_ID_MAX = 200;
/** A comment is looked at for one word at its beginning. */
const COMMENT_MAX = 1_000;

type Fields = Readonly<Record<string, unknown>>;
type Reader = (payload: Fields, repository: Repository, appId: number | undefined) => Hint | undefined;

interface Repository {
  readonly id: number;
  readonly name: string;
}

const refs: Reader = (_payload, { id, name }) => ({ kind: "refs", repository: id, name });

/** Events about a repository that mean something to us. All others are taken and left alone. */
const readers: Readonly<Record<string, Reader>> = {
  push: refs,
  create: refs,
  delete: refs,
  pull_request: refs,
  repository: refs,
  check_run: readCheckRun,
  check_suite: readCheckSuite,
  issue_comment: readComment,
};

/**
 * What a payload comes down to; undefined: nothing for us, or not of the shape that GitHub documents.
 *
 * Of all its fields only those are looked at that say where to look: the facts are asked for afterwards.
 *
 * @param appId Checks of other apps are none of our business.
 */
export function hintOf(event: string, payload: unknown, appId: number | undefined): Hint | undefined {
  if (event === "installation" || event === "installation_repositories") return { kind: "installations" };
  const read = Object.hasOwn(readers, event) ? readers[event] : undefined;
  if (read === undefined || !isFields(payload)) return undefined;
  const repository = repositoryOf(payload["repository"]);
  return repository === undefined ? undefined : read(payload, repository, appId);
}

function readCheckRun(payload: Fields, { id }: Repository, appId: number | undefined): Hint | undefined {
  const { action, check_run: run } = payload;
  if (!isFields(run) || !isOurs(run, appId)) return undefined;
  const asked = action === "rerequested" || (action === "requested_action" && isRebuild(payload["requested_action"]));
  const commit = run["head_sha"];
  if (!asked || !isCommit(commit)) return undefined;
  const job = run["external_id"];
  const known = typeof job === "string" && job !== "" && job.length <= EXTERNAL_ID_MAX;
  return { kind: "rerequested", repository: id, commit, ...(known ? { job } : {}), ...authorOf(payload) };
}

function readCheckSuite(payload: Fields, { id }: Repository, appId: number | undefined): Hint | undefined {
  const { action, check_suite: suite } = payload;
  if (action !== "rerequested" || !isFields(suite) || !isOurs(suite, appId)) return undefined;
  const commit = suite["head_sha"];
  return isCommit(commit) ? { kind: "rerequested", repository: id, commit, ...authorOf(payload) } : undefined;
}

/** Who pressed the button; whether they may is asked for afterwards. */
const authorOf = ({ sender }: Fields): { readonly author?: Person } =>
  isPerson(sender) ? { author: { id: sender.id, login: sender.login } } : {};

/** Only what was just written: an edited comment may be somebody else's words under an old name. */
function readComment({ action, issue, comment }: Fields, { id }: Repository): Hint | undefined {
  if (action !== "created" || !isFields(issue) || !isFields(issue["pull_request"]) || !isFields(comment))
    return undefined;
  const { number: pull } = issue;
  const { id: number, user, body } = comment;
  if (!isNumber(pull) || !isNumber(number) || !isPerson(user) || typeof body !== "string") return undefined;
  const author = { id: user.id, login: user.login };
  return { kind: "comment", repository: id, pull, comment: number, author, body: body.slice(0, COMMENT_MAX) };
}

function repositoryOf(value: unknown): Repository | undefined {
  if (!isFields(value)) return undefined;
  const { id, full_name: name } = value;
  return isNumber(id) && typeof name === "string" && NAME.test(name) ? { id, name } : undefined;
}

function isOurs({ app }: Fields, appId: number | undefined): boolean {
  return appId === undefined || (isFields(app) && app["id"] === appId);
}

const isRebuild = (action: unknown): boolean => isFields(action) && action["identifier"] === "rebuild";
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
const isCommit = (value: unknown): value is string => typeof value === "string" && COMMIT.test(value);
