import type { Failure, FailureClass } from "../term/output.ts";

interface Entry {
  readonly class: FailureClass;
  /** What to do about it, one sentence. */
  readonly hint: string;
}

const failed = (hint: string): Entry => ({ class: "failed", hint });
const transient = (hint: string): Entry => ({ class: "transient", hint });
const system = (hint: string): Entry => ({ class: "system", hint });

/**
 * Every error code that Millrace reports, with its class and what to do.
 *
 * `doc/errors.md` explains each one; a test holds the two together, both ways.
 */
export const errors = {
  // jobs and the engine
  CANCELLED: failed("Press Rebuild to run it again."),
  TIMED_OUT: failed("Raise its timeout in pipeline.ts, or find out from the log what took so long."),
  INTERRUPTED: transient("Nothing to do: it is taken up again by itself."),
  PROGRAM_FAULT: system("This is a fault of Millrace: report it with the job's log."),
  LOG_SEARCH_FAILED: transient("Try again; jobs run and end as ever, only without a headline."),
  STORE_FULL: transient("Free space on the disk of the state directory; work goes on by itself."),
  NOT_FOUND: failed("Check the id."),
  NOT_POSSIBLE: failed("Look at the state of the job: the action does not apply any more."),
  DRY_RUN: failed("Start Millrace without --confirm=harmless to let it act."),
  // the state directory
  STATE_IN_USE: failed("Stop the process that is named, or give this one another --state directory."),
  STATE_DAMAGED: system("Restore a backup of the state directory, or move the file away to start afresh."),
  STATE_NEWER: failed("Run the Millrace version that wrote it, or a newer one."),
  STATE_NOT_WRITABLE: failed("Give --state a directory on a local disk that this user may write to."),
  STATE_REPLACED: system("Leave the files of the state directory alone while Millrace runs; start it again."),
  STATE_IO: system("Check the disk of the state directory (kernel log, SMART), then start Millrace again."),
  DRIVER_MISSING: failed("Run npm rebuild better-sqlite3 with this very Node; doc/operating.md says what that needs."),
  EPOCH_LOST: system("Another Millrace took over this state directory: let only one of them run."),
  // effects
  HELD: failed("Look at the target; `millrace adopt TERM` accepts what is there."),
  NO_TARGET: failed("Create it by hand once; it is taken over as soon as it is there."),
  UNTRUSTED_IMAGE: system(
    "Nothing was changed. Press Rebuild of the build; report it with the job's log if that does not help.",
  ),
  DRIFTED: failed("Rebuild deploys what is wanted again, and so does a push; `millrace adopt TERM` accepts what runs."),
  DRIFT_HELD: failed(
    "Nothing more is sent by itself: `millrace adopt TERM` accepts what runs, Rebuild deploys over it.",
  ),
  ROLLED_BACK: failed("Read the failed task's log above, mend it and push; or press Rebuild to try the same again."),
  DEPLOY_FAILED: failed("Read the job's log; press Rebuild to try the same value again."),
  TARGET_DOWN: transient("Mend what the message names, or push what runs: it is ok again by itself once it runs."),
  SUPERSEDED: failed("Nothing to do: a newer value takes its place."),
  NOT_SENT: transient(
    "Nothing to do: it is sent again until it is confirmed; look at the other side if it does not heal.",
  ),
  SEND_REFUSED: failed(
    "Read the answer of the other side. It is tried again within the hour, then rarely; at once when what is to be said changes.",
  ),
  MESSAGE_FILE: failed("Write the file as doc/operating.md says, for its owner's eyes only (chmod 600)."),
  // processes
  COMMAND_NOT_FOUND: system("Install the program that is named, or put it on PATH."),
  NO_PROCESS: transient("Raise the limits of open files and processes (ulimit -n, -u), or free memory."),
  // inputs
  INPUT_ENDED: failed("Repair what feeds the input, then restart Millrace."),
  COMMAND_FAILED: failed("Read the output above the error in the job's log."),
  OUTPUT_TOO_LONG: failed("A repository with so many files or branches is not for Millrace; else report it."),
  // git
  REPO_UNREACHABLE: transient(
    "Nothing to do if it comes back by itself; else check the repository's address and access.",
  ),
  REPO_HIDDEN: failed(
    "Correct the name, or give Millrace a way in: for GitHub an app that sees it (doc/github.md), else ssh and its key.",
  ),
  REPO_REFUSED: failed("Use an absolute path or a file, https, ssh or git URL of the repository."),
  COMMIT_GONE: failed("Push the commit again, or push a newer one: it is no longer in the repository."),
  COMMIT_REFUSED: failed("Git's own checks call an object of the commit's history malformed: git fsck names it."),
  SUBMODULE_FAILED: failed("Submodules must be reachable by https or ssh, or lie beside a local repository."),
  CHECKOUT_FAILED: failed("Read git's message in the job's log."),
  // forges
  FORGE_UNREACHABLE: transient(
    "Nothing to do if it heals by itself; else look at the forge's status page and at the way there.",
  ),
  FORGE_RATE_LIMITED: transient(
    "Nothing to do: work goes on when the forge allows more requests, at the time that is shown.",
  ),
  FORGE_FAULT: transient("Nothing to do if it heals by itself; else check --github-url and what lies between."),
  FORGE_REFUSED: failed("Read the forge's message; doc/github.md lists the permissions that the app needs."),
  FORGE_TOKEN: transient(
    "If it does not heal: check the clock of this machine, and that key and app id belong together.",
  ),
  NO_DELIVERIES: transient("Look at the app's list of recent deliveries; doc/github.md says where it is."),
  FORGE_KEY: failed("Give a file with just that, readable by this user alone: chmod 600 FILE."),
  NO_INSTALLATION: failed(
    "Install the app on that account and let it see the repository; look at --github-account-allowlist.",
  ),
  REPO_MOVED: failed("Check that this was meant, then write the new name into pipeline.ts."),
  REPO_REPLACED: failed(
    "Find out who made the new one. If it was meant: millrace adopt with the key of its heads accepts it.",
  ),
  // Docker engine
  ENGINE_ENDPOINT: failed("Give the engine as unix:///var/run/docker.sock."),
  ENGINE_UNREACHABLE: transient("Check that the Docker engine runs: docker version."),
  ENGINE_FAULT: transient("Look into the Docker engine's own log if it does not heal."),
  ENGINE_REFUSED: failed("Read the engine's message; what was asked of it cannot work."),
  NO_SPACE: transient("Free space on the engine's disk, with docker system prune for instance."),
  NO_DOCKERFILE: failed("Correct the path in pipeline.ts, or commit the Dockerfile."),
  CONTEXT_REFUSED: failed("Give a path inside the repository, and keep the build's context small with .dockerignore."),
  DOCKERFILE_REFUSED: failed(
    "Fetch nothing by ADD: doc/github.md says what builds of pull requests and branches may do.",
  ),
  BUILD_FAILED: failed("Read the output of the failing instruction in the job's log."),
  BASE_UNREACHABLE: transient(
    "Check that the Docker engine reaches the base image's registry, or load the image there.",
  ),
  // registry
  REGISTRY_UNREACHABLE: transient("Check that the registry runs and that the Docker engine can reach it."),
  REGISTRY_REFUSED: failed("Check the registry's user and password, and that this user may write there."),
  PUSH_UNVERIFIED: transient("Nothing to do: the push is repeated; look at the registry if it does not heal."),
  REGISTRY_REALM_REFUSED: failed("Check the registry's configuration: it must name its own or a known token server."),
  REGISTRY_FAULT: failed("Check that the address is that of a registry that speaks the distribution API, version 2."),
  REGISTRY_REPO_DIFFERS: failed("Publish to the repository that the image is pushed to: a tag is moved within one."),
  MANIFEST_GONE: failed("Press Rebuild: the image is no longer in the registry."),
  DIGEST_MISMATCH: failed("Look at the registry, and at what lies between: it sent other bytes than were asked for."),
  IMAGE_NAME: failed("Write it as registry.example:5000/name:tag, or as name:tag for Docker Hub."),
  CREDENTIALS_FILE: failed("Write it in the shape of Docker's config.json, as docker login does."),
  // Swarm
  NO_SUCH_SERVICE: failed("Correct its name in pipeline.ts, or create it first with docker service create."),
  SERVICE_NAME: failed("Correct the service's name in pipeline.ts."),
  SERVICE_KIND: failed("Name a service that runs for ever; jobs are not rolled out."),
  SWARM_NOT_READY: transient("If it does not heal: the host must be a Swarm manager (docker swarm init)."),
  IMAGE_NOT_PINNED: failed("Deploy by digest: repository@sha256:…"),
  // pipeline.ts
  NO_PIPELINE: failed("Write one with: millrace init, or name it with --pipeline FILE."),
  PIPELINE_SYNTAX: failed("Correct the line; an editor that knows TypeScript marks it too."),
  PIPELINE_THREW: failed("Correct the line: pipeline.ts is data and must load without an error."),
  NO_DEPLOYER: failed("End the file with: export default deployer({ … });"),
  PIPELINE_INVALID: failed("Correct the lines that are named above."),
  NOTHING_DECLARED: failed("Declare at least one flavour with at least one repository."),
  UNKNOWN_FIELD: failed("Correct the name, or remove the field."),
  WRONG_VALUE: failed("Correct the value; doc/pipeline.md shows the shape."),
  WRONG_NAME: failed("Correct the name."),
  WRONG_IMAGE: failed("Write it as owner/name:tag, or registry:port/name:tag."),
  SECRET_IN_PIPELINE: failed("Take the secret out: what stands in pipeline.ts is shown on pages and in images."),
  UNKNOWN_HOST: failed("Name a host that contexts/hosts.ts exports."),
  SAME_TARGET: failed("Let one declaration move it, or give the second one a name of its own."),
  SAME_BUILD: failed('Give one of them a name: docker.with({ name: "…" })(…).'),
  NO_REPOSITORY: failed("Correct the path; it is relative to the folder of pipeline.ts."),
  UNKNOWN_FLAVOUR: failed("Name one of the flavours of pipeline.ts with --flavour."),
  UNKNOWN_REPO: failed("Name one of the flavour's repositories as owner/name."),
  MISSING_BRANCH: failed("Push the branch, or correct its name in pipeline.ts."),
  // HTTP
  PORT_IN_USE: failed("Stop the process that listens there, or give another --port (0 takes any free one)."),
  CANNOT_LISTEN: failed("Give --host an address of this machine, and --port one that this user may use."),
  LOGIN_NEEDED: failed(
    "Sign in on /login, or show a token: with --token-file on the command line, as Authorization: Bearer by HTTP.",
  ),
  LOGIN_REFUSED: failed("Copy the token again from the file named token in the state directory."),
  TOO_MANY_TRIES: transient("Wait a minute, then try again with the right token."),
  FORBIDDEN: failed("Load the page again and repeat the action there."),
  ROLE_NEEDED: failed("Ask for it: admins and builders in pipeline.ts name who may do what; see doc/operating.md."),
  SIGN_IN_REFUSED: failed("Begin again on /login, in the same browser and within ten minutes."),
  SIGN_IN_UNREACHABLE: transient("Try again in a minute; with the token of the state directory you can sign in now."),
  OAUTH_FILE: failed('Write it as {"client_id": "…", "client_secret": "…"}, readable by its owner only (chmod 600).'),
  BAD_REQUEST: failed("Correct the request; the message names the field."),
  TOO_MANY_STREAMS: transient("Close some pages, or try again later."),
  RECOVERING: transient("Nothing to do: it is ready when the open deploys are looked through."),
  LAYOUT_FAILED: system("Nothing is lost: the graph is shown as a list."),
  // command line
  USAGE: failed("See: millrace --help."),
  FILE_EXISTS: failed("Remove it, or use another folder: nothing is overwritten."),
  DOCS_STALE: failed("Run: millrace docs, and commit the result."),
  NO_SERVER: failed("Start one with millrace serve, or name it with --url."),
  SERVER_UNREACHABLE: transient("Check that the server runs and that --url is right."),
  SERVER_REFUSED: failed("Read the server's message; its token may be another one."),
  NO_TOKEN: failed("Name the token's file with --token-file; a server keeps it as token in its state directory."),
} as const satisfies Readonly<Record<string, Entry>>;

export type ErrorCode = keyof typeof errors;

/** A failure with its class and hint from the registry. `message` names what was wrong, with got and expected. */
export function problem(
  code: ErrorCode,
  message: string,
  more?: { readonly class?: FailureClass; readonly hint?: string },
): Failure {
  const entry: Entry = errors[code];
  return { code, message, class: more?.class ?? entry.class, hint: more?.hint ?? entry.hint };
}
