import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../engine/process.ts";
import { type Credentials, reaches, sees, suffices } from "./credentials.ts";
import { type Ask, header, type Reply } from "./exchange.ts";
import type { GitStore } from "./git-store.ts";
import { type Heads, type Repository, refsOf, type World } from "./world.ts";

/** Fetching over HTTP, done by git itself (`git http-backend`) from a bare repository for each repository. */
export class GitHttp {
  readonly #world: World;
  readonly #credentials: Credentials;
  #folder: string | undefined;
  readonly #objects = new Map<GitStore, string>();
  readonly #written = new Map<number, Heads>();

  constructor(world: World, credentials: Credentials) {
    this.#world = world;
    this.#credentials = credentials;
  }

  /** The answer, when the request is git's. */
  async answer(ask: Ask): Promise<Reply | undefined> {
    const [, name = "", service = ""] =
      /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(ask.path) ?? [];
    if (service === "") return undefined;
    const repository = this.#world.repository(name) ?? this.#former(name);
    const refusal = this.#refusal(ask, repository);
    if (refusal !== undefined || repository === undefined) return refusal;
    if (ask.query.get("service") === "git-receive-pack" || service === "git-receive-pack")
      return { status: 403, headers: {}, body: "Pushing is done by the test: fake.push" };
    return this.#serve(ask, this.#bare(repository), service);
  }

  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #former(name: string): Repository | undefined {
    const id = this.#world.formerNames.get(name.toLowerCase());
    return id === undefined ? undefined : this.#world.repositories.get(id);
  }

  /** What is public is for everybody; for the rest, a token is the password. */
  #refusal(ask: Ask, repository: Repository | undefined): Reply | undefined {
    const caller = this.#credentials.caller(header(ask.headers, "authorization"));
    const needsName = { "www-authenticate": 'Basic realm="GitHub"', "content-type": "text/plain" };
    if ("status" in caller || (caller.who === "nobody" && repository?.private !== false))
      return { status: 401, headers: needsName, body: "Repository not found." };
    const isSeen = repository !== undefined && sees(this.#world, caller, repository);
    if (!isSeen) return { status: 404, headers: {}, body: "Repository not found." };
    const isShort = caller.who === "installation" && !suffices(caller.permissions, { contents: "read" });
    if (isShort && (repository.private || reaches(this.#world, caller, repository)))
      return { status: 403, headers: {}, body: "Write access to repository not granted." };
    return undefined;
  }

  /** The repository on disk, as it is now. */
  #bare(repository: Repository): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "millrace-fake-github-"));
    const objects = this.#objects.get(repository.git) ?? join(this.#folder, `objects-${this.#objects.size}`);
    this.#objects.set(repository.git, objects);
    mkdirSync(objects, { recursive: true });
    repository.git.write(objects);
    const name = `${repository.id}.git`;
    const bare = join(this.#folder, name);
    mkdirSync(join(bare, "objects/info"), { recursive: true });
    mkdirSync(join(bare, "refs/heads"), { recursive: true });
    writeFileSync(join(bare, "HEAD"), `ref: refs/heads/${repository.defaultBranch}\n`);
    if (this.#written.get(repository.id) === repository.heads) return name;
    writeFileSync(join(bare, "objects/info/alternates"), `${objects}\n`);
    writeFileSync(join(bare, "config"), CONFIG);
    const refs = refsOf(repository.heads).map(([ref, commit]) => `${commit} ${ref}\n`);
    writeFileSync(join(bare, "packed-refs"), `# pack-refs with: sorted \n${refs.join("")}`);
    this.#written.set(repository.id, repository.heads);
    return name;
  }

  async #serve(ask: Ask, name: string, service: string): Promise<Reply> {
    const encoding = header(ask.headers, "content-encoding");
    const ended = await run({
      argv: ["git", "http-backend"],
      env: {
        GIT_PROJECT_ROOT: this.#folder ?? "",
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_CONFIG_NOSYSTEM: "1",
        HOME: this.#folder ?? "",
        PATH_INFO: `/${name}/${service}`,
        REQUEST_METHOD: ask.method,
        QUERY_STRING: ask.query.toString(),
        CONTENT_TYPE: header(ask.headers, "content-type") ?? "",
        CONTENT_LENGTH: String(ask.raw.length),
        GIT_PROTOCOL: header(ask.headers, "git-protocol") ?? "",
        ...(encoding === undefined ? {} : { HTTP_CONTENT_ENCODING: encoding }),
      },
      stdin: ask.raw,
    });
    return ended.ok ? fromCgi(ended.value) : { status: 500, headers: {}, body: ended.error.message };
  }
}

const CONFIG = `[core]
\trepositoryformatversion = 0
\tbare = true
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
`;

/** `Status: 404 Not Found`, other headers, an empty line, the body. */
function fromCgi(output: Buffer): Reply {
  const end = output.indexOf("\r\n\r\n");
  const lines = output.subarray(0, end).toString("utf8").split("\r\n");
  const pairs = lines.map(
    (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const,
  );
  const { Status: status = "200", ...headers } = Object.fromEntries(pairs) as Record<string, string>;
  return { status: Number.parseInt(status, 10), headers, body: output.subarray(end + 4) };
}
