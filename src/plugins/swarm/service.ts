import type { TargetKind } from "../../engine/effects/target.ts";
import { canonicalImage } from "./image.ts";
import { describeService, observeService, type SwarmSeen, type SwarmSpec } from "./observe.ts";
import { planService } from "./plan.ts";
import type { SwarmPorts } from "./port.ts";
import { refCodec, type SwarmRef, type SwarmWanted, wantedCodec } from "./ref.ts";
import { settleService } from "./settle.ts";
import { applyImage, fenceService, noSuchService } from "./write.ts";

/**
 * A Docker Swarm service, moved to an image by digest. The service itself is made by hand (or by a stack file): only its
 * image and our labels are written.
 */
export function swarmKind(ports: SwarmPorts): TargetKind<SwarmSpec, SwarmWanted, SwarmSeen, SwarmRef> {
  return {
    kind: "swarm",
    level: "dangerous",
    guard: "cas",
    wanted: wantedCodec,
    ref: refCodec,
    lane: (spec) => `swarm/${spec.host}/${spec.service}`,
    describe: describeService,
    running: (wanted) => canonicalImage(wanted.image),
    observe: (spec, signal) => observeService(ports, spec, signal),
    missing: noSuchService,
    plan: planService,
    apply: (spec, seen, wanted, stamp, job) => applyImage(ports, spec, seen, wanted, stamp, job),
    fence: (spec, seen, stamp, job) => fenceService(ports, spec, seen, stamp, job),
    settle: (spec, ref, job) => settleService(ports, spec, ref, job),
  };
}
