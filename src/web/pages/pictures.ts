import { isLook, type Look, symbols } from "../looks.ts";
import type { Page } from "./page.ts";

/** The whole graph as a document of its own, in the colours of the pages. */
export const pipelineSvg: Page = {
  method: "GET",
  path: "/pipeline.svg",
  role: "viewer",
  title: "Pipeline",
  handler: async ({ assets, drawings }) => ({
    kind: "document",
    type: "image/svg+xml; charset=utf-8",
    text: await drawings.whole([`${assets.base}/tokens.css`, `${assets.base}/graph.css`]),
  }),
};

const COLOURS: Readonly<Record<Look, string>> = {
  ok: "#2f855a",
  ready: "#64748b",
  waiting: "#2b6cb0",
  running: "#b7791f",
  failed: "#c53030",
  trouble: "#c2570c",
  blocked: "#64748b",
  cancelled: "#64748b",
  interrupted: "#64748b",
};

/** The tab's icon: the symbol of a state on its colour. */
export const favicon: Page = {
  method: "GET",
  path: "/favicon/:look",
  role: "none",
  title: "Icon",
  handler: (_web, { params }) => {
    const look = (params["look"] ?? "").replace(/\.svg$/, "");
    if (!isLook(look)) return undefined;
    const text =
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-3 -3 22 22">` +
      `<rect x="-3" y="-3" width="22" height="22" rx="6" fill="${COLOURS[look]}"/>` +
      `<path d="${symbols[look]}" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"` +
      ` stroke-linejoin="round"/></svg>`;
    return { kind: "document", type: "image/svg+xml; charset=utf-8", text };
  },
};
