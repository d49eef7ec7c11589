import { docker } from "../../src/pipeline/docker.ts";
import { from } from "../../src/pipeline/from.ts";
import { git } from "../../src/pipeline/git.ts";
import { publish } from "../../src/pipeline/publish.ts";
import { swarm } from "../../src/pipeline/swarm.ts";
import type { Flavour, Host } from "../../src/pipeline/types.ts";

export const OWNER = "sim";
const REGISTRY = "registry.example:5000";

const alpha: Host = { host: "alpha" };
const beta: Host = { host: "beta" };

const url = (repo: string): string => `https://forge.example/${repo}.git`;

const small: Flavour = {
  repos: {
    "acme/web": from(
      git(url("acme/web")),
      docker("Dockerfile", { live: publish(`${REGISTRY}/acme/web:live`, swarm(alpha, "web")) }),
    ),
  },
};

const large: Flavour = {
  repos: {
    "acme/web": from(
      git(url("acme/web")),
      docker("Dockerfile", {
        live: publish(`${REGISTRY}/acme/web:live`, swarm(alpha, "web"), swarm(beta, "web")),
        next: publish(`${REGISTRY}/acme/web:next`, swarm(alpha, "web_next")),
      }),
    ),
    "acme/api": from(
      git(url("acme/api")),
      docker("Dockerfile", { live: publish(`${REGISTRY}/acme/api:live`, swarm(beta, "api")) }),
    ),
  },
};

/** A branch that is deployed, and the lanes that follow it. */
export interface Followed {
  readonly url: string;
  readonly branch: string;
  /** `host/path` of its image. */
  readonly image: string;
  readonly tag: string;
  readonly services: readonly { readonly host: string; readonly service: string }[];
}

export interface Shape {
  readonly flavour: Flavour;
  readonly branches: readonly Followed[];
}

/** Pipelines that are simulated: the smaller, the more meet each other. */
export const shapes: readonly Shape[] = [small, large].map((flavour) => ({
  flavour,
  branches: Object.values(flavour.repos).flatMap(({ source, builds }) =>
    builds.flatMap((build) =>
      Object.entries(build.branches).map(([branch, { image, services }]) => {
        const colon = image.lastIndexOf(":");
        return {
          url: source.kind === "git" ? source.url : source.repo,
          branch,
          image: image.slice(0, colon),
          tag: image.slice(colon + 1),
          services: services.map(({ host, service }) => ({ host: host.host, service })),
        };
      }),
    ),
  ),
}));

/** Whether a person's act was of this lane, or of a term of the repository that it follows. */
export const isOf = (act: { readonly of: string }, lane: string, { image }: Followed): boolean =>
  act.of === lane || act.of.startsWith(`${image.split("/").slice(1).join("/")}/`);

export const laneOf = ({ host, service }: Followed["services"][number]): string => `swarm/${host}/${service}`;
export const tagLaneOf = ({ image, tag }: Followed): string => `registry-tag/${image}:${tag}`;
