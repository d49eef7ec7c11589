import { specOf } from "./keys.ts";
import type { Deployer, DockerBuild, Flavour, Publish, Source, TargetDeclaration } from "./types.ts";

/**
 * The text of `doc/services.md`: for each flavour, what is deployed from which branch to where.
 *
 * Pure, and free of dates and line numbers, so that it changes exactly when the pipeline does.
 */
export function servicesDoc(deployer: Deployer): string {
  const flavours = Object.entries(deployer.flavours).flatMap(([name, flavour]) => flavourPart(name, flavour));
  return `${["# Services", "", generated, ...flavours].join("\n")}\n`;
}

const generated = "Written by `millrace docs` from `pipeline.ts`; `millrace docs --check` fails when it is stale.";

function flavourPart(name: string, flavour: Flavour): readonly string[] {
  const address = flavour.url === undefined ? [] : ["", `Its deployer: <${flavour.url}>`];
  const head = ["| Repository | Dockerfile | Branch | Image | Services |", "|---|---|---|---|---|"];
  const rows = Object.entries(flavour.repos).flatMap(([repo, source]) => repoRows(repo, source));
  return ["", `## ${name}`, ...address, "", ...head, ...rows];
}

function repoRows(repo: string, source: Source): readonly string[] {
  return source.builds.flatMap((build) => {
    const branches = Object.entries(build.branches);
    if (branches.length === 0) return [row(repo, buildCell(build), "", "checked only", "")];
    return branches.map(([branch, publish]) =>
      row(repo, buildCell(build), code(branch), imageCell(publish), servicesCell(publish)),
    );
  });
}

const buildCell = (build: DockerBuild): string => {
  const spec = specOf(build);
  return spec === build.dockerfile ? code(spec) : `${code(build.dockerfile)} (${cell(spec)})`;
};

const imageCell = ({ image, drift }: Publish): string =>
  drift === undefined ? code(image) : `${code(image)} (drift: ${drift})`;

const servicesCell = (publish: Publish): string => publish.services.map(serviceText).join("<br>");

/** One line a kind of target. */
const serviceText = (target: TargetDeclaration): string => {
  const name = `${code(target.service)} on ${cell(target.host.host)}`;
  const more = [
    ...(target.url === undefined ? [] : [`<${target.url}>`]),
    ...(target.drift === undefined ? [] : [`drift: ${target.drift}`]),
  ];
  return more.length === 0 ? name : `${name} (${more.join(", ")})`;
};

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const code = (text: string): string => `\`${cell(text)}\``;
const cell = (text: string): string => text.replaceAll("|", "\\|");
