import type { Observable } from "rxjs";
import type { Result } from "../term/output.ts";
import type { Codec, Json } from "./json.ts";
import { isPerson, type Person } from "./refs.ts";

/** What a forge told us, checked and stored. A hint only: every fact is read again from the forge. */
export type Hint =
  /** Branches or pull requests of a repository may have moved: push, create, delete, pull_request. */
  | { readonly kind: "refs"; readonly repository: number; readonly name: string }
  /** Somebody wants what failed to run again: check_run (`job` is its external_id), check_suite. */
  | {
      readonly kind: "rerequested";
      readonly repository: number;
      readonly commit: string;
      readonly job?: string;
      /** Undefined: it is not told who. */
      readonly author?: Person;
    }
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

/** Does its part about a hint; a transient failure is tried again. Hints of other kinds are none of its business: ok. */
export type HintHandler = (hint: Hint) => Promise<Result<void>>;

/** Everything that forges tell us, in the order in which it came in. */
export interface Hints {
  /** Told once, as soon as it is durable: for what a sweep would find too. */
  readonly changes: Observable<Hint>;
  /** A head has moved, and it was not a hint that made us look. */
  unannounced(): void;
}

export interface DurableHints extends Hints {
  /** Told until it went well, by the next process if need be: for what nobody would find otherwise. */
  handle(handler: HintHandler): void;
}

/** Where deliveries come in: the web gives the bytes as they came, a plugin says what is answered. */
export interface Door {
  /** The last part of `/webhooks/…`. */
  readonly forge: string;
  /** Longer bodies are cut off. */
  readonly bytesMax: number;
  /** Whether the headers alone are reason enough to refuse, before a byte of the body is read. */
  refuses(headers: DeliveryHeaders): DoorAnswer | undefined;
  receive(headers: DeliveryHeaders, body: Buffer): Promise<DoorAnswer>;
}

export type DeliveryHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface DoorAnswer {
  readonly status: 202 | 400 | 401 | 415 | 503;
  /** For who looks at the forge's list of deliveries: says what became of it, and nothing of ours. */
  readonly note: string;
}

/** What came through a door since the start, by kind and outcome: for the metrics. */
export interface DoorCount {
  readonly kind: string;
  /** taken · known · ignored · refused · full */
  readonly outcome: string;
  readonly count: number;
}

type Fields = { readonly [name: string]: Json };

/** Hints as they are stored. */
export const hintCodec: Codec<Hint> = {
  encode: (hint) => {
    if (hint.kind !== "comment" && hint.kind !== "rerequested") return { ...hint };
    const { author, ...rest } = hint;
    return author === undefined ? rest : { ...rest, author: { ...author } };
  },
  decode: (json) => {
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object that is no list
    return decodeFields(json as Fields);
  },
};

function decodeFields({ kind, repository, name, commit, job, pull, comment, author, body }: Fields): Hint | undefined {
  if (kind === "installations") return { kind };
  if (typeof repository !== "number") return undefined;
  if (kind === "refs" && typeof name === "string") return { kind, repository, name };
  if (kind === "rerequested" && typeof commit === "string")
    return {
      kind,
      repository,
      commit,
      ...(typeof job === "string" ? { job } : {}),
      ...(isPerson(author) ? { author } : {}),
    };
  if (kind !== "comment" || typeof pull !== "number" || typeof comment !== "number") return undefined;
  return isPerson(author) && typeof body === "string" ? { kind, repository, pull, comment, author, body } : undefined;
}
