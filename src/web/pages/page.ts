import type { Standing } from "../../engine/access/identity.ts";
import { WHY_CHARS_MAX } from "../../engine/audit.ts";
import type { Picture } from "../graph/drawings.ts";
import type { Look } from "../looks.ts";
import { ago, Html, iso } from "../text.ts";
import type { Visitor } from "../visitor.ts";
import type { Web } from "../web.ts";

/** A request, as far as a page needs it. */
export interface Visit {
  readonly visitor: Visitor;
  /** What tries are counted by: the address of the machine that asks. */
  readonly caller: string;
  /** What a sign-in that was begun in this browser left there. */
  readonly begun: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Fields of the form; a field may come more than once. */
  readonly form: Readonly<Record<string, readonly string[]>>;
  /** The script asks for the parts that move: the graph and the log are left out. */
  readonly live: boolean;
}

export type Answer =
  | {
      readonly kind: "page";
      readonly body: Html;
      /** Stands where the body says `PICTURE`. */
      readonly picture?: Picture;
      readonly title?: string;
      readonly look?: Look;
      readonly status?: number;
    }
  | { readonly kind: "document"; readonly type: string; readonly text: string | Picture }
  /** Goes on to another page; `session` and `begun` set their cookies ("" ends them). */
  | { readonly kind: "redirect"; readonly to: string; readonly session?: string; readonly begun?: string };

/** The place of the picture in a page: it may be large, and is sent in its pieces. */
export const PICTURE = new Html("<!--picture-->");

/** One line of the site's table. */
export interface Page {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** What is needed for it: "none" is for everybody, whoever may read. */
  readonly role: Standing;
  readonly title: string;
  /** Stands in the menu. */
  readonly menu?: boolean;
  /** Changes what is stored: 503 while nothing can be. */
  readonly stores?: boolean;
  /** What a field of the form may hold at most; default 4,000. */
  readonly fieldCharsMax?: number;
  /** What all of the form may have; default 64 kB. */
  readonly bodyBytesMax?: number;
  /** Undefined: there is nothing at this address (404). */
  readonly handler: (web: Web, visit: Visit) => Answer | undefined | Promise<Answer | undefined>;
}

/** Why somebody acts, as they wrote it into the form; blank: they did not say. */
export const whyOf = (form: Visit["form"]): string => (form["why"]?.[0] ?? "").trim().slice(0, WHY_CHARS_MAX);

/** A time on a page: exact for machines and on hover, relative for people. */
export interface Moment {
  readonly iso: string;
  readonly text: string;
}

export const moment = (ms: number, nowMs: number): Moment => ({ iso: iso(ms), text: ago(ms, nowMs) });

export const momentOf = (ms: number | undefined, nowMs: number): Moment | undefined =>
  ms === undefined ? undefined : moment(ms, nowMs);
