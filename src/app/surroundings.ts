import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { localPath } from "../pipeline/places.ts";
import type { Surroundings } from "../pipeline/validate/surroundings.ts";
import { lineOfFile } from "./load.ts";

/** What validation may look at on this machine. */
export function machineAround(pipeline: string): Surroundings {
  return {
    repositoryAt: (url) => {
      const path = localPath(url, dirname(pipeline));
      if (path === undefined) return "unknown";
      return existsSync(path) ? repositoryIn(path) : "nothing";
    },
    lineAt: (at) => {
      const [, file, line] = /^(.*):(\d+)$/.exec(at) ?? [];
      return file === undefined ? undefined : lineOfFile(resolve(file), Number(line));
    },
  };
}

/** A bare repository has HEAD and objects itself; another has them in .git, which a worktree has as a file. */
function repositoryIn(path: string): "repository" | "no repository" {
  const bare = existsSync(join(path, "HEAD")) && existsSync(join(path, "objects"));
  return statSync(path).isDirectory() && (bare || existsSync(join(path, ".git"))) ? "repository" : "no repository";
}
