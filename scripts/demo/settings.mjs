// The names, places and ports of the demo. `pipeline.ts` (flavour demo) names the same ones.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoFolder } from "../lib/paths.mjs";

export const SERVICE = "millrace-demo_hello";
export const BASE_IMAGE = "millrace-demo/base:1";
export const START_IMAGE = "millrace-demo/hello:start";
export const REGISTRY_CONTAINER = "millrace-demo_registry";
export const REGISTRY_PORT = 5055;
export const IMAGE = `127.0.0.1:${REGISTRY_PORT}/demo/hello`;
export const PROXY_PORT = 8088;
export const PAGE_PORT = 8080;
export const serviceUrl = `http://127.0.0.1:${PROXY_PORT}`;

export const places = {
  repository: join(demoFolder, "hello.git"),
  workTree: join(demoFolder, "hello"),
  registry: join(demoFolder, "registry"),
  state: join(demoFolder, "state"),
  run: join(demoFolder, "run"),
};
export const pidFile = (name) => join(places.run, `${name}.pid`);
export const logFile = (name) => join(demoFolder, `${name}.log`);

const notes = join(demoFolder, "made.json");

/** What the demo did to the machine and has to undo when it is cleaned: `{ engine, swarm, pulled, service }`. */
export function readNotes() {
  return existsSync(notes) ? JSON.parse(readFileSync(notes, "utf8")) : {};
}

/** Adds to the notes. What is noted once stays, so that a second run does not forget what the first one made. */
export function note(made) {
  mkdirSync(places.run, { recursive: true, mode: 0o700 });
  const kept = Object.fromEntries(Object.entries(made).filter(([, value]) => value));
  writeFileSync(notes, `${JSON.stringify({ ...readNotes(), ...kept }, undefined, 2)}\n`);
}
