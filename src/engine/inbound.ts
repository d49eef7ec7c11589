import type { Observable } from "rxjs";
import type { Person } from "./refs.ts";

/** What a forge told us, checked and stored. A hint only: every fact is read again from the forge. */
export type Hint =
  /** Branches or pull requests of a repository may have moved: push, create, delete, pull_request. */
  | { readonly kind: "refs"; readonly repository: number; readonly name: string }
  /** Somebody wants what failed to run again: check_run (`job` is its external_id), check_suite. */
  | { readonly kind: "rerequested"; readonly repository: number; readonly commit: string; readonly job?: string }
  /** What the app may see has changed: installation, installation_repositories. */
  | { readonly kind: "installations" }
  /** A new comment on a pull request; edited ones are never told. */
  | {
      readonly kind: "comment";
      readonly repository: number;
      readonly pull: number;
      readonly comment: number;
      readonly author: Person;
      readonly body: string;
    };

/** Everything that forges tell us, in the order in which it came in. */
export interface Hints {
  readonly changes: Observable<Hint>;
}
