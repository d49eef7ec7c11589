import { posix } from "node:path";

/** The rules of every text that has a shape. Each answers with what is wrong, as the end of a sentence, or nothing. */
export type Rule = (text: string) => string | undefined;

const REPO_PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

export const flavourRule: Rule = (text) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/.test(text) ? undefined : "is not lower-case letters, digits and dashes (at most 63)";

export const repoRule: Rule = (text) => {
  const parts = text.split("/");
  if (parts.length !== 2) return `has ${parts.length - 1} slashes: it must be owner/name, with one`;
  const bad = parts.find((part) => !REPO_PART.test(part));
  if (bad === undefined) return undefined;
  return bad === "" ? "lacks its owner or its name" : `holds "${bad}": letters, digits, dots, dashes and _ only`;
};

/** @source `git help check-ref-format` */
export const branchRule: Rule = (text) => {
  if (text === "") return "is empty";
  if (/[\p{Cc}\p{Cs} ~^:?*[\\]/u.test(text)) return "holds a space, a control character or one of ~ ^ : ? * [ \\";
  if (/\.\.|@\{|\/\/|\/\.|^\.|^\/|\/$|\.$|^-|\.lock(\/|$)/.test(text)) return "is no name that git allows for a branch";
  return undefined;
};

/** @source reference/reliability.md, attack 57; Docker Engine API, ServiceSpec.Name */
export const serviceRule: Rule = (text) =>
  /^[a-z0-9][a-zA-Z0-9_.-]{0,62}$/.test(text)
    ? undefined
    : "is not letters, digits, dots, dashes and _ (at most 63), beginning with a lower-case letter or digit";

export const argRule: Rule = (text) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? undefined : "is not letters, digits and _, beginning with a letter";

export const pathRule: Rule = (text) => {
  if (text === "") return "is empty";
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return "holds a control character";
  if (text.startsWith("/")) return "is absolute: it must be relative to the root of the repository";
  const clean = posix.normalize(text);
  if (clean === ".." || clean.startsWith("../")) return "leaves the repository";
  return clean.endsWith("/") || clean === "." ? "is a folder, not a file" : undefined;
};

export const specNameRule: Rule = (text) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text)
    ? undefined
    : "is not letters, digits, dots, dashes and _ (at most 63)";

export const userRule: Rule = (text) =>
  /^[a-z][a-z0-9-]*:[^\s:]+$/.test(text) ? undefined : "is not provider:name, such as github:avsm";

export const webUrlRule: Rule = (text) => {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return "is not an absolute http:// or https:// address";
  const url = new URL(text);
  return url.username !== "" || url.password !== "" ? "holds a user name or password" : undefined;
};
