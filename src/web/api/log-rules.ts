import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import type { LogRule } from "../../engine/log-rules/rule.ts";
import { type Result } from "../../term/output.ts";
import { recordedWith, tooLongCsv } from "../problems.ts";
import type { Web } from "../web.ts";
import { Why } from "./schemas.ts";

const RuleJson = Type.Object({ pattern: Type.String(), report: Type.String(), score: Type.Number() });
const RuleBody = Type.Object({
  pattern: Type.String({ maxLength: 4_000 }),
  report: Type.Optional(Type.String({ maxLength: 4_000 })),
  score: Type.Integer(),
  why: Why,
});
const TestBody = Type.Object({
  pattern: Type.String({ maxLength: 4_000 }),
  report: Type.Optional(Type.String({ maxLength: 4_000 })),
});
const TestedJson = Type.Object({
  /** Logs that were looked at: of the newest jobs that failed. */
  logs: Type.Number(),
  /** The time was up before all were looked at. */
  cut: Type.Boolean(),
  matches: Type.Array(Type.Object({ job: Type.String(), description: Type.String(), headline: Type.String() })),
});
const PatternBody = Type.Object({ pattern: Type.String({ maxLength: 4_000 }), why: Why });
const CsvBody = Type.Object({ csv: Type.String(), why: Why });
const ImportedJson = Type.Object({ imported: Type.Number() });
const DoneJson = Type.Object({});

/** JSON has up to six bytes for one of its text, but rarely. */
const IMPORT_BYTES_MAX = 4 * 1024 * 1024;
const admin = { role: "admin" } as const;
const storing = { role: "admin", stores: true } as const;

/** What is looked for in the logs of jobs that failed. */
export function serveLogRules(app: FastifyInstance, { view }: Web): void {
  app.get(
    "/log-rules",
    { config: { role: "viewer" }, schema: { summary: "All log rules", response: { 200: Type.Array(RuleJson) } } },
    (): readonly LogRule[] => view.logRules.list(),
  );
  app.put<{ Body: Static<typeof RuleBody> }>(
    "/log-rules",
    {
      config: storing,
      schema: {
        summary: "Add a log rule, or replace that of its pattern",
        body: RuleBody,
        response: { 200: DoneJson },
      },
    },
    async ({ body, visitor }) => {
      const { why, ...rule } = body;
      valueOf(await view.logRules.put({ report: "", ...rule }, visitor.who, why));
      return {};
    },
  );
  app.post<{ Body: Static<typeof PatternBody> }>(
    "/log-rules/remove",
    { config: storing, schema: { summary: "Remove a log rule", body: PatternBody, response: { 200: DoneJson } } },
    async ({ body, visitor }) => {
      valueOf(await view.logRules.remove(body.pattern, visitor.who, body.why));
      return {};
    },
  );
  app.post<{ Body: Static<typeof CsvBody> }>(
    "/log-rules/import",
    {
      config: storing,
      bodyLimit: IMPORT_BYTES_MAX,
      schema: { summary: "Import log rules as CSV, all or none", body: CsvBody, response: { 200: ImportedJson } },
    },
    async ({ body, visitor }) => {
      const tooLong = tooLongCsv(body.csv);
      if (tooLong !== undefined) throw tooLong;
      return { imported: valueOf(await view.logRules.import(body.csv, visitor.who, body.why)) };
    },
  );
  app.post<{ Body: Static<typeof TestBody> }>(
    "/log-rules/test",
    { config: admin, schema: { summary: "Try a log rule on old logs", body: TestBody, response: { 200: TestedJson } } },
    async ({ body }) => valueOf(await view.logRules.test({ report: "", ...body, score: 0 })),
  );
}

/** The value, or the end of the request. */
function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw recordedWith(result.error);
  return result.value;
}
