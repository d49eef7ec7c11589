import { problem } from "../engine/errors.ts";
import { failure, type Result, success } from "../term/output.ts";

/** The API's path of a job. Fails with `USAGE` when the text cannot be an id. */
export function jobPath(id: string | undefined): Result<string> {
  const [, date, rest] = /^(\d{4}-\d{2}-\d{2})\/([A-Za-z0-9][\w.-]{0,150})$/.exec(id ?? "") ?? [];
  if (date !== undefined && rest !== undefined) return success(`jobs/${date}/${rest}`);
  return failure(
    problem("USAGE", `"${id ?? ""}" is no job id: it is like 2026-11-21/094512-docker-build-3f9a12`, {
      hint: "millrace jobs lists those that run or wait, millrace query all of them.",
    }),
  );
}
