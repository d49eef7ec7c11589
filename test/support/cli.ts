import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import type { Io } from "../../src/app/io.ts";
import { run } from "../../src/app/program.ts";

const root = resolve(import.meta.dirname, "../..");
/** What node is given so that it runs TypeScript. */
export const tsxArgs: readonly string[] = ["--import", join(root, "node_modules/tsx/dist/esm/index.mjs")];

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `millrace` from the sources as a user does: a process of its own, no terminal, and an empty environment. */
export const millraceProcess = (cwd: string, ...args: readonly string[]): Ended =>
  millraceWithPath(process.env["PATH"] ?? "", cwd, ...args);

/** The same, with these folders to look for programs in. */
export function millraceWithPath(path: string, cwd: string, ...args: readonly string[]): Ended {
  const env = { PATH: path, HOME: cwd };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...tsxArgs, join(root, "src/app/main.ts"), ...args], {
    cwd,
    encoding: "utf8",
    env,
  });
  return withoutStack({ code: status, out: stdout, err: stderr });
}

/** The same in this process. Paths below `cwd` are shown short, as they are to a user who works there. */
export async function millrace(cwd: string, ...args: readonly string[]): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const io: Io = {
    out: (line) => void out.push(`${line}\n`),
    write: (text) => void out.push(text),
    err: (line) => void err.push(`${line}\n`),
    paint: (_, text) => text,
    paintErr: (_, text) => text,
    cwd,
    dockerHost: undefined,
  };
  const code = await run(args, io);
  const short = (texts: readonly string[]): string => texts.join("").replaceAll(`${cwd}/`, "");
  return withoutStack({ code, out: short(out), err: short(err) });
}

/** Whatever a user does wrong, it is answered in words. */
function withoutStack(ended: Ended): Ended {
  expect(ended.err).not.toMatch(/^ {4}at /m);
  return ended;
}
