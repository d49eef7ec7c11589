/** `acme/shop · live` of `acme/shop/Dockerfile/branch:live/build`; keys are percent-encoded, segment by segment. */
export function whereOf(key: string): string {
  const [owner = "", name = "", ...rest] = key.split("/");
  const ref = rest.find((segment) => /^(branch|pr):/.test(segment));
  if (ref === undefined) return "";
  return `${decoded(owner)}/${decoded(name)} · ${refName(decoded(ref))}`;
}

/** `main` of `branch:main`, `#7` of `pr:7`. */
export const refName = (ref: string): string =>
  ref.startsWith("pr:") ? `#${ref.slice("pr:".length)}` : ref.slice("branch:".length);

/** What is no encoding stays as it is: a term of somebody's own may be called anything. */
export function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
