#!/usr/bin/env node
import { setSearchPath } from "../engine/process.ts";
import { exitOnFault, wantsStack } from "./faults.ts";
import { terminalIo } from "./io.ts";
import { run } from "./program.ts";

const argv = process.argv.slice(2);
const io = terminalIo(process);
const { PATH } = process.env;
if (PATH !== undefined) setSearchPath(PATH);
exitOnFault(process, io, wantsStack(argv));
const code = await run(argv, io);
// Only now is everything written that a pipe still waits for.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
