import { isIP } from "node:net";
import { InvalidArgumentError, Option } from "commander";
import { isReaders, type Readers, readers } from "../engine/access/identity.ts";
import { isLevel, levels, type Threshold } from "../engine/level.ts";
import { suggestion } from "../pipeline/nearest.ts";

interface Flag {
  /** As commander has it: `-f, --follow`, `--port <number>`. */
  readonly flag: string;
  readonly help: string;
  readonly default?: string | number;
  readonly read?: (text: string) => string | number;
  /** Most people do without it: only `--help-all` explains it. */
  readonly more?: true;
}

const thresholds: readonly string[] = [...levels, "none"];

/** Every flag of every command: one line each. */
export const flags = {
  flavour: { flag: "--flavour <name>", help: "which flavour (default: the only one)" },
  pipeline: { flag: "--pipeline <file>", help: "the pipeline", default: "./pipeline.ts" },
  state: { flag: "--state <folder>", help: "where everything is kept", default: "./var" },
  host: { flag: "--host <address>", help: "address to listen on", default: "127.0.0.1" },
  trustProxy: {
    flag: "--trust-proxy <addresses>",
    help: "proxies in front that say who asks: 10.0.0.7,10.1.0.0/16 (default: none)",
    read: proxiesOf,
    more: true,
  },
  port: { flag: "--port <number>", help: "port to listen on; 0 takes any", default: 8080, read: portOf },
  confirm: {
    flag: "--confirm <level>",
    help: `hold jobs at this level and above: ${thresholds.join(", ")}`,
    read: levelOf,
  },
  confirmAutoRelease: {
    flag: "--confirm-auto-release <seconds>",
    help: "a threshold set on the page falls back to the flag after this time",
    more: true,
    read: secondsOf,
  },
  registryAuth: { flag: "--registry-auth <file>", help: "credentials, as in ~/.docker" },
  dockerHost: {
    flag: "--docker-host <address>",
    help: "the engine behind here (default: DOCKER_HOST, or the local socket)",
    more: true,
  },
  untrustedDockerHost: {
    flag: "--untrusted-docker-host <address>",
    help: "another engine, for checks of branches and pull requests",
    more: true,
  },
  githubAppId: {
    flag: "--github-app-id <number>",
    help: "the GitHub App that repositories are read by",
    read: idOf,
    more: true,
  },
  githubKey: { flag: "--github-private-key-file <file>", help: "its private key", more: true },
  githubSecret: {
    flag: "--github-webhook-secret-file <file>",
    help: "its webhook's secret; without it none are taken",
    more: true,
  },
  githubAccounts: {
    flag: "--github-account-allowlist <names>",
    help: "serve these accounts only: acme,other (default: all that have the app)",
    more: true,
  },
  event: { flag: "--event <name>", help: "what happened, as GitHub calls it: push, pull_request, …" },
  githubUrl: {
    flag: "--github-url <address>",
    help: "API of GitHub Enterprise: https://github.example/api/v3",
    more: true,
  },
  read: {
    flag: "--read <who>",
    help: "who may read: anyone, signed-in, or named in pipeline.ts (default: anyone)",
    read: readersOf,
    more: true,
  },
  slack: {
    flag: "--slack <file>",
    help: "tell a Slack channel: the address of its incoming webhook",
    more: true,
  },
  webhook: {
    flag: "--webhook <file>",
    help: "tell any address: its URL, then the secret that bodies are signed with",
    more: true,
  },
  mail: {
    flag: "--mail <file>",
    help: "send mail: the SMTP server's address, the sender and who gets it, a line each",
    more: true,
  },
  githubOauth: {
    flag: "--github-oauth <file>",
    help: "people sign in with GitHub: JSON with client_id and client_secret",
    more: true,
  },
  once: { flag: "--once", help: "print what is or would be done, and exit" },
  offline: { flag: "--offline", help: "look at the file only, not at what it names" },
  check: { flag: "--check", help: "write nothing; fail when the file is stale" },
  json: { flag: "--json", help: "print JSON" },
  url: { flag: "--url <address>", help: "the server (default: the one that runs on --state)" },
  tokenFile: { flag: "--token-file <file>", help: "file with the token to show (default: token in --state)" },
  follow: { flag: "-f, --follow", help: "go on until the job ends" },
  role: { flag: "--role <role>", help: "viewer, builder or admin" },
  services: { flag: "--services <names>", help: "a builder's token for these services only: shop_web,shop_api" },
  life: { flag: "--life <time>", help: "the token ends after this time: 12h, 30d (default: never)" },
  why: { flag: "--why <text>", help: "the reason, for the audit log" },
  op: { flag: "--op <name>", help: "only this operation" },
  jobState: { flag: "--job-state <state>", help: "only jobs in this state: ok, failed, running, …" },
  term: { flag: "--term <key>", help: "only this term" },
  date: { flag: "--date <day>", help: "only ids that begin so: 2026-11-21" },
  text: { flag: "--text <text>", help: "only with this text in term, description or error" },
  limit: { flag: "--limit <number>", help: "at most so many", default: 20, read: countOf },
  verbose: { flag: "-v, --verbose", help: "print every state of a job; show the stack of a fault" },
} as const satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof flags;

/** What reading repositories on GitHub may need. */
export const githubFlags = [
  "githubAppId",
  "githubKey",
  "githubAccounts",
  "githubUrl",
] as const satisfies readonly FlagName[];

/** The flag as commander takes it. */
export function optionOf(name: FlagName): Option {
  const { flag, help, default: preset, read, more }: Flag = flags[name];
  const option = new Option(flag, help);
  if (preset !== undefined) option.default(preset);
  if (more === true) option.hideHelp();
  return read === undefined ? option : option.argParser(read);
}

/** Those that `--help` only names: `--slack`, … */
export const unexplained = (names: readonly FlagName[]): readonly string[] =>
  names.flatMap((name) => {
    const { flag, more }: Flag = flags[name];
    return more === true ? [flag.replace(/ .*/, "")] : [];
  });

/** What was given, by the names of the table. Flags that a command does not take have their defaults. */
export class Given {
  readonly #raw: Readonly<Record<string, unknown>>;
  constructor(raw: Readonly<Record<string, unknown>>) {
    this.#raw = raw;
  }
  text(name: FlagName): string | undefined {
    const value = this.#value(name);
    return typeof value === "string" ? value : undefined;
  }
  number(name: FlagName): number | undefined {
    const value = this.#value(name);
    return typeof value === "number" ? value : undefined;
  }
  has(name: FlagName): boolean {
    return this.#value(name) === true;
  }
  readers(): Readers {
    const text = this.text("read");
    return isReaders(text) ? text : "anyone";
  }
  /** `none` unless something was given: nothing waits for a person. */
  threshold(): Threshold {
    const text = this.text("confirm") ?? "none";
    return isLevel(text) ? text : "none";
  }
  #value(name: FlagName): unknown {
    const { default: preset }: Flag = flags[name];
    return this.#raw[optionOf(name).attributeName()] ?? preset;
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}

/** Addresses and networks. One of all addresses is refused: then everybody would say who they are. */
function proxiesOf(text: string): string {
  const all = text.split(",").map((one) => one.trim());
  const wrong = all.find((one) => !isNetwork(one));
  if (wrong === undefined) return all.join(",");
  throw new InvalidArgumentError(`"${wrong}" is neither an IP address nor a network such as 10.1.0.0/16.`);
}

function isNetwork(text: string): boolean {
  const [, address = "", length] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return bits > 0 && (length === undefined || (Number(length) > 0 && Number(length) <= bits));
}

function readersOf(text: string): string {
  if (isReaders(text)) return text;
  throw new InvalidArgumentError(suggestion(text, readers));
}

function countOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be a number from 1 to 9999.");
}

function idOf(text: string): number {
  if (/^\d{1,12}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be the number that the app's page calls App ID.");
}

function secondsOf(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be a whole number of seconds above 0.");
}

function levelOf(text: string): string {
  if (thresholds.includes(text)) return text;
  throw new InvalidArgumentError(suggestion(text, thresholds));
}
