// Undoes what the demo did, by its notes, and nothing else.
import { existsSync, rmSync } from "node:fs";
import { findEngine, removeOwnEngine } from "../lib/engine.mjs";
import { removeImage } from "../lib/images.mjs";
import { demoFolder } from "../lib/paths.mjs";
import { removeRegistryContainer } from "../lib/registry.mjs";
import { say, timed } from "../lib/say.mjs";
import { leaveSwarm, swarmState } from "../lib/swarm.mjs";
import { stopAll } from "./millrace.mjs";
import { removeImages, removeService } from "./service.mjs";
import { BASE_IMAGE, REGISTRY_CONTAINER, readNotes } from "./settings.mjs";

/** Removes everything that the demo made: its processes, service, images, registry, folder, engine. */
export async function clean() {
  if (!existsSync(demoFolder)) {
    say("clean", "there is nothing of the demo here");
    return;
  }
  const notes = readNotes();
  await stopAll();
  const engine = await findEngine();
  if (engine !== undefined) await cleanEngine(engine.host, notes);
  if (notes.engine) await timed("engine", "stopping the engine", stopEngine);
  rmSync(demoFolder, { recursive: true, force: true });
  say("clean", "removed .demo; what was installed on the machine stays, and so do node_modules and dist");
}

async function cleanEngine(host, notes) {
  if ((await swarmState(host)) === "active") {
    await timed("service", "removing the service", async () => {
      await removeService(host);
      return "service removed";
    });
  }
  await removeRegistryContainer(host, REGISTRY_CONTAINER);
  await removeImages(host);
  await removeImage(host, BASE_IMAGE);
  if (notes.pulled) await removeImage(host, notes.pulled);
  say("images", "images of the demo removed");
  if (notes.swarm) say("swarm", await leaveSwarm(host));
}

async function stopEngine() {
  return (await removeOwnEngine())
    ? "the engine that was started here is stopped, its data removed"
    : "it was not running";
}
