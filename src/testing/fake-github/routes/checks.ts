import { type Answer, byId, parameter, Refused, type RepositoryCall, type RepositoryRoute, textIn } from "../route.ts";
import type { Shape } from "../schema.ts";
import { date } from "../shapes.ts";
import type { CheckRun, CheckSuite } from "../world.ts";
import { commitNamed } from "./repositories.ts";

/** Check runs and their suites: only apps write them. */
export const checkRoutes: readonly RepositoryRoute[] = [
  {
    operation: "POST /repos/{owner}/{repo}/check-runs",
    permission: { checks: "write" },
    appOnly: true,
    answer: (call) => {
      const commit = commitNamed(call, textIn(call.body, "head_sha") ?? "");
      const suite = suiteOf(call, commit);
      suite.rerequested = false;
      const { head_sha: _, ...said } = call.body;
      const fields = ended(call, { status: "queued", started_at: date(call.world.clock.now()), ...said });
      const run: CheckRun = { id: call.world.nextId(), suite, commit, fields, states: [stateOf(fields)] };
      call.repository.checkRuns.push(run);
      return { status: 201, json: call.shapes.checkRun(call.repository, run) };
    },
  },
  {
    operation: "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
    permission: { checks: "write" },
    appOnly: true,
    answer: (call) => {
      const run = runIn(call);
      run.fields = ended(call, { ...run.fields, ...call.body });
      run.states.push(stateOf(run.fields));
      run.suite.rerequested = false;
      return { json: call.shapes.checkRun(call.repository, run) };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/check-runs/{check_run_id}",
    permission: { checks: "read" },
    answer: (call) => ({ json: call.shapes.checkRun(call.repository, runIn(call)) }),
  },
  {
    operation: "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
    permission: { checks: "read" },
    answer: (call) => {
      const commit = commitNamed(call, parameter(call, "ref"));
      return runs(
        call,
        call.repository.checkRuns.filter((run) => run.commit === commit),
      );
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs",
    permission: { checks: "read" },
    answer: (call) => {
      const { id } = suiteIn(call);
      return runs(
        call,
        call.repository.checkRuns.filter((run) => run.suite.id === id),
      );
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/commits/{ref}/check-suites",
    permission: { checks: "read" },
    answer: (call) => {
      const commit = commitNamed(call, parameter(call, "ref"));
      const suites = call.repository.suites.filter((suite) => suite.commit === commit);
      return { list: suites.map((suite) => call.shapes.checkSuite(call.repository, suite)), under: "check_suites" };
    },
  },
  {
    operation: "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}",
    permission: { checks: "read" },
    answer: (call) => ({ json: call.shapes.checkSuite(call.repository, suiteIn(call)) }),
  },
];

const runIn = (call: RepositoryCall): CheckRun => byId(call.repository.checkRuns, parameter(call, "check_run_id"));
const suiteIn = (call: RepositoryCall): CheckSuite => byId(call.repository.suites, parameter(call, "check_suite_id"));

/** One a commit: GitHub makes it with the first check run. */
function suiteOf({ repository, world }: RepositoryCall, commit: string): CheckSuite {
  const known = repository.suites.find((suite) => suite.commit === commit);
  if (known !== undefined) return known;
  const branch = [...repository.heads.branches].find(([, head]) => head === commit)?.[0];
  const suite = { id: world.nextId(), commit, branch, createdMs: world.clock.now(), rerequested: false };
  repository.suites.push(suite);
  return suite;
}

function runs(call: RepositoryCall, all: readonly CheckRun[]): Answer {
  const { query, repository, shapes } = call;
  const [name, status] = [query.get("check_name"), query.get("status")];
  const found = all
    .filter(({ fields }) => name === null || fields["name"] === name)
    .filter(({ fields }) => status === null || fields["status"] === status);
  const newest = new Map(found.map((run) => [run.fields["name"], run]));
  const shown = query.get("filter") === "all" ? found : [...newest.values()];
  return { list: shown.map((run) => shapes.checkRun(repository, run)), under: "check_runs" };
}

/** A conclusion makes it completed, and what is completed needs one. */
function ended({ world, body }: RepositoryCall, fields: Shape): Shape {
  const isOpenAgain = body["status"] !== undefined && body["status"] !== "completed";
  if (isOpenAgain && body["conclusion"] === undefined) {
    const { conclusion: _, completed_at: __, ...open } = fields;
    return open;
  }
  if (fields["status"] === "completed" && fields["conclusion"] === undefined)
    throw new Refused(422, 'Invalid request.\n\nNo subschema in "anyOf" matched: a completed run needs a conclusion.');
  if (fields["conclusion"] === undefined) return fields;
  return { completed_at: date(world.clock.now()), ...fields, status: "completed" };
}

function stateOf(fields: Shape): string {
  const { status, conclusion } = fields;
  return [status, conclusion].filter((one) => typeof one === "string").join("/");
}
