import type { Failure } from "../../term/output.ts";
import type { Json } from "../json.ts";

/** What SQLite keeps in one cell here. */
export type Sql = string | number | null;

/** How one field of a row is kept. `decode` gives `undefined` for a cell of an odd shape. */
export interface Column<T> {
  encode(value: T): Sql;
  decode(cell: unknown): T | undefined;
}

type Columns<Row> = { readonly [Field in keyof Row]-?: Column<Row[Field]> };

export interface Table<Row> {
  readonly name: string;
  /** Inserts a row, or replaces the one of the same primary key. Parameters are those of `encode`. */
  readonly upsert: string;
  /** `SELECT … FROM name`, to be continued. */
  readonly select: string;
  /** How many cells a row has. */
  readonly width: number;
  /** Adds the cells of a row. */
  encode(row: Row, to: Sql[]): void;
  /** A row from its cells, in the order of `select`; `undefined` when one is of an odd shape. */
  decode(cells: unknown): Row | undefined;
}

/** Describes a table by the fields of its rows; the column of `createdMs` is `created_ms`. */
export function table<Row extends object>(
  name: string,
  key: readonly (keyof Row & string)[],
  columns: Columns<Row>,
): Table<Row> {
  const fields = Object.keys(columns);
  const list = fields.map(columnName).join(", ");
  const others = fields.filter((field) => !key.some((part) => part === field)).map(columnName);
  const replaced = others.map((column) => `${column} = excluded.${column}`).join(", ");
  return {
    name,
    select: `SELECT ${list} FROM ${name}`,
    upsert:
      `INSERT INTO ${name} (${list}) VALUES (${fields.map(() => "?").join(", ")}) ` +
      `ON CONFLICT (${key.map(columnName).join(", ")}) DO UPDATE SET ${replaced}`,
    width: fields.length,
    encode: (row, to) => {
      for (const field in columns) to.push(columns[field].encode(row[field]));
    },
    decode: (cells) => (Array.isArray(cells) ? decodeRow(columns, cells) : undefined),
  };
}

function decodeRow<Row>(columns: Columns<Row>, cells: readonly unknown[]): Row | undefined {
  const made: Partial<Row> = {};
  let place = 0;
  for (const field in columns) {
    const value = columns[field].decode(cells[place]);
    if (value === undefined) return undefined;
    made[field] = value;
    place += 1;
  }
  return isComplete(made) ? made : undefined;
}

/** All fields were set, or it would not have come this far. */
const isComplete = <Row>(made: Partial<Row>): made is Row => made !== undefined;

const columnName = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const text: Column<string> = {
  encode: (value) => value,
  decode: (cell) => (typeof cell === "string" ? cell : undefined),
};

export const whole: Column<number> = {
  encode: (value) => value,
  decode: (cell) => (typeof cell === "number" && Number.isSafeInteger(cell) ? cell : undefined),
};

export const flag: Column<boolean> = {
  encode: (value) => (value ? 1 : 0),
  decode: (cell) => (cell === 0 || cell === 1 ? cell === 1 : undefined),
};

/** Text that passes a check, such as one of a list of states. */
export const checked = <T extends string>(is: (value: string) => value is T): Column<T> => ({
  encode: (value) => value,
  decode: (cell) => (typeof cell === "string" && is(cell) ? cell : undefined),
});

/** NULL or the inner column. */
export const nullable = <T>(inner: Column<T>): Column<T | null> => ({
  encode: (value) => (value === null ? null : inner.encode(value)),
  decode: (cell) => (cell === null ? null : inner.decode(cell)),
});

/** As `nullable`, but a cell of an odd shape reads as null: for what people read and nothing depends on. */
export const lenient = <T>(inner: Column<T>): Column<T | null> => ({
  encode: (value) => (value === null ? null : inner.encode(value)),
  decode: (cell) => inner.decode(cell) ?? null,
});

const isJson = (value: unknown): value is Json => value !== undefined;

/** A value kept as JSON text, checked on the way back. */
const jsonOf = <T>(is: (value: unknown) => value is T): Column<T> => ({
  encode: (value) => {
    const encoded: string | undefined = JSON.stringify(value);
    if (encoded === undefined) throw new TypeError("a value that is not JSON cannot be stored");
    return encoded;
  },
  decode: (cell) => {
    const value = typeof cell === "string" ? parse(cell) : undefined;
    return is(value) ? value : undefined;
  },
});

export const json: Column<Json> = jsonOf(isJson);

export const numbers: Column<readonly number[]> = jsonOf(
  (value): value is readonly number[] => Array.isArray(value) && value.every((item) => typeof item === "number"),
);

/** Texts by name. */
export const texts: Column<Readonly<Record<string, string>>> = jsonOf(
  (value): value is Readonly<Record<string, string>> =>
    isRecord(value) && Object.values(value).every((item) => typeof item === "string"),
);

export const failureJson: Column<Failure> = jsonOf(
  (value): value is Failure =>
    isRecord(value) &&
    typeof value["code"] === "string" &&
    typeof value["message"] === "string" &&
    (value["class"] === "transient" || value["class"] === "failed" || value["class"] === "system"),
);

function parse(encoded: string): unknown {
  try {
    return JSON.parse(encoded);
  } catch {
    return undefined; // not JSON: a cell of an odd shape
  }
}
