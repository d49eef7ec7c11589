import { freeze } from "./freeze.ts";
import type { Host } from "./types.ts";

/** The machine that Millrace itself uses: the Docker engine of `--docker-host`. */
export const here: Host = freeze({ host: "here" });
