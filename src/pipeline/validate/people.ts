import { parseWho } from "../../engine/access/rules.ts";
import { type Rule, userRule } from "../names.ts";
import { suggestion } from "../nearest.ts";
import { described, type Report, recordOf } from "./report.ts";

/** Those whose people can sign in. */
const PROVIDERS: readonly string[] = ["github"];

/** A person or a team at a provider that is known. */
const whoRule: Rule = (text) => {
  const shape = userRule(text);
  if (shape !== undefined) return shape;
  const who = parseWho(text);
  if (who === undefined) return "is neither a person (github:avsm) nor a team (github:org/team)";
  return PROVIDERS.includes(who.provider) ? undefined : `names no provider of sign-ins. Known: ${PROVIDERS.join(", ")}`;
};

/**
 * Checks who may act: a name that is misspelt here gives a right to nobody, or to somebody else.
 *
 * @param services Names of everything that the flavour moves.
 */
export function checkPeople(
  report: Report,
  at: string,
  name: string,
  flavour: Readonly<Record<string, unknown>>,
  services: readonly string[],
): void {
  for (const admin of listOf(report, at, `the admins of ${name}`, flavour["admins"])) {
    report.text(at, "WRONG_NAME", `the admin of ${name}`, admin, whoRule);
  }
  for (const viewer of listOf(report, at, `the viewers of ${name}`, flavour["viewers"])) {
    report.text(at, "WRONG_NAME", `the viewer of ${name}`, viewer, whoRule);
  }
  for (const builder of listOf(report, at, `the builders of ${name}`, flavour["builders"])) {
    const limited = recordOf(builder);
    if (limited === undefined) report.text(at, "WRONG_NAME", `the builder of ${name}`, builder, whoRule);
    else checkLimited(report, at, name, limited, services);
  }
}

function checkLimited(
  report: Report,
  at: string,
  name: string,
  builder: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  report.fields(at, `a builder of ${name}`, builder, ["who", "services"]);
  report.text(at, "WRONG_NAME", `the builder of ${name}`, builder["who"], whoRule);
  const services = listOf(report, at, `the services of a builder of ${name}`, builder["services"] ?? null);
  const isKnown: Rule = (text) =>
    known.includes(text) ? undefined : `is nothing that ${name} moves. ${suggestion(text, known)}`;
  for (const service of services)
    report.text(at, "WRONG_NAME", `the service of a builder of ${name}`, service, isKnown);
}

function listOf(report: Report, at: string, what: string, value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  report.add(at, "WRONG_VALUE", `${what} must be a list, but are ${described(value)}`);
  return [];
}
