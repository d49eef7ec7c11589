/** A branch or pull request that a term is about. */
export interface Place {
  /** The same for all its terms. */
  readonly key: string;
  /** `acme/shop`. */
  readonly repo: string;
  /** `branch:main`, `pr:7`. */
  readonly ref: string;
}

/** `acme/shop/Dockerfile/branch:main/build` is about `acme/shop` and `branch:main`; segments are percent-encoded. */
export function placeOf(key: string): Place | undefined {
  const [owner = "", name = "", ...rest] = key.split("/");
  const ref = rest.find((segment) => /^(branch|pr):/.test(segment));
  if (ref === undefined) return undefined;
  return { key: `${owner}/${name}/${ref}`, repo: `${decoded(owner)}/${decoded(name)}`, ref: decoded(ref) };
}

/** `acme/shop · live` of `acme/shop/Dockerfile/branch:live/build`; blank: it is about none. */
export function whereOf(key: string): string {
  const place = placeOf(key);
  return place === undefined ? "" : `${place.repo} · ${refName(place.ref)}`;
}

/** `main` of `branch:main`, `#7` of `pr:7`. */
export const refName = (ref: string): string =>
  ref.startsWith("pr:") ? `#${ref.slice("pr:".length)}` : ref.slice("branch:".length);

/** What is no encoding stays as it is: a term of somebody's own may be called anything. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
