import { deployer, docker, from, git, here, publish, swarm } from "millrace";
import { expect, it } from "vitest";
import { servicesDoc } from "../../src/pipeline/services-doc.ts";

it("says what is deployed from which branch to where", () => {
  const text = servicesDoc(
    deployer({
      shop: {
        url: "https://deploy.example",
        repos: {
          "shop/web": from(git("./web.git"), [
            docker("Dockerfile", {
              live: publish("shop/web:live", swarm(here, "shop_a", "https://shop.example"), swarm(here, "shop_b")),
              next: publish.with({ drift: "repair" })("shop/web:next", swarm.with({ drift: "hold" })(here, "shop_c")),
            }),
            docker.with({ name: "debug|1" })("Dockerfile"),
          ]),
        },
      },
      empty: { repos: {} },
    }),
  );
  expect(text).toBe(`# Services

Written by \`millrace docs\` from \`pipeline.ts\`; \`millrace docs --check\` fails when it is stale.

## shop

Its deployer: <https://deploy.example>

| Repository | Dockerfile | Branch | Image | Services |
|---|---|---|---|---|
| shop/web | \`Dockerfile\` | \`live\` | \`shop/web:live\` | \`shop_a\` on here (<https://shop.example>)<br>\`shop_b\` on here |
| shop/web | \`Dockerfile\` | \`next\` | \`shop/web:next\` (drift: repair) | \`shop_c\` on here (drift: hold) |
| shop/web | \`Dockerfile\` (debug\\|1) |  | checked only |  |

## empty

| Repository | Dockerfile | Branch | Image | Services |
|---|---|---|---|---|
`);
});
