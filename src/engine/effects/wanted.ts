import { bindNode, type Node, Variable } from "../../incr/index.ts";
import type { Output } from "../../term/output.ts";
import { type Answer, answeringBy, type Box, NO_METADATA, type Term } from "../../term/term.ts";
import type { Engine } from "../engine.ts";
import type { Json } from "../json.ts";
import type { Outbox } from "./outbox.ts";
import type { Sender } from "./sender.ts";

/**
 * A term that keeps the other side told of its input's newest value: ok when that is confirmed, with what the sender
 * keeps.
 *
 * While the input is not ok nothing new is wanted. When the key moves on to another one, or the term goes, the key that
 * was left is abandoned after a while: see `Sender.abandoned`.
 *
 * @param keyOf What the value is about, such as repository and commit.
 */
export function wanted<Want>(
  engine: Engine,
  box: Box,
  outbox: Outbox,
  sender: Sender<Want>,
  keyOf: (want: Want) => string,
  input: Term<Want>,
): Term<Json> {
  const { graph } = engine.world;
  const begin = (output: Output<Want>): Node<Answer<Json>> => {
    if (output.state !== "ok") return new Variable<Answer<Json>>(graph, { output, metadata: NO_METADATA });
    const claim = outbox.claim(sender, keyOf(output.value));
    graph.scope.onRelease(() => claim.release());
    claim.item.want(output.value);
    return claim.item.answer;
  };
  return answeringBy(engine.world, box, bindNode(input.node, begin), (now) => asOf(box.key, input, now), input);
}

/** Several terms may share a key: to each of them it is their own. What the input lacks stays the input's. */
function asOf(origin: string, input: Term<unknown>, answer: Answer<Json>): Answer<Json> {
  const { output, metadata } = answer;
  if (output.state === "ok" || input.output.state !== "ok") return answer;
  return { output: { ...output, origin }, metadata };
}
