import type { AnyRoute } from "../route.ts";
import { appRoutes } from "./app.ts";
import { checkRoutes } from "./checks.ts";
import { deploymentRoutes } from "./deployments.ts";
import { peopleRoutes, permissionRoutes } from "./people.ts";
import { pullRoutes } from "./pulls.ts";
import { repositoryRoutes } from "./repositories.ts";

/** Everything that is served; each operation is in openapi.json (`npm run openapi` writes it). */
export const routes: readonly AnyRoute[] = [
  ...appRoutes,
  ...repositoryRoutes,
  ...pullRoutes,
  ...checkRoutes,
  ...deploymentRoutes,
  ...peopleRoutes,
  ...permissionRoutes,
];
