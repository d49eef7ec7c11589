import { reaches, suffices } from "../credentials.ts";
import { type Answer, byId, type Call, notFound, parameter, Refused, type Route } from "../route.ts";
import { date } from "../shapes.ts";
import { type Installation, isOf, type Permissions, type Repository } from "../world.ts";

/** The app itself, its installations, and the tokens that they give. */
export const appRoutes: readonly Route[] = [
  { operation: "GET /app", needs: ["app"], answer: ({ shapes }) => ({ json: shapes.app() }) },
  {
    operation: "GET /app/installations",
    needs: ["app"],
    answer: ({ world, shapes }) => ({ list: [...world.installations.values()].map((one) => shapes.installation(one)) }),
  },
  {
    operation: "GET /app/installations/{installation_id}",
    needs: ["app"],
    answer: (call) => ({ json: call.shapes.installation(installationIn(call)) }),
  },
  { operation: "POST /app/installations/{installation_id}/access_tokens", needs: ["app"], answer: giveToken },
  {
    operation: "GET /repos/{owner}/{repo}/installation",
    needs: ["app"],
    answer: (call) => {
      const repository = call.world.repository(`${parameter(call, "owner")}/${parameter(call, "repo")}`);
      return installationAnswer(call, repository && call.world.installationFor(repository));
    },
  },
  { operation: "GET /orgs/{org}/installation", needs: ["app"], answer: (call) => ofAccount(call, "org") },
  { operation: "GET /users/{username}/installation", needs: ["app"], answer: (call) => ofAccount(call, "username") },
  {
    operation: "GET /installation/repositories",
    needs: ["installation"],
    answer: (call) => {
      const reached = [...call.world.repositories.values()].filter((one) => reaches(call.world, call.caller, one));
      return { list: reached.map((one) => call.shapes.repository(one)), under: "repositories" };
    },
  },
  {
    operation: "DELETE /installation/token",
    needs: ["installation"],
    answer: ({ credentials, caller }) => {
      if (caller.who === "installation") credentials.revoke(caller.token);
      return { status: 204 };
    },
  },
  {
    operation: "GET /rate_limit",
    needs: ["anybody"],
    answer: ({ rates, caller }) => {
      const core = rates.of(caller) ?? { limit: 5_000, used: 0, remaining: 5_000, reset: 0 };
      return { json: { resources: { core: { ...core }, search: { ...core } }, rate: { ...core } } };
    },
  },
];

const installationIn = (call: Call): Installation =>
  byId(call.world.installations.values(), parameter(call, "installation_id"));

function installationAnswer(call: Call, installation: Installation | undefined): Answer {
  if (installation === undefined) throw notFound();
  return { json: call.shapes.installation(installation) };
}

function ofAccount(call: Call, name: string): Answer {
  const account = call.world.account(parameter(call, name));
  return installationAnswer(
    call,
    [...call.world.installations.values()].find((one) => one.account.id === account?.id),
  );
}

function giveToken(call: Call): Answer {
  const installation = installationIn(call);
  if (installation.suspended) throw new Refused(403, "This installation has been suspended");
  const permissions = permissionsAsked(call, installation);
  const repositories = repositoriesAsked(call, installation);
  const ids = repositories === undefined ? undefined : new Set(repositories.map(({ id }) => id));
  const { token, expiresMs } = call.credentials.giveToken({ installation, permissions, repositories: ids });
  const selected = repositories?.map((repository) => call.shapes.repository(repository));
  const more =
    selected === undefined
      ? { repository_selection: installation.repositories === undefined ? "all" : "selected" }
      : { repository_selection: "selected", repositories: selected };
  return { status: 201, json: { token, expires_at: date(expiresMs), permissions, ...more } };
}

function permissionsAsked({ body }: Call, installation: Installation): Permissions {
  const asked = body["permissions"];
  if (typeof asked !== "object" || asked === null || Array.isArray(asked)) return installation.permissions;
  const permissions: Record<string, "read" | "write" | "admin"> = {};
  for (const [name, level] of Object.entries(asked))
    if (level === "read" || level === "write" || level === "admin") permissions[name] = level;
  if (!suffices(installation.permissions, permissions))
    throw new Refused(422, "The permissions requested are not granted to this installation.");
  return permissions;
}

function repositoriesAsked({ body, world }: Call, installation: Installation): readonly Repository[] | undefined {
  const names = [body["repositories"] ?? []].flat();
  const ids = [body["repository_ids"] ?? []].flat();
  if (names.length + ids.length === 0) return undefined;
  const reached = [...world.repositories.values()].filter((one) => isOf(installation, one));
  const found = [
    ...names.map((name) =>
      reached.find((one) => typeof name === "string" && one.name.toLowerCase() === name.toLowerCase()),
    ),
    ...ids.map((id) => reached.find((one) => one.id === id)),
  ].filter((one) => one !== undefined);
  if (found.length < names.length + ids.length)
    throw new Refused(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  return found;
}
