import type { Json } from "../../engine/json.ts";
import type { Ask } from "./exchange.ts";

const PAGE_DEFAULT = 30;
const PAGE_MAX = 100;

export interface Page {
  readonly items: readonly Json[];
  readonly headers: Readonly<Record<string, string>>;
}

/** A list of which only the page that is asked for is made: of thousands, most are never shown. */
export interface Listed {
  readonly length: number;
  slice(start: number, end: number): readonly Json[];
}

export const listed = <T>(all: readonly T[], show: (one: T) => Json): Listed => ({
  length: all.length,
  slice: (start, end) => all.slice(start, end).map(show),
});

/** One page of a list, with the `Link` header that leads to the others. */
export function paged(ask: Ask, list: Listed, site: string): Page {
  const size = Math.min(PAGE_MAX, positive(ask.query.get("per_page")) ?? PAGE_DEFAULT);
  const page = positive(ask.query.get("page")) ?? 1;
  const last = Math.max(1, Math.ceil(list.length / size));
  const items = list.slice((page - 1) * size, page * size);
  const to = (number: number, rel: string): string => {
    const query = new URLSearchParams(ask.query);
    query.set("page", String(number));
    return `<${site}${ask.path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [to(page - 1, "prev")] : []),
    ...(page < last ? [to(page + 1, "next"), to(last, "last")] : []),
    ...(page > 1 ? [to(1, "first")] : []),
  ];
  return { items, headers: links.length === 0 ? {} : { link: links.join(", ") } };
}

function positive(text: string | null): number | undefined {
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}
