import type { Codec, Json } from "./json.ts";
import type { BranchRef, PullRef, Refs } from "./refs.ts";

type Fields = { readonly [name: string]: Json };

const isFields = (json: Json | undefined): json is Fields =>
  typeof json === "object" && json !== null && !Array.isArray(json);
const isText = (json: Json | undefined): json is string => typeof json === "string";
const isNumber = (json: Json | undefined): json is number => typeof json === "number";

/** `Refs` as they are stored. One odd entry does not make the rest unreadable. */
export const refsCodec: Codec<Refs> = {
  encode: ({ id, name, defaultBranch, branches, pulls }) => ({
    id,
    name,
    defaultBranch,
    branches: Object.fromEntries([...branches].map(([branch, ref]) => [branch, encodeBranch(ref)])),
    pulls: [...pulls.values()].map(encodePull),
  }),
  decode: (json) => {
    if (!isFields(json)) return undefined;
    const { id, name, defaultBranch, branches, pulls } = json;
    if (!isNumber(id) || !isText(name) || !isText(defaultBranch) || !isFields(branches) || !Array.isArray(pulls))
      return undefined;
    return {
      id,
      name,
      defaultBranch,
      branches: new Map(Object.entries(branches).flatMap(([branch, ref]) => decodeBranch(branch, ref))),
      pulls: new Map(pulls.flatMap((pull: Json) => decodePull(pull)).map((pull) => [pull.number, pull])),
    };
  },
};

const encodeBranch = ({ commit, committedMs }: BranchRef): Json =>
  committedMs === undefined ? commit : { commit, committedMs };

function decodeBranch(name: string, json: Json): [string, BranchRef][] {
  if (isText(json)) return [[name, { commit: json }]];
  if (!isFields(json) || !isText(json["commit"]) || !isNumber(json["committedMs"])) return [];
  return [[name, { commit: json["commit"], committedMs: json["committedMs"] }]];
}

const encodePull = ({ number, commit, base, branch, author, fork }: PullRef): Json => ({
  number,
  commit,
  base,
  branch,
  author: { id: author.id, login: author.login },
  ...(fork === undefined ? {} : { fork: fork === "gone" ? fork : { id: fork.id, name: fork.name } }),
});

function decodePull(json: Json): PullRef[] {
  if (!isFields(json)) return [];
  const { number, commit, base, branch, author, fork } = json;
  if (!isNumber(number) || !isText(commit) || !isText(base) || !isText(branch)) return [];
  if (!isFields(author) || !isNumber(author["id"]) || !isText(author["login"])) return [];
  const pull = { number, commit, base, branch, author: { id: author["id"], login: author["login"] } };
  if (fork === undefined) return [pull];
  if (!isFields(fork)) return [{ ...pull, fork: "gone" }];
  const { id, name } = fork;
  return [{ ...pull, fork: isNumber(id) && isText(name) ? { id, name } : "gone" }];
}
