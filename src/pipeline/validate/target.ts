import { driftPolicies } from "../../engine/effects/drift.ts";
import { here } from "../here.ts";
import { type Rule, serviceRule, webUrlRule } from "../names.ts";
import { suggestion } from "../nearest.ts";
import type { TargetDeclaration } from "../types.ts";
import { described, lineOf, type Report, recordOf } from "./report.ts";
import type { Surroundings } from "./surroundings.ts";

type Fields = Readonly<Record<string, unknown>>;

interface TargetWords {
  readonly fields: readonly string[];
  check(report: Report, at: string, target: Fields, around: Surroundings): void;
  /** What it moves, as a name that is equal for equal things; nothing while it is not known. */
  moves(target: Fields): string | undefined;
}

/** How each kind of target is checked: one line a kind. */
const words: Readonly<Record<TargetDeclaration["kind"], TargetWords>> = {
  swarm: { fields: ["kind", "host", "service", "url", "drift", "at"], check: checkSwarm, moves: swarmService },
};

/** Checks one of the services of a `publish()`; answers with what it moves. */
export function checkTarget(report: Report, above: string, value: unknown, around: Surroundings): string | undefined {
  const at = lineOf(value, above);
  const target = recordOf(value);
  const kind = target?.["kind"];
  if (target === undefined || !isTargetKind(kind)) {
    const known = Object.keys(words).map((name) => `${name}(…)`);
    report.add(at, "WRONG_VALUE", `a service must be ${known.join(" or ")}, but is ${described(value)}`);
    return undefined;
  }
  report.fields(at, `${kind}(…)`, target, words[kind].fields);
  words[kind].check(report, at, target, around);
  return words[kind].moves(target);
}

const isTargetKind = (kind: unknown): kind is TargetDeclaration["kind"] =>
  typeof kind === "string" && Object.hasOwn(words, kind);

function checkSwarm(report: Report, at: string, target: Fields, around: Surroundings): void {
  checkHost(report, at, target["host"], around);
  report.text(at, "WRONG_NAME", "the service name", target["service"], serviceRule);
  if (target["url"] !== undefined) report.text(at, "WRONG_VALUE", "the url", target["url"], webUrlRule);
  checkDrift(report, at, target);
}

/** The policy of a target, which `swarm.with` and `publish.with` set. */
export function checkDrift(report: Report, at: string, { drift }: Fields): void {
  if (drift !== undefined) report.text(at, "WRONG_VALUE", "drift", drift, driftRule);
}

const driftRule: Rule = (text) =>
  driftPolicies.some((policy) => policy === text)
    ? undefined
    : `is none of ${driftPolicies.map((policy) => `"${policy}"`).join(", ")}`;

function swarmService(target: Fields): string | undefined {
  const host = recordOf(target["host"])?.["host"];
  const service = target["service"];
  return typeof host === "string" && typeof service === "string" ? `service ${service} on ${host}` : undefined;
}

/** Hosts that exist. One more machine is one more here. */
const hosts: readonly string[] = [here.host];

/**
 * A host that `contexts/hosts.ts` does not export arrives as `undefined`, since jiti links modules loosely; what was
 * meant then only stands in the line itself.
 */
function checkHost(report: Report, at: string, value: unknown, around: Surroundings): void {
  const name = recordOf(value)?.["host"];
  if (typeof name === "string") {
    if (!hosts.includes(name)) report.add(at, "UNKNOWN_HOST", `unknown host "${name}". ${suggestion(name, hosts)}`);
    return;
  }
  if (typeof value === "string") {
    report.add(
      at,
      "UNKNOWN_HOST",
      `the host is the text "${value}": it must be a machine that contexts/hosts.ts exports`,
    );
    return;
  }
  const meant = writtenHosts(around.lineAt(at) ?? "").find((written) => !hosts.includes(written));
  const what = meant === undefined ? "unknown host" : `unknown host "${meant}"`;
  report.add(at, "UNKNOWN_HOST", `${what}: it is ${described(value)}. ${suggestion(meant ?? "", hosts)}`);
}

/** The names that stand as hosts in a line of the pipeline. */
const writtenHosts = (line: string): readonly string[] =>
  [...line.matchAll(/\bswarm\(\s*([A-Za-z_$][\w$.]*)/g)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "undefined" && name !== "null");
