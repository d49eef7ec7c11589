import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";

/** Files of a commit by path. */
export type Files = ReadonlyMap<string, string>;

export interface Commit {
  readonly files: Files;
  readonly parents: readonly string[];
  readonly message: string;
  /** Name of who wrote it. */
  readonly author: string;
  readonly dateMs: number;
}

interface Folder {
  readonly files: Map<string, string>;
  readonly folders: Map<string, Folder>;
}

/**
 * The commits of a repository and its forks, as git's own objects with git's own ids.
 *
 * They are made in memory, and written when somebody fetches: a test that only asks the API costs no file.
 */
export class GitStore {
  readonly commits = new Map<string, Commit>();
  readonly #unwritten = new Map<string, Buffer>();
  readonly #known = new Set<string>();

  /** Stores it; its id. */
  add(commit: Commit): string {
    const seconds = Math.floor(commit.dateMs / 1000);
    const who = `${commit.author} <${commit.author}@users.example> ${seconds} +0000`;
    const lines = [
      `tree ${this.#tree(folderOf(commit.files))}`,
      ...commit.parents.map((parent) => `parent ${parent}`),
      `author ${who}`,
      `committer ${who}`,
      "",
      `${commit.message}\n`,
    ];
    const id = this.#object("commit", Buffer.from(lines.join("\n")));
    this.commits.set(id, commit);
    return id;
  }

  /** Whether `ancestor` is `commit` or lies behind it. */
  contains(commit: string, ancestor: string): boolean {
    const seen = new Set<string>();
    const todo = [commit];
    for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
      if (id === ancestor) return true;
      if (seen.has(id)) continue;
      seen.add(id);
      todo.push(...(this.commits.get(id)?.parents ?? []));
    }
    return false;
  }

  /** The newest commits that `commit` has behind it, itself first. */
  history(commit: string): readonly string[] {
    const ids: string[] = [];
    for (let id: string | undefined = commit; id !== undefined; id = this.commits.get(id)?.parents[0]) ids.push(id);
    return ids;
  }

  /** Writes what is not there yet as loose objects to `folder`. */
  write(folder: string): void {
    for (const [id, bytes] of this.#unwritten) {
      const path = join(folder, id.slice(0, 2), id.slice(2));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, deflateSync(bytes, { level: 1 }));
    }
    this.#unwritten.clear();
  }

  #tree(folder: Folder): string {
    const blobs = [...folder.files].map(([name, text]) => ({
      name,
      mode: "100644",
      id: this.#object("blob", Buffer.from(text)),
    }));
    const trees = [...folder.folders].map(([name, inner]) => ({ name, mode: "40000", id: this.#tree(inner) }));
    // git sorts a folder as if its name ended with a slash
    const order = ({ name, mode }: { name: string; mode: string }): Buffer =>
      Buffer.from(mode === "40000" ? `${name}/` : name);
    const entries = [...blobs, ...trees].toSorted((a, b) => Buffer.compare(order(a), order(b)));
    const parts = entries.map(({ name, mode, id }) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
    );
    return this.#object("tree", Buffer.concat(parts));
  }

  #object(type: string, content: Buffer): string {
    const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
    const id = createHash("sha1").update(bytes).digest("hex");
    if (!this.#known.has(id)) this.#unwritten.set(id, bytes);
    this.#known.add(id);
    return id;
  }
}

function folderOf(files: Files): Folder {
  const root: Folder = { files: new Map(), folders: new Map() };
  for (const [path, text] of files) {
    const names = path.split("/");
    const last = names.pop() ?? "";
    let at = root;
    for (const name of names) {
      const inner = at.folders.get(name) ?? { files: new Map(), folders: new Map() };
      at.folders.set(name, inner);
      at = inner;
    }
    at.files.set(last, text);
  }
  return root;
}
