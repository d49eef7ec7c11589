import { deploy } from "../engine/effects/deploy.ts";
import type { Deployed } from "../engine/effects/lane-face.ts";
import { type Declared, placeName, type Service, serviceOf } from "../engine/effects/service.ts";
import type { PushedImage } from "../plugins/docker/index.ts";
import { map } from "../term/combinators.ts";
import type { Result } from "../term/output.ts";
import type { Box, Term } from "../term/term.ts";
import type { Ports } from "./ports.ts";
import type { TargetDeclaration, TargetOptions } from "./types.ts";

export interface Deploying {
  readonly ports: Ports;
  readonly box: Box;
  readonly image: Term<PushedImage>;
  readonly fresh: (running: string) => Promise<Result<unknown>>;
  /** `owner/name branch`. */
  readonly source: string;
}

export interface Lowered {
  readonly term: Term<Deployed>;
  readonly service: Service;
  /** Whether a generation was brought to the target by us; else it ran already. */
  readonly rolledOut: (generation: number) => boolean;
}

/** A kind of target: one line here, one folder in `plugins/`. */
const targets: {
  readonly [K in TargetDeclaration["kind"]]: {
    /** How its box is labelled. */
    label(declared: Extract<TargetDeclaration, { kind: K }>): string;
    lower(declared: Extract<TargetDeclaration, { kind: K }>, how: Deploying): Lowered;
  };
} = {
  swarm: { label: ({ host, service }) => `${service}\non ${host.host}`, lower: lowerSwarm },
};

export const targetLabel = (declared: TargetDeclaration): string => targets[declared.kind].label(declared);
export const lowerTarget = (declared: TargetDeclaration, how: Deploying): Lowered =>
  targets[declared.kind].lower(declared, how);

/** The policy that was declared, if there is one. */
export const driftOf = ({ drift }: TargetOptions): TargetOptions => (drift === undefined ? {} : { drift });

function lowerSwarm(declared: TargetDeclaration, { ports, box, image, fresh, source }: Deploying): Lowered {
  const wanted = map(image, ({ repo, digest }) => ({ image: `${repo}@${digest}` }));
  const spec = { host: declared.host.host, service: declared.service };
  const options = { owner: ports.owner, fresh, ...driftOf(declared) };
  const made = deploy(ports.engine, box, ports.swarm, spec, wanted, options);
  const about: Declared = {
    name: declared.service,
    host: declared.host.host,
    place: placeName(declared.service, declared.host.host),
    source,
    at: declared.at,
    ...(declared.url === undefined ? {} : { url: declared.url }),
  };
  return { term: made.term, service: serviceOf(made.lane, about), rolledOut: (of) => made.lane.rolledOut(of) };
}
