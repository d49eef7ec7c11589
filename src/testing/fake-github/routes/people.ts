import { type Answer, type Call, notFound, parameter, type RepositoryRoute, type Route, textIn } from "../route.ts";
import type { Shape } from "../schema.ts";
import type { Account, Role, Team } from "../world.ts";

/** Who somebody is, and where they belong. */
export const peopleRoutes: readonly Route[] = [
  {
    operation: "GET /user",
    needs: ["user"],
    answer: ({ shapes, caller }) => ({ json: shapes.user(userOf(caller)) }),
  },
  { operation: "GET /user/{account_id}", needs: ["anybody"], answer: byNumber },
  {
    operation: "GET /users/{username}",
    needs: ["anybody"],
    answer: (call) => ({ json: call.shapes.user(accountNamed(call, "username")) }),
  },
  {
    operation: "GET /user/orgs",
    needs: ["user"],
    answer: (call) => ({ list: orgsOf(call).map((org) => call.shapes.organization(org)) }),
  },
  {
    operation: "GET /user/memberships/orgs",
    needs: ["user"],
    answer: (call) => ({ list: orgsOf(call).map((org) => orgMembership(call, org)) }),
  },
  {
    operation: "GET /user/teams",
    needs: ["user"],
    answer: ({ world, shapes, caller }) => {
      const teams = world.teams.filter(({ members }) => members.has(userOf(caller).id));
      return { list: teams.map((team) => shapes.team(team)) };
    },
  },
  {
    operation: "GET /orgs/{org}/members/{username}",
    needs: ["installation", "user"],
    answer: (call) => {
      needMembers(call);
      const isMember = call.world.members.get(accountNamed(call, "org").id)?.has(accountNamed(call, "username").id);
      if (isMember !== true) throw notFound();
      return { status: 204 };
    },
  },
  {
    operation: "GET /orgs/{org}/teams/{team_slug}",
    needs: ["installation", "user"],
    answer: (call) => {
      const team = teamIn(call);
      const counts = { members_count: team.members.size, repos_count: 0 };
      return { json: { ...call.shapes.team(team), ...counts } };
    },
  },
  {
    operation: "GET /orgs/{org}/teams/{team_slug}/members",
    needs: ["installation", "user"],
    answer: (call) => {
      const members = [...teamIn(call).members].map((id) => call.world.accounts.get(id));
      return { list: members.filter((one) => one !== undefined).map((one) => call.shapes.user(one)) };
    },
  },
  {
    operation: "GET /orgs/{org}/teams/{team_slug}/memberships/{username}",
    needs: ["installation", "user"],
    answer: (call) => {
      const [team, user] = [teamIn(call), accountNamed(call, "username")];
      const isMember = team.members.has(user.id);
      if (!isMember && !team.invited.has(user.id)) throw notFound();
      const of = call.shapes.api(`/organizations/${team.org.id}/team/${team.id}/memberships/${user.login}`);
      return { json: { url: of, role: "member", state: isMember ? "active" : "pending" } };
    },
  },
  { operation: "POST /applications/{client_id}/token", needs: ["client"], answer: checkToken },
  {
    operation: "DELETE /applications/{client_id}/token",
    needs: ["client"],
    answer: (call) => {
      call.credentials.revoke(textIn(call.body, "access_token") ?? "");
      return { status: 204 };
    },
  },
];

/** What somebody may do with a repository. */
export const permissionRoutes: readonly RepositoryRoute[] = [
  {
    operation: "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    permission: { metadata: "read" },
    answer: (call) => {
      const user = accountNamed(call, "username");
      const role = call.world.roleOf(call.repository, user);
      const permission = role === undefined ? "none" : coarse[role];
      return { json: { permission, role_name: role ?? "none", user: call.shapes.user(user) } };
    },
  },
];

/** GitHub knows only these four in `permission`; the true one is in `role_name`. */
const coarse: Readonly<Record<Role, string>> = {
  read: "read",
  triage: "read",
  write: "write",
  maintain: "write",
  admin: "admin",
};

function userOf(caller: Call["caller"]): Account {
  if (caller.who !== "user") throw notFound();
  return caller.user;
}

function byNumber(call: Call): Answer {
  const account = call.world.accounts.get(Number(parameter(call, "account_id")));
  if (account === undefined) throw notFound();
  return { json: call.shapes.user(account) };
}

function accountNamed(call: Call, name: string): Account {
  const account = call.world.account(parameter(call, name));
  if (account === undefined) throw notFound();
  return account;
}

function orgsOf({ world, caller }: Call): readonly Account[] {
  const user = userOf(caller);
  return [...world.members]
    .filter(([, members]) => members.has(user.id))
    .flatMap(([id]) => world.accounts.get(id) ?? []);
}

function orgMembership({ shapes, caller }: Call, org: Account): Shape {
  const url = shapes.api(`/orgs/${org.login}/memberships/${userOf(caller).login}`);
  const organization = shapes.organization(org);
  return {
    url,
    organization,
    organization_url: organization["url"] ?? "",
    state: "active",
    role: "member",
    user: shapes.user(userOf(caller)),
  };
}

/** Teams and members are the organisation's own affair. */
function needMembers({ caller }: Call): void {
  if (caller.who === "installation" && caller.permissions["members"] === undefined) throw notFound();
}

function teamIn(call: Call): Team {
  needMembers(call);
  const org = accountNamed(call, "org");
  const slug = parameter(call, "team_slug").toLowerCase();
  const team = call.world.teams.find((one) => one.org.id === org.id && one.slug.toLowerCase() === slug);
  if (team === undefined) throw notFound();
  return team;
}

function checkToken({ body, credentials, shapes }: Call): Answer {
  const user = credentials.userOf(textIn(body, "access_token") ?? "");
  if (user === undefined) throw notFound();
  return { json: { token: textIn(body, "access_token") ?? "", user: shapes.user(user), scopes: [] } };
}
