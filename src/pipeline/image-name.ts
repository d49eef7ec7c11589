/** An image's name, taken apart. */
export interface ImageReference {
  /** With its port: `127.0.0.1:5000`, or `docker.io`. */
  readonly registry: string;
  /** Without the registry: `library/alpine`, `demo/hello`. */
  readonly path: string;
  readonly tag: string;
}

const NAME_MAX = 255;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d{1,5})?$/;
const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Reads `[registry/]path:tag` as Docker does: the first part is a registry when it holds a dot or a colon or is
 * `localhost`; without one it is `docker.io`, and a single word is below `library/`.
 *
 * @returns What is wrong, as the end of a sentence, when it is no such name.
 * @source distribution/reference, grammar in reference.go
 */
export function parseImage(text: string): ImageReference | string {
  if (text.length > NAME_MAX) return `is longer than ${NAME_MAX} characters`;
  if (text.includes("@")) return "holds a digest: write a tag, the digest is found out at each build";
  const slash = text.indexOf("/");
  const head = slash < 0 ? "" : text.slice(0, slash);
  const hosted = /[.:]/.test(head) || head === "localhost";
  if (hosted && !HOST.test(head)) return `names a registry "${head}" that is no host or host:port`;
  const [name = "", tag, ...rest] = (hosted ? text.slice(slash + 1) : text).split(":");
  if (tag === undefined) return 'has no tag: add one, such as ":live"';
  if (rest.length > 0) return "has more than one colon in its tag";
  const bad = name.split("/").find((part) => !PART.test(part));
  if (bad !== undefined) return `holds "${bad}": lower-case letters and digits, separated by . _ or - only`;
  if (!TAG.test(tag)) return `has the tag "${tag}": letters, digits, dots, dashes and _ only (at most 128)`;
  const hub = !hosted || head === "docker.io" || head === "index.docker.io";
  const path = hub && !name.includes("/") ? `library/${name}` : name;
  return { registry: hub ? "docker.io" : head.toLowerCase(), path, tag };
}

/** The one spelling of a name: two names that mean the same image are equal here. */
export const imageText = (image: ImageReference): string => `${image.registry}/${image.path}:${image.tag}`;
