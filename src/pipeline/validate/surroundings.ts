/** What validation reads of the machine. All of it is optional knowledge: a pure check answers "unknown". */
export interface Surroundings {
  /** What is at the path of a `git()`, which is relative to the folder of `pipeline.ts`. */
  repositoryAt(path: string): "repository" | "no repository" | "nothing" | "unknown";
  /** The text of a line such as `pipeline.ts:12`, when it can be read. */
  lineAt(at: string): string | undefined;
}

/** Looks at nothing outside of the declaration. */
export const nowhere: Surroundings = { repositoryAt: () => "unknown", lineAt: () => undefined };
