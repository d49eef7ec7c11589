import type { Database } from "better-sqlite3";
import type { Result } from "../../term/output.ts";
import { failure, success } from "../../term/output.ts";
import { problem } from "../errors.ts";

/** "MILL": says that a file is ours. */
export const APPLICATION_ID = 0x4d_49_4c_4c;

/**
 * Migration n (from 1) is `migrations[n - 1]`. They only add, so that an earlier program could still read what they
 * leave, and a released one is never edited. JSON is kept as text; `seq` is the order of birth.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE event (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL
  ) STRICT;

  CREATE TABLE job (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, op TEXT NOT NULL, term TEXT NOT NULL, key TEXT NOT NULL,
    description TEXT NOT NULL, state TEXT NOT NULL, level TEXT, pool TEXT, log TEXT NOT NULL, events TEXT NOT NULL,
    build INTEGER NOT NULL, created_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, error TEXT, note TEXT
  ) STRICT;
  CREATE INDEX job_of_term ON job (term, op, seq);
  CREATE INDEX job_of_op ON job (op, seq);
  CREATE INDEX job_in_state ON job (state, seq);

  CREATE TABLE job_input (
    job TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, text TEXT NOT NULL, changed INTEGER NOT NULL,
    PRIMARY KEY (job, name)
  ) STRICT;

  CREATE TABLE result (
    op TEXT NOT NULL, key TEXT NOT NULL, job TEXT NOT NULL, value TEXT NOT NULL, error TEXT,
    finished_ms INTEGER NOT NULL, build INTEGER NOT NULL, rebuild INTEGER NOT NULL, PRIMARY KEY (op, key)
  ) STRICT;
  CREATE INDEX result_of_job ON result (job);

  CREATE TABLE head (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, generation INTEGER NOT NULL, seen_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE intent (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, lane TEXT NOT NULL, kind TEXT NOT NULL, term TEXT NOT NULL,
    job TEXT NOT NULL, generation INTEGER NOT NULL, epoch INTEGER NOT NULL, wanted TEXT NOT NULL, digest TEXT NOT NULL,
    before TEXT, seen_version TEXT NOT NULL, state TEXT NOT NULL, ref TEXT NOT NULL, evidence TEXT,
    created_ms INTEGER NOT NULL, ended_ms INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_open_intent ON intent (lane) WHERE state IN ('planned', 'applied', 'unknown');
  CREATE INDEX intent_of_lane ON intent (lane, seq);
  CREATE INDEX intent_of_term ON intent (term, seq);

  CREATE TABLE outbox (
    key TEXT PRIMARY KEY, want TEXT NOT NULL, confirmed TEXT NOT NULL, tries INTEGER NOT NULL, next_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE inbox (
    delivery TEXT PRIMARY KEY, kind TEXT NOT NULL, body_digest TEXT NOT NULL, received_ms INTEGER NOT NULL,
    processed_ms INTEGER
  ) STRICT;

  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;

  CREATE TABLE epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL, owner TEXT NOT NULL, probed_ms INTEGER NOT NULL
  ) STRICT;
  INSERT INTO epoch (id, n, owner, probed_ms) VALUES (1, 0, 'nobody', 0);
  `,
  `
  CREATE TABLE approval (
    repository INTEGER NOT NULL, pull INTEGER NOT NULL, hash TEXT NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL,
    at_ms INTEGER NOT NULL, PRIMARY KEY (repository, pull, hash)
  ) STRICT;
  `,
  `
  CREATE TABLE session (
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL, identity TEXT NOT NULL, opened_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE api_token (
    name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL, services TEXT NOT NULL, created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL, expires_ms INTEGER, revoked_ms INTEGER
  ) STRICT;
  `,
  `
  ALTER TABLE inbox ADD COLUMN hint TEXT NOT NULL DEFAULT 'null';
  CREATE INDEX inbox_open ON inbox (received_ms) WHERE processed_ms IS NULL;
  CREATE INDEX inbox_by_age ON inbox (received_ms);
  `,
  `
  ALTER TABLE job ADD COLUMN headline TEXT;
  `,
  `
  ALTER TABLE outbox ADD COLUMN wanted_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE outbox ADD COLUMN waits_since_ms INTEGER NOT NULL DEFAULT 0;
  UPDATE outbox SET wanted_ms = unixepoch() * 1000;
  UPDATE outbox SET waits_since_ms = wanted_ms WHERE next_ms > 0;
  CREATE INDEX outbox_due ON outbox (next_ms) WHERE next_ms > 0;
  CREATE INDEX outbox_by_age ON outbox (wanted_ms) WHERE next_ms = 0;
  `,
];

/**
 * Brings a database to the newest schema in one transaction.
 *
 * Fails with `STATE_NEWER` (a later program wrote it) and `STATE_DAMAGED` (some other program's file).
 */
export function migrate(db: Database, path: string): Result<void> {
  const version = numberOf(db.pragma("user_version", { simple: true }));
  const application = numberOf(db.pragma("application_id", { simple: true }));
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0 || !isEmpty(db)))
    return failure(
      problem("STATE_DAMAGED", `${path} is a database of another program (application id ${application})`),
    );
  if (version > migrations.length) {
    const message = `${path} has schema ${version}; this Millrace knows schemas up to ${migrations.length}`;
    return failure(problem("STATE_NEWER", message));
  }
  if (version === migrations.length) return success(undefined);
  const missing = migrations.slice(version);
  db.transaction(() => {
    for (const sql of missing) db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
  return success(undefined);
}

const numberOf = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);

const isEmpty = (db: Database): boolean => db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
