import { isRole } from "../../engine/access/identity.ts";
import { createClock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { durationMs } from "../../pipeline/duration.ts";
import { ask, whyIn } from "../ask.ts";
import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { type Fields, fieldsOf, listOf, textOf } from "../fields.ts";
import { report } from "../report.ts";
import { safeText } from "../safe-text.ts";

/** Tokens for programs: made, listed, revoked. */
export const token: CommandSpec = {
  name: "token",
  arguments: "<create|list|revoke> [name]",
  summary: "make, list or revoke tokens for programs",
  details:
    "A new token is printed once and kept as a hash. Give it to a program in a file, for --token-file, or as " +
    "Authorization: Bearer. Roles: viewer reads, builder rebuilds and cancels, admin does everything.",
  flags: ["role", "services", "life", "why", "url", "state", "tokenFile", "json"],
  async run(call) {
    const [verb = "", name] = call.args;
    if (verb === "list" && name === undefined) return list(call);
    if (verb === "create" && name !== undefined) return create(call, name);
    if (verb === "revoke" && name !== undefined) return revoke(call, name);
    return usage(call, `expected create NAME, list or revoke NAME, got "${safeText(call.args.join(" "))}"`);
  },
};

const usage = (call: Call, message: string): Exit =>
  report(call.io, problem("USAGE", message, { hint: "See: millrace token --help." }));

function create(call: Call, name: string): Promise<Exit> | Exit {
  const { given } = call;
  const role = given.text("role");
  if (role === undefined) return usage(call, "--role is needed: viewer, builder or admin");
  if (!isRole(role)) return usage(call, `--role "${role}" is none of viewer, builder, admin`);
  const life = given.text("life");
  const lifeMs = life === undefined ? undefined : durationMs(life);
  if (life !== undefined && lifeMs === undefined) return usage(call, `--life "${life}" is no time such as 12h or 30d`);
  const services = given.text("services")?.split(",");
  const body = {
    name,
    role,
    ...(services === undefined ? {} : { services: services.map((one) => one.trim()) }),
    ...(lifeMs === undefined ? {} : { lifeMs }),
    ...whyIn(call),
  };
  return ask(
    call,
    (client) => client.send("POST", "tokens", body),
    (answer) => call.io.out(textOf(fieldsOf(answer), "token") ?? ""),
  );
}

const list = (call: Call): Promise<Exit> =>
  ask(
    call,
    (client) => client.read("tokens"),
    (answer) => {
      const tokens = listOf(answer);
      if (tokens.length === 0) call.io.out("no tokens; make one with: millrace token create NAME --role builder");
      for (const one of tokens) call.io.out(lineOf(one));
    },
  );

function lineOf(one: Fields): string {
  const services = Array.isArray(one["services"]) ? ` for ${one["services"].map(String).join(", ")}` : "";
  const end = endOf(textOf(one, "revoked"), textOf(one, "expires"));
  const by = `made by ${textOf(one, "createdBy") ?? ""} ${textOf(one, "created") ?? ""}`;
  return safeText(`${(textOf(one, "name") ?? "").padEnd(20)} ${textOf(one, "role") ?? ""}${services}, ${by}${end}`);
}

function endOf(revoked: string | undefined, expires: string | undefined): string {
  if (revoked !== undefined) return `, revoked ${revoked}`;
  if (expires === undefined) return "";
  return Date.parse(expires) > createClock().now() ? `, until ${expires}` : `, over since ${expires}`;
}

const revoke = (call: Call, name: string): Promise<Exit> =>
  ask(
    call,
    (client) => client.send("POST", `tokens/${encodeURIComponent(name)}/revoke`, whyIn(call)),
    () => call.io.out(`revoked: ${name}`),
  );
