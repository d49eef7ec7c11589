import type { Queries, Write } from "../../src/engine/store/store.ts";

const ALL = 1_000;

interface Entry {
  readonly write: Write;
  /** Rows that were handed over, oldest first, and up to which of them it was confirmed. */
  readonly rows: string[];
  confirmed: number;
}

/** What the store has confirmed: it must be there, or something newer that was handed over, whatever dies. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /** Notes what is handed over; what it returns is called once that is confirmed. */
  hand(batch: readonly Write[]): () => void {
    const entries = batch.map((write) => ({ entry: this.#handed(write), row: textOf(write.row) }));
    return () => {
      for (const { entry, row } of entries) entry.confirmed = Math.max(entry.confirmed, entry.rows.lastIndexOf(row));
    };
  }

  forget(): void {
    this.#entries.clear();
  }

  #handed(write: Write): Entry {
    const key = keyOf(write);
    const entry = this.#entries.get(key) ?? { write, rows: [], confirmed: -1 };
    this.#entries.set(key, entry);
    entry.rows.push(textOf(write.row));
    return entry;
  }

  /** What is missing of it. What is there becomes what has to be there from now on. */
  missing(queries: Queries): readonly string[] {
    const found = rowsIn(queries);
    const missing: string[] = [];
    for (const [key, entry] of this.#entries) {
      const at = entry.rows.lastIndexOf(found(entry.write) ?? "");
      if (at < entry.confirmed)
        missing.push(
          `${key}: confirmed ${entry.rows[entry.confirmed] ?? ""}, found ${found(entry.write) ?? "nothing"}`,
        );
      if (at < 0) this.#entries.delete(key);
      else this.#entries.set(key, { write: entry.write, rows: [entry.rows[at] ?? ""], confirmed: 0 });
    }
    return missing;
  }
}

/** The row as it is stored, for a write of it. */
function rowsIn(queries: Queries): (write: Write) => string | undefined {
  const heads = new Map(queries.heads().map((row) => [row.key, row]));
  const results = new Map(queries.results().map((row) => [`${row.op} ${row.key}`, row]));
  const audits = new Map(queries.audit(ALL).map((row) => [row.id, row]));
  const find = ({ put, row }: Write): object | undefined => {
    switch (put) {
      case "event":
        return queries.events([row.id])[0];
      case "job":
        return queries.job(row.id);
      case "jobInput":
        return queries.jobInputs(row.job).find(({ name }) => name === row.name);
      case "result":
        return results.get(`${row.op} ${row.key}`);
      case "head":
        return heads.get(row.key);
      case "intent":
        return queries.intents({ lane: row.lane, limit: ALL }).find(({ id }) => id === row.id);
      case "setting": {
        const value = queries.setting(row.name);
        return value === undefined ? undefined : { name: row.name, value };
      }
      case "audit":
        return audits.get(row.id);
      case "approval":
        return queries.approval(row.repository, row.pull, row.hash);
      case "session":
        return queries.sessions().find(({ id }) => id === row.id);
      case "apiToken":
        return queries.apiTokens().find(({ name }) => name === row.name);
      case "inbox":
        return queries.inbox(row.delivery);
      case "inboxBefore":
      case "outboxBefore":
        return row; // what it removes is not asked for again
      case "outbox":
        return queries.outbox().find(({ key }) => key === row.key);
    }
  };
  return (write) => {
    const found = find(write);
    return found === undefined ? undefined : textOf(found);
  };
}

/** The same text for the same row, in whatever order its fields come. */
const textOf = (row: object): string =>
  JSON.stringify(Object.entries(row).toSorted(([one], [other]) => (one < other ? -1 : 1)));

function keyOf({ put, row }: Write): string {
  if (put === "result") return `${put} ${row.op} ${row.key}`;
  if (put === "jobInput") return `${put} ${row.job} ${row.name}`;
  if (put === "setting" || put === "apiToken") return `${put} ${row.name}`;
  if (put === "approval") return `${put} ${row.repository} ${row.pull} ${row.hash}`;
  if (put === "inbox") return `${put} ${row.delivery}`;
  if (put === "outboxBefore") return `${put} ${row.kind}`;
  if (put === "inboxBefore") return `${put} ${row.receivedMs}`;
  return "id" in row ? `${put} ${row.id}` : `${put} ${row.key}`;
}
