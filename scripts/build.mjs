// npm run build: the packages that it takes, then dist/.
import { build } from "./lib/built.mjs";
import { ensurePackages } from "./lib/packages.mjs";
import { main } from "./lib/say.mjs";

await main("npm run build", async () => {
  await ensurePackages();
  await build();
});
