import type { AnyRoute } from "./route.ts";

export interface Found {
  readonly route: AnyRoute;
  readonly params: { readonly [name: string]: string };
}

interface Pattern {
  readonly method: string;
  readonly path: RegExp;
  readonly names: readonly string[];
  readonly route: AnyRoute;
  readonly literals: number;
}

/** These may hold slashes, plain or encoded: names of branches. */
const WIDE = new Set(["ref", "branch", "basehead"]);

/** Finds the route of a path. Of several, the one that says more of the path literally. */
export class Router {
  readonly #patterns: readonly Pattern[];

  constructor(routes: readonly AnyRoute[]) {
    this.#patterns = routes.map(patternOf).toSorted((a, b) => b.literals - a.literals);
  }

  find(method: string, path: string): Found | undefined {
    for (const pattern of this.#patterns) {
      const match = pattern.method === method ? pattern.path.exec(path) : null;
      if (match === null) continue;
      const params = pattern.names.map((name, at) => [name, decoded(match[at + 1] ?? "")] as const);
      return { route: pattern.route, params: Object.fromEntries(params) };
    }
    return undefined;
  }
}

function patternOf(route: AnyRoute): Pattern {
  const [method = "", path = ""] = route.operation.split(" ");
  const segments = path.split("/").slice(1);
  const names = segments.filter((one) => one.startsWith("{")).map((one) => one.slice(1, -1));
  const source = segments.map((one) => (one.startsWith("{") ? (WIDE.has(one.slice(1, -1)) ? "(.+)" : "([^/]+)") : one));
  const literals = segments.length - names.length;
  return { method, path: new RegExp(`^/${source.join("/")}$`), names, route, literals };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
