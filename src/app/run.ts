import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "./command.ts";
import type { Exit } from "./exit.ts";
import type { Running, ServeOptions } from "./options.ts";
import { report } from "./report.ts";
import { tellJobs } from "./tell.ts";

/** How the client commands find the server of a state directory. */
export const serverFile = (state: string): string => join(state, "server.json");

/** Says where the server answers and what its jobs come to, and keeps it running until a signal or its own end. A second signal ends it at once. */
export async function runUntilStopped(call: Call, options: ServeOptions, running: Running): Promise<Exit> {
  announce(call, options, running);
  const telling = tellJobs(call.io, running.jobs, options.verbose);
  const stop = (signal: NodeJS.Signals): void => {
    call.io.err(`millrace: ${signal}: stopping in order; once more ends it at once`);
    void running.stop(signal);
  };
  for (const signal of signals) process.once(signal, stop);
  const done = await running.done;
  for (const signal of signals) process.removeListener(signal, stop);
  telling.unsubscribe();
  withdraw(running.state);
  return done.ok ? "done" : report(call.io, done.error);
}

const signals = ["SIGINT", "SIGTERM"] as const;

function announce(call: Call, options: ServeOptions, running: Running): void {
  leaveNote(call, running);
  call.io.out(`${call.io.paint("bold", `millrace ${options.flavour}`)} is at ${running.url}`);
  call.io.out(`  state in ${running.state}, token for acting in ${join(running.state, "token")}`);
  if (options.confirm !== "none") call.io.out(`  jobs at level ${options.confirm} and above wait for a person`);
}

/** A full disk is no reason not to serve: the client commands then need --url. */
function leaveNote(call: Call, running: Running): void {
  try {
    mkdirSync(running.state, { recursive: true });
    writeFileSync(serverFile(running.state), `${JSON.stringify({ url: running.url, pid: process.pid })}\n`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    call.io.err(`millrace: the client commands will need --url ${running.url}: ${why}`);
  }
}

/** Only our own note: another server may have taken the directory since. */
function withdraw(state: string): void {
  try {
    const note: unknown = JSON.parse(readFileSync(serverFile(state), "utf8"));
    if (typeof note === "object" && note !== null && "pid" in note && note.pid === process.pid)
      rmSync(serverFile(state));
  } catch {
    // gone already, or not readable: nobody is misled by it
  }
}
