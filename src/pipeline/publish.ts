import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { ImageName, Publish, TargetDeclaration, TargetOptions } from "./types.ts";

/** The word `publish`, or one with options baked in. */
export interface PublishWord {
  /**
   * An image tag that follows a branch, and the services that run the image.
   *
   * Services are moved to the digest that was built, never to the tag. Without services only the tag is moved.
   *
   * @param image     With its tag: `"127.0.0.1:5000/shop/web:live"`, or `"shop/web:live"` on Docker Hub.
   * @param services  What runs it: `swarm(…)`.
   * @example publish("shop/web:live", swarm(here, "shop_web"))
   */
  (image: ImageName, ...services: readonly TargetDeclaration[]): Publish;
  /**
   * The same word with options for the tag: the only way to set and to share them.
   *
   * @example const kept = publish.with({ drift: "repair" });
   */
  readonly with: (options: TargetOptions) => PublishWord;
}

/** An image tag that follows a branch: `publish("shop/web:live", swarm(here, "shop_web"))`. */
export const publish: PublishWord = wordWith({});

function wordWith(options: TargetOptions): PublishWord {
  const word = (image: ImageName, ...services: readonly TargetDeclaration[]): Publish =>
    freeze({ ...options, kind: "publish", image, services, at: sourceLine(word) });
  return Object.assign(word, { with: (more: TargetOptions) => wordWith({ ...options, ...more }) });
}
