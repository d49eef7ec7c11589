import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import { pinnedFrontend } from "./frontend.ts";
import { remoteAdds } from "./remote-adds.ts";

/** A build whose layers no other may use, and whose image is none that is deployed. */
export interface Confined {
  readonly network: "default" | "none";
  /** Nobody who may write to the repository wrote it: base images come from their registries, and files have a limit. */
  readonly stranger?: boolean;
}

const DOCKERFILE_BYTES_MAX = 64 * 1024;

/**
 * Refuses a Dockerfile that may have the engine do what its build may not: read it by a program of its own choice, or
 * fetch something, since ADD goes out from the engine itself whatever network a build has.
 *
 * Fails with `CONTEXT_REFUSED` or `DOCKERFILE_REFUSED`.
 */
export async function mayBeBuilt(dir: string, dockerfile: string, { network }: Confined): Promise<Result<void>> {
  const pinned = await pinnedFrontend(dir, dockerfile);
  if (!pinned.ok) return pinned;
  const file = join(dir, dockerfile);
  const refuse = (why: string, hint: string): Result<never> =>
    failure(problem("DOCKERFILE_REFUSED", `Dockerfile ${JSON.stringify(dockerfile)}: ${why}`, { hint }));
  if ((await stat(file)).size > DOCKERFILE_BYTES_MAX)
    return refuse(
      `it is larger than ${DOCKERFILE_BYTES_MAX / 1024} KiB`,
      "Move what it copies into files of their own.",
    );
  const adds = remoteAdds(await readFile(file, "utf8"));
  const inside = adds.find(({ where }) => where === "inside");
  if (inside !== undefined)
    return refuse(
      `${shown(inside.source)} is an address within the network of the Docker engine`,
      "Add a file of the repository, or one that everybody can fetch.",
    );
  const [add] = network === "none" ? adds : [];
  if (add === undefined) return success(undefined);
  if (add.where === "outside")
    return refuse(
      `${shown(add.source)} would be fetched, and this build has no network`,
      "Put the file into the repository; docker.with({ unsafeNetwork: true }) in pipeline.ts gives the network.",
    );
  return refuse(
    `${shown(add.source)} may be an address, and this build has no network`,
    `Write COPY, or a path that begins with "./".`,
  );
}

const shown = (source: string): string => `ADD ${JSON.stringify(source.slice(0, 200))}`;

/** What an image bears that only shows that it can be built: it may be removed at any time. */
const CHECK_LABEL = "millrace.check";

/** No file that a stranger's build writes is larger. */
const FILE_BYTES_MAX = 4 * 1024 ** 3;

/**
 * How the engine is told. A label makes its image another one than any that is deployed. A host name of the scope's own
 * becomes part of what every RUN is known by: its layer is found again by the same scope only. With `pull` a base image
 * is what its registry says, asked without credentials: images that are only on the engine are out of reach.
 *
 * Limits of memory, processors and processes are not among these: the engine's BuildKit heeds none that a request names.
 *
 * @source docs.docker.com/reference/api/engine, ImageBuild: labels, networkmode, extrahosts, pull, ulimits
 */
export function confinement({ network, stranger = false }: Confined, scope: string): Readonly<Record<string, string>> {
  const fsize = { Name: "fsize", Soft: FILE_BYTES_MAX, Hard: FILE_BYTES_MAX };
  return {
    labels: JSON.stringify({ [CHECK_LABEL]: scope }),
    extrahosts: `${scope}.scope.invalid:127.0.0.1`,
    ...(network === "none" ? { networkmode: "none" } : {}),
    ...(stranger ? { pull: "1", ulimits: JSON.stringify([fsize]) } : {}),
  };
}
