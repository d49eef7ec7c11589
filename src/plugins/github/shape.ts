/** The fields of a record, or none: what came from outside is looked at before it is believed. */
export const recordOf = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const textIn = (fields: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
};

export const numberIn = (fields: Readonly<Record<string, unknown>>, name: string): number | undefined => {
  const value = fields[name];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
};
