import type { Json } from "../../../engine/json.ts";
import { addComment } from "../comments.ts";
import { listed } from "../paging.ts";
import { byId, notFound, parameter, type RepositoryCall, type RepositoryRoute, textIn } from "../route.ts";
import { APP } from "../shapes.ts";
import type { Comment, Pull } from "../world.ts";
import { changedFiles } from "./changed-files.ts";

/** Pull requests, and what is said in them. */
export const pullRoutes: readonly RepositoryRoute[] = [
  {
    operation: "GET /repos/{owner}/{repo}/pulls",
    permission: { pull_requests: "read" },
    answer: (call) => ({ list: listed(selected(call), (pull) => call.shapes.pull(call.repository, pull)) }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    permission: { pull_requests: "read" },
    answer: (call) => {
      const pull = pullIn(call);
      const merged = { merged: pull.merged, mergeable: null, mergeable_state: "unknown" };
      return { json: { ...call.shapes.pull(call.repository, pull), ...merged } };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
    permission: { pull_requests: "read" },
    answer: (call) => ({ list: filesOf(call, pullIn(call)) }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
    permission: { pull_requests: "read" },
    answer: (call) => ({ json: call.shapes.comment(call.repository, commentIn(call)) }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    permission: { pull_requests: "read" },
    answer: (call) => {
      const number = Number(parameter(call, "issue_number"));
      const comments = call.repository.comments.filter(({ issue }) => issue === number);
      return { list: comments.map((comment) => call.shapes.comment(call.repository, comment)) };
    },
  },
  {
    operation: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    permission: { pull_requests: "write" },
    answer: (call) => {
      const number = Number(parameter(call, "issue_number"));
      if (!call.repository.heads.pulls.has(number)) throw notFound();
      const author = call.world.accountOf(`${APP.slug}[bot]`, "Bot");
      const comment = addComment(call, call.repository, number, author, textIn(call.body, "body") ?? "");
      return { status: 201, json: call.shapes.comment(call.repository, comment) };
    },
  },
];

function selected({ query, heads, repository }: RepositoryCall): readonly Pull[] {
  const state = query.get("state") ?? "open";
  const [base, head] = [query.get("base"), query.get("head")];
  const isDescending = (query.get("direction") ?? (query.has("sort") ? "asc" : "desc")) === "desc";
  const byUpdate = query.get("sort") === "updated";
  const order = (pull: Pull): number => (byUpdate ? pull.updatedMs : pull.number);
  return [...heads.pulls.values()]
    .filter((pull) => state === "all" || pull.state === state)
    .filter((pull) => base === null || pull.base === base)
    .filter((pull) => head === null || `${(pull.from ?? repository).owner.login}:${pull.branch}` === head)
    .toSorted((a, b) => (isDescending ? order(b) - order(a) : order(a) - order(b)));
}

function pullIn(call: RepositoryCall): Pull {
  const pull = call.heads.pulls.get(Number(parameter(call, "pull_number")));
  if (pull === undefined) throw notFound();
  return pull;
}

const commentIn = (call: RepositoryCall): Comment => byId(call.repository.comments, parameter(call, "comment_id"));

/** Against the base's newest commit that the pull request has behind it. */
function filesOf(call: RepositoryCall, pull: Pull): readonly Json[] {
  const { git, heads } = call.repository;
  const ofBase = new Set(git.history(heads.branches.get(pull.base) ?? ""));
  return changedFiles(
    call,
    git.history(pull.commit).find((id) => ofBase.has(id)),
    pull.commit,
  );
}
