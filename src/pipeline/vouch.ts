import type { Builder } from "../engine/cache/builder.ts";
import { digestOf } from "../engine/cache/digest.ts";
import { problem } from "../engine/errors.ts";
import type { Queries } from "../engine/store/store.ts";
import type { DockerPushKey } from "../plugins/docker/index.ts";
import { type BuiltImage, type DockerBuildContext, type DockerBuildKey, dockerPush } from "../plugins/docker/index.ts";
import { failure, type Output, type Result, success } from "../term/output.ts";

type Build = Builder<DockerBuildContext, DockerBuildKey, BuiltImage>;

/** What is pushed for a built image: under a tag that is named after the build, so that nobody else moves it. */
export function pushKey(builder: Build, repo: string, image: string, build: DockerBuildKey): DockerPushKey {
  return { image, repo, tag: `millrace-${digestIn(builder, build).slice(0, 16)}`, build };
}

const digestIn = <C, K, V>(builder: Builder<C, K, V>, key: K): string =>
  digestOf({ version: builder.version, key: builder.key(key) });

/** What is known of a deployed branch at the moment. */
export interface BranchState {
  /** The commit that the branch is at. */
  readonly head: string | undefined;
  /** What is built of it. */
  readonly build: Output<DockerBuildKey>;
  /** `host/name` of the image. */
  readonly repo: string;
}

/**
 * Whether an image may be deployed: it must be what the registry answered to our push of what the trusted builder made
 * of the commit that the branch is at. Asked again right before each deploy, of the records, whatever the graph says.
 *
 * Fails with `UNTRUSTED_IMAGE`.
 *
 * @param running What would run: a digest, or an image by its digest.
 */
export function vouchFor(
  queries: Pick<Queries, "result">,
  builder: Build,
  { head, build, repo }: BranchState,
  running: string,
): Result<void> {
  const refuse = (why: string): Result<never> =>
    failure(problem("UNTRUSTED_IMAGE", `${running} is not deployed: ${why}`));
  if (build.state !== "ok" || head !== build.value.commit)
    return refuse("the branch is not at the commit that was built");
  const built = queries.result(builder.id, digestIn(builder, build.value));
  const image = built?.error === null ? builder.value.decode(built.value)?.image : undefined;
  if (image === undefined) return refuse(`there is no record that commit ${build.value.commit} was built for deploys`);
  const pushed = queries.result(dockerPush.id, digestIn(dockerPush, pushKey(builder, repo, image, build.value)));
  const digest = pushed?.error === null ? dockerPush.value.decode(pushed.value)?.digest : undefined;
  if (digest === undefined) return refuse("there is no record that its image was pushed");
  if (running === digest || running.endsWith(`@${digest}`)) return success(undefined);
  return refuse(`what was built of commit ${build.value.commit} is ${digest}`);
}
