import { map2Node, mapNode } from "../../incr/index.ts";
import { active } from "../../term/output.ts";
import { type Answer, answering, type Box, sameAnswer, type Term } from "../../term/term.ts";
import type { Engine } from "../engine.ts";
import { TargetLane } from "./lane.ts";
import type { LaneOptions } from "./lane-core.ts";
import type { Deployed } from "./lane-face.ts";
import type { Observed, TargetKind } from "./target.ts";

/**
 * A term that keeps one target equal to its input, and the lane behind it.
 *
 * While the input is not ready the term shows the input's state; an intent that is open goes on all the same.
 */
export function deploy<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  box: Box,
  kind: TargetKind<Spec, W, Seen, Ref>,
  spec: Spec,
  input: Term<W>,
  options: Omit<LaneOptions, "term">,
): { readonly term: Term<Deployed>; readonly lane: TargetLane<Spec, W, Seen, Ref> } {
  const lane = new TargetLane(engine, kind, spec, { term: box.key, ...options });
  const told = mapNode(input.node, (output) => {
    lane.wanted(output.state === "ok" ? output.value : undefined);
    return output;
  });
  const answer = map2Node(
    told,
    lane.answer,
    (output, now): Answer<Deployed> => {
      if (output.state !== "ok") return { output, metadata: now.metadata };
      // What the lane says may still be about an earlier value: then the newest is on its way.
      const earlier = now.output.state === "ok" && now.output.value.generation !== lane.want?.generation;
      return earlier ? { output: active("ready", box.key), metadata: now.metadata } : now;
    },
    sameAnswer,
  );
  engine.world.graph.scope.onRelease(() => lane.stop());
  queueMicrotask(() => lane.start());
  return { term: answering(engine.world, box, answer, input), lane };
}
