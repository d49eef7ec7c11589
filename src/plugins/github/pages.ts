import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { Answered } from "./line.ts";
import { nextPage } from "./link.ts";

/** Asks for a route or an address, and for no answer if it is still the one of `etag`. */
export type Ask = (what: string, etag: string | undefined) => Promise<Result<Answered>>;

interface Page<T> {
  readonly etag?: string;
  readonly items: readonly T[];
  /** How many there were on it, odd ones too. */
  readonly size: number;
  readonly next?: string;
}

/** As many as GitHub gives. */
export const PAGE_SIZE = 100;
const PASSES_MAX = 4;
/** A hundred thousand: whoever has more is told so. */
const PAGES_MAX = 1_000;

/**
 * A list of any length that is read page by page, and again only where it changed.
 *
 * While pages are turned, something may come or go, and then an item slips from one page to the next and is not seen.
 * So a list of several pages is right only once a whole pass found each page as it was; that costs nothing, since an
 * unchanged page is not counted.
 */
export class Pages<T> {
  readonly #api: URL;
  readonly #first: string;
  readonly #read: (value: unknown) => readonly [string, T] | undefined;
  #pages: readonly Page<readonly [string, T]>[] = [];

  /**
   * @param first Address of the first page.
   * @param read Key and value of an item; nothing for an odd one, which is left out.
   */
  constructor(api: URL, first: string, read: (value: unknown) => readonly [string, T] | undefined) {
    this.#api = api;
    this.#first = first;
    this.#read = read;
  }

  async all(ask: Ask): Promise<Result<ReadonlyMap<string, T>>> {
    let before: readonly Page<readonly [string, T]>[] = [];
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      before = this.#pages;
      const changed = await this.#pass(ask);
      if (!changed.ok) return changed;
      if (!changed.value || this.#pages.length <= 1) return success(itemsOf(this.#pages));
    }
    // It never stood still: what was seen just now, and what the pass before it saw besides. The next reading tells.
    return success(new Map([...itemsOf(before), ...itemsOf(this.#pages)]));
  }

  /** One pass over all pages; whether any of them was another than before. */
  async #pass(ask: Ask): Promise<Result<boolean>> {
    const pages: Page<readonly [string, T]>[] = [];
    let changed = false;
    let address: string | undefined = this.#first;
    while (address !== undefined) {
      if (pages.length >= PAGES_MAX) return failure(problem("FORGE_FAULT", `${this.#first} has too many pages`));
      const known: Page<readonly [string, T]> | undefined = this.#pages[pages.length];
      const answer = await ask(address, known?.etag);
      if (!answer.ok) return answer;
      const page = this.#pageOf(answer.value, known);
      if (!page.ok) return page;
      changed ||= page.value !== known;
      pages.push(page.value);
      address = page.value.next ?? this.#beyond(page.value, pages.length);
    }
    changed ||= pages.length !== this.#pages.length;
    this.#pages = pages;
    return success(changed);
  }

  #pageOf(answer: Answered, known: Page<readonly [string, T]> | undefined): Result<Page<readonly [string, T]>> {
    if (answer.status === 304 && known !== undefined) return success(known);
    if (!Array.isArray(answer.data)) return failure(problem("FORGE_FAULT", `${this.#first}: the answer is no list`));
    const next = nextPage(answer.link, this.#api);
    if (!next.ok) return next;
    const items = answer.data.flatMap((value: unknown) => {
      const item = this.#read(value);
      return item === undefined ? [] : [item];
    });
    return success({
      items,
      size: answer.data.length,
      ...(answer.etag === undefined ? {} : { etag: answer.etag }),
      ...(next.value === undefined ? {} : { next: next.value }),
    });
  }

  /** A full page may have got a follower without having changed itself, and then does not tell of it. */
  #beyond(page: Page<readonly [string, T]>, number: number): string | undefined {
    return page.size === PAGE_SIZE ? `${this.#first}&page=${number + 1}` : undefined;
  }
}

const itemsOf = <T>(pages: readonly Page<readonly [string, T]>[]): Map<string, T> =>
  new Map(pages.flatMap(({ items }) => items));
