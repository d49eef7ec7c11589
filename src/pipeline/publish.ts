import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { ImageName, Publish, TargetDeclaration } from "./types.ts";

/**
 * An image tag that follows a branch, and the services that run the image.
 *
 * Services are moved to the digest that was built, never to the tag. Without services only the tag is moved.
 *
 * @param image     With its tag: `"127.0.0.1:5000/shop/web:live"`, or `"shop/web:live"` on Docker Hub.
 * @param services  What runs it: `swarm(…)`.
 * @example publish("shop/web:live", swarm(here, "shop_web"))
 */
export function publish(image: ImageName, ...services: readonly TargetDeclaration[]): Publish {
  return freeze({ kind: "publish", image, services, at: sourceLine(publish) });
}
