import type { Database } from "better-sqlite3";
import type { Table } from "./columns.ts";
import type { JobFilter, Queries } from "./store.ts";
import {
  apiTokenTable,
  approvalTable,
  auditTable,
  eventTable,
  headTable,
  inboxTable,
  intentTable,
  jobInputTable,
  jobTable,
  lastRunTable,
  outboxTable,
  resultTable,
  sessionTable,
  settingTable,
} from "./tables.ts";

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** Sorts after every other text. */
const LAST = "\u{10FFFF}";

/** Runs a statement by its text; each row is the list of its cells. */
type Read = (sql: string, ...cells: readonly (string | number)[]) => readonly unknown[];

/** @param onError  Told of everything that a read throws, before it is thrown on. */
export function createQueries(db: Database, onError: (error: unknown) => void): Queries {
  const read = reader(db, onError);
  const rows = <Row>(table: Table<Row>, tail: string, ...cells: readonly (string | number)[]): Row[] =>
    decoded(table, read(`${table.select} ${tail}`, ...cells));
  const numbers = (sql: string, ...cells: readonly (string | number)[]): number[] =>
    read(sql, ...cells).map((raw) => numberIn(raw));
  return {
    results: () => rows(resultTable, ""),
    result: (op, key) => rows(resultTable, "WHERE op = ? AND key = ?", op, key)[0],
    heads: () => rows(headTable, ""),
    openIntents: () => rows(intentTable, "WHERE state IN ('planned', 'applied', 'unknown') ORDER BY seq"),
    intents: (filter) => {
      const where = new Where();
      if (filter.lane !== undefined) where.and("lane = ?", filter.lane);
      if (filter.term !== undefined) where.and("term = ?", filter.term);
      return rows(intentTable, `${where.sql} ORDER BY seq DESC LIMIT ?`, ...where.cells, limitOf(filter.limit));
    },
    intent: (id) => rows(intentTable, "WHERE id = ?", id)[0],
    outbox: () => rows(outboxTable, "ORDER BY key"),
    openOutbox: () => rows(outboxTable, "WHERE next_ms > 0 ORDER BY +key"), // + : not by the index of the keys
    outboxOf: (key) => rows(outboxTable, "WHERE key = ?", key)[0],
    setting: (name) => rows(settingTable, "WHERE name = ?", name)[0]?.value,
    job: (id) => rows(jobTable, "WHERE id = ?", id)[0],
    jobs: (filter) => {
      const where = jobWhere(filter);
      return rows(jobTable, `${where.sql} ORDER BY seq DESC LIMIT ?`, ...where.cells, limitOf(filter.limit));
    },
    unfinishedJobs: () => rows(jobTable, "WHERE state IN ('ready', 'waiting', 'running') ORDER BY seq"),
    jobInputs: (job) => rows(jobInputTable, "WHERE job = ? ORDER BY rowid", job),
    lastRun: (term, op) => decoded(lastRunTable, read(LAST_RUN, term, op))[0],
    events: (ids) => rows(eventTable, "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", JSON.stringify(ids)),
    lastEventId: () => numbers("SELECT coalesce(max(id), 0) AS n FROM event")[0] ?? 0,
    audit: (limit, filter = {}) => {
      const where = new Where();
      const { who } = filter; // after a name follows the number of a person, or the address of a stranger
      if (who !== undefined)
        where.and("(who = ? OR substr(who, 1, ?) IN (?, ?))", who, who.length + 1, `${who}#`, `${who}@`);
      if (filter.what !== undefined) where.and("what = ?", filter.what);
      if (filter.before !== undefined) where.and("id < ?", filter.before);
      return rows(auditTable, `${where.sql} ORDER BY id DESC LIMIT ?`, ...where.cells, limitOf(limit));
    },
    sessions: () => rows(sessionTable, "ORDER BY id"),
    apiTokens: () => rows(apiTokenTable, "ORDER BY name"),
    lastAuditId: () => numbers("SELECT coalesce(max(id), 0) AS n FROM audit")[0] ?? 0,
    approval: (repository, pull, hash) =>
      rows(approvalTable, "WHERE repository = ? AND pull = ? AND hash = ?", repository, pull, hash)[0],
    inbox: (delivery) => rows(inboxTable, "WHERE delivery = ?", delivery)[0],
    openInbox: () => rows(inboxTable, "WHERE processed_ms IS NULL ORDER BY received_ms, rowid"),
    lastInboxMs: () => rows(inboxTable, "ORDER BY received_ms DESC LIMIT 1")[0]?.receivedMs,
    operations: () => read("SELECT DISTINCT op FROM job ORDER BY op").flatMap((raw) => textIn(raw) ?? []),
    durations: (term, op, limit) =>
      numbers(
        `SELECT ended_ms - started_ms AS n FROM job WHERE term = ? AND op = ? AND state = 'ok'
           AND ended_ms IS NOT NULL AND started_ms IS NOT NULL ORDER BY seq DESC LIMIT ?`,
        term,
        op,
        limitOf(limit),
      ),
  };
}

/** Rows of an odd shape are left out. */
function decoded<Row>(table: Table<Row>, raw: readonly unknown[]): Row[] {
  const rows: Row[] = [];
  for (const cells of raw) {
    const row = table.decode(cells);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

const LAST_RUN = `
  SELECT id, key, state, (SELECT json_group_object(name, digest) FROM job_input WHERE job_input.job = job.id)
  FROM job WHERE term = ? AND op = ? AND ended_ms IS NOT NULL ORDER BY seq DESC LIMIT 1`;

/** Older than the job with an id; an id that is not stored yet is newer than all. */
const OLDER = `seq < coalesce((SELECT seq FROM job WHERE id = ?), ${Number.MAX_SAFE_INTEGER})`;

function jobWhere(filter: JobFilter): Where {
  const where = new Where();
  if (filter.op !== undefined) where.and("op = ?", filter.op);
  if (filter.state !== undefined) where.and("state = ?", filter.state);
  if (filter.ended === true) where.and("ended_ms IS NOT NULL");
  if (filter.term !== undefined) where.and("term = ?", filter.term);
  if (filter.date !== undefined) where.and("id >= ? AND id < ?", filter.date, filter.date + LAST);
  if (filter.before !== undefined) where.and(OLDER, filter.before);
  if (filter.text !== undefined) {
    const like = `%${filter.text.replace(/[\\%_]/g, "\\$&")}%`;
    const columns = ["term", "description", "error"].map((column) => `${column} LIKE ? ESCAPE '\\'`);
    where.and(`(${columns.join(" OR ")})`, like, like, like);
  }
  if (filter.rebuild !== undefined)
    where.and(`${filter.rebuild ? "" : "NOT "}EXISTS (SELECT 1 FROM result WHERE result.job = job.id AND rebuild = 1)`);
  return where;
}

class Where {
  readonly #parts: string[] = [];
  readonly cells: (string | number)[] = [];
  and(part: string, ...cells: readonly (string | number)[]): void {
    this.#parts.push(part);
    this.cells.push(...cells);
  }
  get sql(): string {
    return this.#parts.length === 0 ? "" : `WHERE ${this.#parts.join(" AND ")}`;
  }
}

function limitOf(limit: number | undefined): number {
  return Math.max(0, Math.min(Math.trunc(limit ?? LIMIT_DEFAULT), LIMIT_MAX));
}

/** Prepares each statement once. */
function reader(db: Database, onError: (error: unknown) => void): Read {
  const prepared = new Map<string, ReturnType<Database["prepare"]>>();
  return (sql, ...cells) => {
    try {
      const known = prepared.get(sql);
      const statement = known ?? db.prepare(sql).raw();
      if (known === undefined) prepared.set(sql, statement);
      return statement.all(...cells);
    } catch (error) {
      onError(error);
      throw error;
    }
  };
}

const firstCell = (raw: unknown): unknown => (Array.isArray(raw) ? raw[0] : undefined);

function numberIn(raw: unknown): number {
  const cell = firstCell(raw);
  return typeof cell === "number" ? cell : 0;
}

function textIn(raw: unknown): string | undefined {
  const cell = firstCell(raw);
  return typeof cell === "string" ? cell : undefined;
}
