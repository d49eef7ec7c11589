import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { problem } from "../../engine/errors.ts";
import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { report } from "../report.ts";
import { starterFiles } from "../starter.ts";

/** A commented starter in the working directory. */
export const init: CommandSpec = {
  name: "init",
  arguments: "",
  summary: "write a commented starter pipeline.ts and contexts/",
  details: "Nothing is overwritten. package.json, tsconfig.json and .gitignore are written only where there are none.",
  flags: [],
  async run(call: Call): Promise<Exit> {
    const files = starterFiles.map((file) => ({ ...file, path: join(call.io.cwd, file.name) }));
    const inTheWay = files.find((file) => file.kind === "own" && existsSync(file.path));
    if (inTheWay !== undefined) return report(call.io, problem("FILE_EXISTS", `${inTheWay.name} exists already`));
    for (const { name, path, text } of files.filter((file) => !existsSync(file.path))) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      call.io.out(`wrote ${name}`);
    }
    for (const line of nextSteps) call.io.out(line);
    return "done";
  },
};

const nextSteps = [
  "",
  "Next:",
  "  1. Edit pipeline.ts: name your repository, image and service.",
  "  2. npx millrace check                      does everything that it names exist?",
  "  3. npx millrace local --confirm=harmless   what would happen? Nothing is changed.",
  "  4. npx millrace serve                      run it; it says where the pages are.",
];
