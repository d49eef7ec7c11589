import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { problem } from "../../engine/errors.ts";
import { servicesDoc } from "../../pipeline/services-doc.ts";
import { shownPath } from "../../pipeline/source-line.ts";
import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { openPipeline } from "../prepare.ts";
import { report } from "../report.ts";

/** Writes `doc/services.md` beside `pipeline.ts`, or tells whether it is stale. */
export const docs: CommandSpec = {
  name: "docs",
  arguments: "",
  summary: "write doc/services.md from pipeline.ts, or verify it",
  details: "With --check it writes nothing and exits 1 when the file is stale.",
  flags: ["pipeline", "check"],
  async run(call: Call): Promise<Exit> {
    // What a document says does not depend on whether the repositories are there.
    const opened = await openPipeline(call, ["NO_REPOSITORY"], { quiet: true });
    if (!opened.ok) return report(call.io, opened.error);
    const file = join(dirname(opened.value.pipeline), "doc", "services.md");
    const text = servicesDoc(opened.value.deployer);
    return call.given.has("check") ? verify(call, file, text) : write(call, file, text);
  },
};

function write(call: Call, file: string, text: string): Exit {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  call.io.out(`wrote ${shownPath(file)}`);
  return "done";
}

function verify(call: Call, file: string, text: string): Exit {
  if (!existsSync(file)) return report(call.io, problem("DOCS_STALE", `${shownPath(file)} is missing`));
  const found = readFileSync(file, "utf8").split("\n");
  const wanted = text.split("\n");
  const line = wanted.findIndex((wantedLine, index) => wantedLine !== found[index]);
  if (line < 0 && found.length === wanted.length) return "done";
  const at = line < 0 ? wanted.length : line + 1;
  return report(call.io, problem("DOCS_STALE", `${shownPath(file)}:${at} is not what pipeline.ts says`));
}
