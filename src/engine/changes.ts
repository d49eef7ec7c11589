/** A file that a pull request changes, as its forge tells it. */
export interface ChangedFile {
  readonly path: string;
  /** Its path before it was moved. */
  readonly before?: string;
  readonly status: "added" | "removed" | "changed" | "moved";
  /** Lines. */
  readonly added: number;
  readonly removed: number;
  /** What changed, as `git diff` shows it. Absent where the forge shows nothing: it is binary, or too large. */
  readonly patch?: string;
  /** There is more of it than `patch` has. */
  readonly cut?: true;
}

/** What a commit of a pull request changes. */
export interface Changes {
  /** The commit that it is compared with: the newest that its base branch and it have behind them. */
  readonly since: string;
  readonly files: readonly ChangedFile[];
  /** False: there are more files than the forge lists. */
  readonly whole: boolean;
}

/** What whoever approves has to know. */
export interface Proposal extends Omit<Changes, "files"> {
  /** Files that decide what a build does: read these. */
  readonly deciding: readonly ChangedFile[];
  readonly others: readonly ChangedFile[];
}
