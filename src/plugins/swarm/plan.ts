import { type Change, UNKNOWN_UNTIL_BUILT } from "../../engine/effects/target.ts";
import { canonicalImage } from "./image.ts";
import type { SwarmSeen, SwarmSpec } from "./observe.ts";
import type { SwarmWanted } from "./ref.ts";
import { noSuchService } from "./write.ts";

/** What `apply` would change, or why it cannot; empty when the service runs the wanted image. */
export function planService(
  spec: SwarmSpec,
  seen: SwarmSeen,
  wanted: SwarmWanted | typeof UNKNOWN_UNTIL_BUILT,
): readonly Change[] {
  const { service, receipt } = seen;
  if (service === undefined) {
    const { code, message, hint } = noSuchService(spec, seen);
    return [{ field: "service", before: "does not exist", after: `${code}: ${message}. ${hint ?? ""}` }];
  }
  if (wanted !== UNKNOWN_UNTIL_BUILT && canonicalImage(wanted.image) === seen.running) return [];
  const after = wanted === UNKNOWN_UNTIL_BUILT ? wanted : wanted.image;
  const image: Change = { field: "image", before: service.image, after };
  if (receipt === undefined) {
    const took = {
      field: "take over",
      before: "the service was made by hand",
      after: "follows pipeline.ts from now on",
    };
    return [image, took, { field: "millrace labels", before: "none", after: "the receipt of this deploy" }];
  }
  const before = `receipt of ${receipt.owner}, generation ${receipt.generation}, intent ${receipt.intent}`;
  return [image, { field: "millrace labels", before, after: "the receipt of this deploy" }];
}
