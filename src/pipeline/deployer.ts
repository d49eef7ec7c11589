import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { Deployer, Flavour } from "./types.ts";

/**
 * The whole of `pipeline.ts`: its flavours by name. `export default deployer({ … })`.
 *
 * Each flavour is served by a process of its own (`millrace serve --flavour NAME`) with its own state directory.
 *
 * @example export default deployer({ demo: { repos: { "demo/hello": from(git("./hello.git"), docker("Dockerfile")) } } });
 */
export function deployer(flavours: Readonly<Record<string, Flavour>>): Deployer {
  return freeze({ kind: "deployer", flavours, at: sourceLine(deployer) });
}
