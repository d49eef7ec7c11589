// node scripts/packages.mjs: the npm packages, and nothing else. Quick when they are there.
import { ensurePackages } from "./lib/packages.mjs";
import { main } from "./lib/say.mjs";

await main("packages", ensurePackages);
