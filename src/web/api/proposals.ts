import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import type { ChangedFile } from "../../engine/changes.ts";
import { refusedWith } from "../problems.ts";
import type { Web } from "../web.ts";
import type { Sent } from "./json.ts";

const ChangedFileJson = Type.Object({
  path: Type.String(),
  /** Its path before it was moved. */
  before: Type.Optional(Type.String()),
  status: Type.String(),
  added: Type.Integer(),
  removed: Type.Integer(),
  /** Absent where nothing is shown: it is binary or too large, or decides nothing. */
  patch: Type.Optional(Type.String()),
  /** There is more of it than `patch` has. */
  cut: Type.Optional(Type.Boolean()),
});
const ProposalJson = Type.Object({
  /** The commit that it is compared with. */
  since: Type.String(),
  /** False: there are more files than the forge lists. */
  whole: Type.Boolean(),
  /** Files that decide what the build does. */
  deciding: Type.Array(ChangedFileJson),
  others: Type.Array(ChangedFileJson),
});
const CommitPath = Type.Object({
  repository: Type.Integer({ minimum: 1 }),
  pull: Type.Integer({ minimum: 1 }),
  commit: Type.String({ pattern: "^[0-9a-f]{40,64}$" }),
});

/** What whoever approves has to read. */
export function serveProposals(app: FastifyInstance, { view }: Web): void {
  app.get<{ Params: Static<typeof CommitPath> }>(
    "/approvals/:repository/:pull/:commit",
    {
      config: { role: "admin" },
      schema: {
        summary: "What a commit that waits for a maintainer changes",
        params: CommitPath,
        response: { 200: ProposalJson },
      },
    },
    async ({ params }): Promise<Sent<Static<typeof ProposalJson>>> => {
      const found = await view.proposal(params);
      if (!found.ok) throw refusedWith(found.error);
      const { since, whole, deciding, others } = found.value;
      return { since, whole, deciding: deciding.map(fileJson), others: others.map(fileJson) };
    },
  );
}

const fileJson = ({
  path,
  before,
  status,
  added,
  removed,
  patch,
  cut,
}: ChangedFile): Static<typeof ChangedFileJson> => ({
  path,
  ...(before === undefined ? {} : { before }),
  status,
  added,
  removed,
  ...(patch === undefined ? {} : { patch }),
  ...(cut === undefined ? {} : { cut }),
});
