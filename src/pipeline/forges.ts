import type { Box } from "../term/term.ts";
import { watchGitHub } from "./github.ts";
import { gitUrl } from "./places.ts";
import type { Ports } from "./ports.ts";
import type { SourceDeclaration } from "./types.ts";
import { type Watched, type WatchOptions, watchGit } from "./watched.ts";

/** A kind of source: one line here, one folder in `plugins/`. */
const forges: {
  readonly [K in SourceDeclaration["kind"]]: {
    /** Where it is, in a word, for a box and for messages. */
    place(declared: Extract<SourceDeclaration, { kind: K }>): string;
    watch(ports: Ports, declared: Extract<SourceDeclaration, { kind: K }>, box: Box, options: WatchOptions): Watched;
  };
} = {
  git: {
    place: ({ url }) => url,
    watch: (ports, { url }, box) => watchGit(ports, { url: gitUrl(url, ports.folder) }, box),
  },
  github: { place: () => "GitHub", watch: (ports, { repo }, box, options) => watchGitHub(ports, repo, box, options) },
};

export const watchSource = (
  ports: Ports,
  declared: SourceDeclaration,
  box: Box,
  options: WatchOptions = {},
): Watched =>
  declared.kind === "git"
    ? forges.git.watch(ports, declared, box, options)
    : forges.github.watch(ports, declared, box, options);

export const placeOf = (declared: SourceDeclaration): string =>
  declared.kind === "git" ? forges.git.place(declared) : forges.github.place(declared);
