import { posix } from "node:path";
import { placeName } from "../../engine/effects/service.ts";
import { Secret } from "../../engine/secret.ts";
import { durationMs } from "../duration.ts";
import { imageText, parseImage } from "../image-name.ts";
import { argRule, branchRule, pathRule, type Rule, specNameRule } from "../names.ts";
import { described, isKind, lineOf, type Report, recordOf } from "./report.ts";
import type { Surroundings } from "./surroundings.ts";
import { checkDrift, checkTarget } from "./target.ts";

/** Something that a declaration moves, and where: two of the same are a mistake. */
export interface Move {
  readonly what: string;
  /** What people call it: the service, or the image with its tag. */
  readonly name: string;
  readonly at: string;
}

/** What a build says of itself that others must not say too. */
export interface BuildFacts {
  /** Its name within the repository; nothing while it is not known. */
  readonly spec: string | undefined;
  readonly at: string;
  readonly moves: readonly Move[];
}

/** Checks one build of a repository, its options and everything that its branches move. */
export function checkBuild(report: Report, above: string, value: unknown, around: Surroundings): BuildFacts {
  const at = lineOf(value, above);
  const build = recordOf(value);
  if (build === undefined || build["kind"] !== "docker") {
    report.add(at, "WRONG_VALUE", `a build must be docker(…), but is ${described(value)}`);
    return { spec: undefined, at, moves: [] };
  }
  report.fields(at, "docker(…)", build, ["kind", "dockerfile", "options", "branches", "at"]);
  const path = build["dockerfile"];
  const good = report.text(at, "WRONG_NAME", "the Dockerfile's path", path, pathRule);
  const name = checkOptions(report, at, build["options"]);
  const spec = name ?? (good ? posix.normalize(path) : undefined);
  return { spec, at, moves: checkBranches(report, at, build["branches"], around) };
}

const optionNames = ["name", "buildArgs", "includeGit", "submodules", "timeout", "unsafeNetwork"];

/** @returns The build's own name, when it has a good one. */
function checkOptions(report: Report, at: string, value: unknown): string | undefined {
  const options = recordOf(value);
  if (options === undefined) {
    report.add(at, "WRONG_VALUE", `the options must be a record, but are ${described(value)}`);
    return undefined;
  }
  report.fields(at, "docker.with(…)", options, optionNames);
  for (const name of ["includeGit", "submodules", "unsafeNetwork"]) {
    const option = options[name];
    if (option === undefined || typeof option === "boolean") continue;
    report.add(at, "WRONG_VALUE", `${name} must be true or false, but is ${described(option)}`);
  }
  if (options["timeout"] !== undefined) report.text(at, "WRONG_VALUE", "the timeout", options["timeout"], durationRule);
  if (options["buildArgs"] !== undefined) checkArgs(report, at, options["buildArgs"]);
  const name = options["name"];
  return name !== undefined && report.text(at, "WRONG_NAME", "the build's name", name, specNameRule) ? name : undefined;
}

export const durationRule: Rule = (text) =>
  durationMs(text) === undefined ? 'is no length of time: write it as "90s", "50m", "2h" or "1d"' : undefined;

function checkArgs(report: Report, at: string, value: unknown): void {
  const args = recordOf(value);
  if (args === undefined)
    return report.add(at, "WRONG_VALUE", `buildArgs must be a record, but is ${described(value)}`);
  for (const [name, arg] of Object.entries(args)) {
    report.text(at, "WRONG_NAME", "the build argument", name, argRule);
    if (arg instanceof Secret) {
      report.add(
        at,
        "SECRET_IN_PIPELINE",
        `the build argument ${name} is a secret: it would end in the image's history`,
      );
    } else if (typeof arg !== "string") {
      report.add(at, "WRONG_VALUE", `the build argument ${name} must be a text, but is ${described(arg)}`);
    }
  }
}

function checkBranches(report: Report, at: string, value: unknown, around: Surroundings): readonly Move[] {
  const branches = recordOf(value);
  if (branches === undefined || isKind(value, "publish")) {
    report.add(at, "WRONG_VALUE", `the branches must be { branch: publish(…) }, but are ${described(value)}`);
    return [];
  }
  return Object.entries(branches).flatMap(([branch, publish]) => {
    report.text(lineOf(publish, at), "WRONG_NAME", "the branch", branch, branchRule);
    return checkPublish(report, at, branch, publish, around);
  });
}

function checkPublish(report: Report, above: string, branch: string, value: unknown, around: Surroundings): Move[] {
  const at = lineOf(value, above);
  const publish = recordOf(value);
  if (publish === undefined || publish["kind"] !== "publish") {
    report.add(at, "WRONG_VALUE", `the branch ${branch} must become publish(…), but is ${described(value)}`);
    return [];
  }
  report.fields(at, "publish(…)", publish, ["kind", "image", "services", "drift", "at"]);
  checkDrift(report, at, publish);
  const image = checkImage(report, at, publish["image"]);
  const services: readonly unknown[] = Array.isArray(publish["services"]) ? publish["services"] : [];
  const moved = services.flatMap((service) => {
    const what = checkTarget(report, at, service, around);
    return what === undefined ? [] : [{ what, name: nameOf(recordOf(service)), at: lineOf(service, at) }];
  });
  return image === undefined ? moved : [{ what: image, name: String(publish["image"]), at }, ...moved];
}

const nameOf = (service: Readonly<Record<string, unknown>> | undefined): string =>
  placeName(String(service?.["service"]), String(recordOf(service?.["host"])?.["host"]));

function checkImage(report: Report, at: string, value: unknown): string | undefined {
  if (typeof value !== "string") {
    report.add(at, "WRONG_VALUE", `the image must be a text, but is ${described(value)}`);
    return undefined;
  }
  const image = parseImage(value);
  if (typeof image !== "string") return `image ${imageText(image)}`;
  report.add(at, "WRONG_IMAGE", `the image ${JSON.stringify(value)} ${image}`);
  return undefined;
}
