import type { Json } from "../../../engine/json.ts";
import { listed } from "../paging.ts";
import { notFound, parameter, Refused, type RepositoryCall, type RepositoryRoute } from "../route.ts";
import { commitOf, refsOf } from "../world.ts";
import { COMPARED_FILES_MAX, changedFiles } from "./changed-files.ts";

/** A repository, its branches, refs and commits. */
export const repositoryRoutes: readonly RepositoryRoute[] = [
  {
    operation: "GET /repos/{owner}/{repo}",
    permission: { metadata: "read" },
    answer: ({ shapes, repository }) => ({ json: shapes.repository(repository) }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/branches",
    permission: { contents: "read" },
    answer: ({ shapes, repository, heads }) => ({
      list: listed(
        [...heads.branches].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        ([name, commit]) => shapes.branch(repository, name, commit),
      ),
    }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/branches/{branch}",
    permission: { contents: "read" },
    answer: (call) => {
      const { shapes, repository, heads } = call;
      const name = parameter(call, "branch");
      const commit = heads.branches.get(name);
      if (commit === undefined) throw new Refused(404, "Branch not found");
      const url = `${shapes.api("")}/repos/${parameter(call, "owner")}/${parameter(call, "repo")}/branches/${name}`;
      const whole = { ...shapes.branch(repository, name, commit), commit: shapes.commit(repository, commit) };
      return { json: { ...whole, protection_url: `${url}/protection`, _links: { self: url, html: url } } };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/git/matching-refs/{ref}",
    permission: { contents: "read" },
    answer: (call) => {
      const wanted = `refs/${parameter(call, "ref")}`;
      const found = refsOf(call.heads).filter(([ref]) => ref.startsWith(wanted));
      return { json: found.map(([ref, commit]) => call.shapes.reference(call.repository, ref, commit)) };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/git/ref/{ref}",
    permission: { contents: "read" },
    answer: (call) => {
      const found = refsOf(call.heads).find(([ref]) => ref === `refs/${parameter(call, "ref")}`);
      if (found === undefined) throw notFound();
      return { json: call.shapes.reference(call.repository, ...found) };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/commits",
    permission: { contents: "read" },
    answer: (call) => {
      const { repository, heads, query, shapes } = call;
      const start = commitOf(repository, query.get("sha") ?? repository.defaultBranch, heads);
      if (start === undefined) throw query.has("sha") ? notFound() : new Refused(409, "Git Repository is empty.");
      return { list: listed(repository.git.history(start), (id) => shapes.commit(repository, id)) };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/commits/{ref}",
    permission: { contents: "read" },
    answer: (call) => ({ json: call.shapes.commit(call.repository, commitNamed(call, parameter(call, "ref"))) }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/compare/{basehead}",
    permission: { contents: "read" },
    answer: compared,
  },
];

/** The commit; refuses as GitHub does when there is none. */
export function commitNamed({ repository, heads }: RepositoryCall, ref: string): string {
  const commit = commitOf(repository, ref, heads);
  if (commit === undefined) throw new Refused(422, `No commit found for SHA: ${ref}`);
  return commit;
}

/** What the second has and the first has not: the files against the newest commit that both have behind them. */
function compared(call: RepositoryCall): { readonly json: Json } {
  const [baseName = "", headName = ""] = parameter(call, "basehead").split("...");
  const [base, head] = [baseName, headName].map((name) => commitOf(call.repository, name, call.heads));
  if (base === undefined || head === undefined) throw notFound();
  const { repository, shapes } = call;
  const [ofBase, ofHead] = [base, head].map((id) => repository.git.history(id));
  const shared = ofHead?.find((id) => ofBase?.includes(id) === true);
  if (ofBase === undefined || ofHead === undefined || shared === undefined) throw notFound();
  const commits = ofHead.slice(0, ofHead.indexOf(shared));
  const behind = ofBase.indexOf(shared);
  const status = [commits.length > 0 ? "ahead" : "identical", commits.length > 0 ? "diverged" : "behind"];
  return {
    json: {
      status: status[Math.sign(behind)] ?? "identical",
      ahead_by: commits.length,
      behind_by: behind,
      total_commits: commits.length,
      base_commit: shapes.commit(repository, base),
      merge_base_commit: shapes.commit(repository, shared),
      commits: commits.toReversed().map((id) => shapes.commit(repository, id)),
      files: changedFiles(call, shared, head).slice(0, COMPARED_FILES_MAX),
    },
  };
}
