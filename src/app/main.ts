#!/usr/bin/env node
import { terminalIo } from "./io.ts";
import { run } from "./program.ts";

const code = await run(process.argv.slice(2), terminalIo(process));
// Only now is everything written that a pipe still waits for.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
