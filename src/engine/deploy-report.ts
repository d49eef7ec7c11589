import { map2Node, mapNode, type Node } from "../incr/index.ts";
import { active, type Failure, type Output, ok } from "../term/output.ts";
import { Term } from "../term/term.ts";
import type { Deployed } from "./effects/lane-face.ts";

/** What is deployed where, for those who are told. */
export interface DeployAbout {
  /** Key of the deploy's term: permanent. */
  readonly term: string;
  /** `owner/name`. */
  readonly repo: string;
  readonly branch: string;
  /** What runs it, as people call it: `shop_web`, or `shop_web@opam4` on another machine than this. */
  readonly place: string;
  /** Where it can be looked at. */
  readonly url?: string;
}

export type DeployState = "queued" | "in_progress" | "success" | "failure" | "error";

/** How far the deploy of one commit to one place is. */
export interface DeployReport extends DeployAbout {
  readonly commit: string;
  readonly state: DeployState;
  /** What runs there, when it is as wanted. */
  readonly running?: string;
  /** Whether it was rolled out for this value; else it ran already. */
  readonly rolledOut: boolean;
  readonly failure?: Failure;
  /** The job whose log tells. */
  readonly job?: string;
}

/** Whose failures are told as the deploy's, by the keys of terms. */
export interface Origins {
  /** Its own: the deploy, and the public tag's before it. */
  readonly own: ReadonlySet<string>;
  /** Of what is made for it: a fetch, build or push that fails for good is how the deploy ends. */
  readonly making: ReadonlySet<string>;
}

/**
 * The newest commit of the branch, with how far its deploy is. Active for as long as the deploy waits for something
 * before it: what is deployed is not touched yet.
 *
 * @param commit   That the branch is at: what is deployed for it changes in the same step.
 * @param wasRolledOut Whether this generation was brought to the target by us.
 */
export function deployReport(
  about: DeployAbout,
  commit: Term<string>,
  deployed: Term<Deployed>,
  { own, making }: Origins,
  wasRolledOut: (generation: number) => boolean,
): Term<DeployReport> {
  const report = (of: Output<string>, now: Output<Deployed>): Output<DeployReport> => {
    if (of.state !== "ok") return of;
    const unmade = now.state === "failed" && now.failure.class !== "transient" && making.has(now.origin);
    if (now.state !== "ok" && !own.has(now.origin) && !unmade) return active("ready", now.origin);
    const job = jobOf(deployed, now);
    return ok({
      ...about,
      commit: of.value,
      state: unmade ? "error" : stateOf(now),
      rolledOut: now.state === "ok" && wasRolledOut(now.value.generation),
      ...(now.state === "ok" ? { running: now.value.running } : {}),
      ...(now.state === "failed" ? { failure: now.failure } : {}),
      ...(job === undefined ? {} : { job }),
    });
  };
  const node: Node<Output<DeployReport>> = map2Node(commit.node, deployed.node, report);
  return new Term(deployed.world, { node, inputs: [commit, deployed] });
}

/** Of what it stands at: what is before it has jobs of its own. */
function jobOf({ key, metadata, world }: Term<Deployed>, now: Output<Deployed>): string | undefined {
  if (now.state === "ok" || now.origin === key) return metadata.job;
  return world.terms.get(now.origin)?.metadata.job;
}

function stateOf(output: Output<Deployed>): DeployState {
  if (output.state === "ok") return "success";
  if (output.state === "active") return output.phase === "running" ? "in_progress" : "queued";
  if (output.failure.class === "transient") return "in_progress"; // it is tried again by itself
  return output.failure.class === "system" ? "error" : "failure";
}

/** `f` of the value; on its way for as long as `f` gives nothing. */
export function picked<A, B>(term: Term<A>, f: (value: A) => B | undefined): Term<B> {
  const apply = (output: Output<A>): Output<B> => {
    if (output.state !== "ok") return output;
    const value = f(output.value);
    return value === undefined ? active("ready", term.key) : ok(value);
  };
  return new Term(term.world, { node: mapNode(term.node, apply), inputs: term });
}
