import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { Host, Swarm, TargetOptions, WebUrl } from "./types.ts";

/** The word `swarm`, or one with options baked in. */
export interface SwarmWord {
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
  (host: Host, service: string, url?: WebUrl): Swarm;
  /**
   * The same word with options: the only way to set and to share them.
   *
   * @example const kept = swarm.with({ drift: "repair" });
   */
  readonly with: (options: TargetOptions) => SwarmWord;
}

/** A Docker Swarm service: `swarm(here, "shop_web")`. */
export const swarm: SwarmWord = wordWith({});

function wordWith(options: TargetOptions): SwarmWord {
  const word = (host: Host, service: string, url?: WebUrl): Swarm =>
    freeze({ ...options, kind: "swarm", host, service, ...(url === undefined ? {} : { url }), at: sourceLine(word) });
  return Object.assign(word, { with: (more: TargetOptions) => wordWith({ ...options, ...more }) });
}
