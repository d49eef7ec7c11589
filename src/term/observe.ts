import { Observable } from "rxjs";
import type { Output } from "./output.ts";
import type { Term } from "./term.ts";

/**
 * A term as an Observable of its outputs: the present one when somebody subscribes (as soon as there is one), then one
 * after each step in which it changed. Half of a step is never seen: who subscribes inside one is told at its end.
 *
 * Completes when the term's sub-graph is released.
 */
export function changes<T>(term: Term<T>): Observable<Output<T>> {
  return new Observable((subscriber) => {
    let told: Output<T> | undefined;
    const tell = (): void => {
      if (term.output !== told) subscriber.next((told = term.output));
    };
    const { graph } = term.world;
    if (graph.stepping) graph.afterStep([() => begin()]);
    else begin();
    function begin(): void {
      if (subscriber.closed) return;
      if (term.node.dead) return subscriber.complete();
      subscriber.add(term.node.watch(tell));
      subscriber.add(term.scope.onRelease(() => subscriber.complete()));
      if (term.node.computed) tell();
    }
  });
}
