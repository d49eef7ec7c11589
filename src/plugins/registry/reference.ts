import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";

/** A repository of a registry. `docker.io` is the name of Docker Hub, whose API is at another address. */
export interface Repository {
  /** `127.0.0.1:5000`, `ghcr.io`, `docker.io`. */
  readonly host: string;
  readonly path: string;
}

export interface ImageReference extends Repository {
  readonly tag: string;
}

/** @source https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests */
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[::1\])(?::\d{1,5})?$/;
const PATH_CHARACTERS_MAX = 255;

const HUB = "docker.io";

/**
 * `127.0.0.1:5000/demo/web:live` → host, path, tag. Without a host it is Docker Hub's, there `web` is `library/web`;
 * without a tag it is `latest`.
 *
 * Fails with `IMAGE_NAME`.
 */
export function parseImage(image: string): Result<ImageReference> {
  const tagAt = image.indexOf(":", image.lastIndexOf("/") + 1);
  const repository = parseRepository(tagAt < 0 ? image : image.slice(0, tagAt));
  if (!repository.ok) return repository;
  const tag = tagAt < 0 ? "latest" : image.slice(tagAt + 1);
  return TAG.test(tag) ? success({ ...repository.value, tag }) : refused(image, "a tag of letters, digits, _ . and -");
}

/** `127.0.0.1:5000/demo/web` → host and path. Fails with `IMAGE_NAME`. */
export function parseRepository(name: string): Result<Repository> {
  const [first = "", ...rest] = name.split("/");
  const named = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const host = named && first !== "index.docker.io" ? first : HUB;
  const parts = named ? rest : [first, ...rest];
  const path = [...(host === HUB && parts.length === 1 ? ["library"] : []), ...parts].join("/");
  if (!HOST.test(host)) return refused(name, "a registry's host, with its port if it has one");
  if (!PATH.test(path) || path.length > PATH_CHARACTERS_MAX) return refused(name, "a path of small letters and digits");
  return success({ host, path });
}

/** Where the registry's API is. Plain HTTP only to this very machine, as Docker engines do. */
export function originOf(host: string): string {
  if (host === HUB) return "https://registry-1.docker.io";
  const name = host.replace(/:\d+$/, "");
  const local = name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
  return `${local ? "http" : "https"}://${host}`;
}

export const repositoryName = ({ host, path }: Repository): string => `${host}/${path}`;

const refused = (image: string, expected: string): Result<never> =>
  failure(problem("IMAGE_NAME", `image ${JSON.stringify(image)}: expected ${expected}`));
