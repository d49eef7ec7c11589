const DOCKER_HUB = "docker.io";

/**
 * An image in one spelling, so that two can be compared: registry host and path in full, and the digest alone when
 * there is one (`web:live@sha256:…` and `docker.io/library/web@sha256:…` are the same image).
 */
export function canonicalImage(image: string): string {
  const [name = "", digest] = image.split("@", 2);
  const tagAt = name.indexOf(":", name.lastIndexOf("/") + 1);
  const path = fullName(tagAt < 0 ? name : name.slice(0, tagAt));
  if (digest !== undefined) return `${path}@${digest}`;
  return `${path}:${tagAt < 0 ? "latest" : name.slice(tagAt + 1)}`;
}

export const sameImage = (one: string, other: string): boolean => canonicalImage(one) === canonicalImage(other);

/** `host/path@sha256:…`: the only form that is deployed, since a tag may move between two nodes' pulls. */
export const isPinned = (image: string): boolean => /^[^@\s]+@sha256:[0-9a-f]{64}$/.test(image);

/** The registry host of an image: `127.0.0.1:5000`, `docker.io`. */
export const registryOf = (image: string): string => canonicalImage(image).split("/", 1)[0] ?? DOCKER_HUB;

function fullName(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const host = isHost && first !== "index.docker.io" ? first : DOCKER_HUB;
  const path = isHost ? rest : [first, ...rest];
  return [host, ...(host === DOCKER_HUB && path.length === 1 ? ["library"] : []), ...path].join("/");
}
