/** What a token may do, as GitHub names it. */
export type TokenPermissions = Readonly<Record<string, "read" | "write">>;

/** What reads of pull requests need. */
export const readPulls: TokenPermissions = { metadata: "read", pull_requests: "read" };
/** What reads of branches need, and git to fetch: who loses the right to the others still deploys. */
export const readContents: TokenPermissions = { metadata: "read", contents: "read" };
/** What looks at people and their rights need. */
export const readMetadata: TokenPermissions = { metadata: "read" };

/** What looks at the teams of an organisation need. */
export const readMembers: TokenPermissions = { members: "read" };

/** Part of a route → the permission behind it; what else we ask for by its route is contents. */
const areas: readonly (readonly [RegExp, string])[] = [
  [/\/check-(runs|suites)/, "checks"],
  [/\/deployments/, "deployments"],
];

/**
 * The least that a route needs.
 *
 * @source https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
 */
export function permissionsFor(route: string): TokenPermissions {
  const [method = "", path = ""] = route.split(" ");
  const area = areas.find(([pattern]) => pattern.test(path))?.[1] ?? "contents";
  const level = method === "GET" ? "read" : "write";
  return { metadata: "read", [area]: level };
}

/**
 * What goes out when few requests are left. First: what finds out what to deploy, and tells where a deploy stands.
 * Second: pull requests, what a commit changes, and who may do what. Last: checks.
 */
export type Rank = "first" | "second" | "last";

export const rankOf = (route: string): Rank =>
  route.includes("{repo}/deployments") ? "first" : route.includes("/check-") ? "last" : "second";
