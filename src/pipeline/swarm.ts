import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { Host, Swarm, WebUrl } from "./types.ts";

/**
 * A Docker Swarm service that is moved to the published image, by digest, and watched until it is healthy.
 *
 * The service must exist: Millrace changes its image and nothing else of it.
 *
 * @param host     The machine whose Docker engine manages the service.
 * @param service  Its name, as `docker service ls` shows it.
 * @param url      Where people reach it; shown on the pages and in `doc/services.md`.
 * @example swarm(here, "shop_web", "https://shop.example")
 */
export function swarm(host: Host, service: string, url?: WebUrl): Swarm {
  return freeze({ kind: "swarm", host, service, ...(url === undefined ? {} : { url }), at: sourceLine(swarm) });
}
