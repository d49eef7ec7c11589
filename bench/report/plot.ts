import type { Compared } from "../compare.ts";
import { quantityText } from "../maths.ts";
import type { Report } from "./report.ts";

const [WIDTH, HEIGHT] = [780, 420];
const FRAME = { left: 76, right: 640, top: 56, bottom: 362 };
const SIZES = [1_000, 10_000, 100_000];
const TIMES_US = [1, 10, 100, 1_000, 10_000, 100_000];
const LABEL_GAP = 15;

/** Colours that can be told apart on white and on black, and by most who see few colours; the names stand beside. */
const COLOURS: Readonly<Record<string, string>> = {
  millrace: "#d1495b",
  ocurrent: "#8d6a9f",
  rxjs: "#3d8bd1",
  preact: "#2a9d8f",
  alien: "#c08a00",
  mobx: "#7a8a99",
};

/** One engine's times in microseconds, by size of the graph. */
interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [size: number, us: number])[];
}

/** The one picture: what one change costs when the graph grows. Both axes are logarithmic. */
export function plotSvg(report: Report): string {
  const curves = curvesOf(report.compared);
  const title = "One source moves: time until the root is right again";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    "<style>text{font:13px system-ui,sans-serif;fill:#333}.grid{stroke:#8886}path{fill:none;stroke-width:2}",
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>",
    `<text x="${FRAME.left}" y="28" font-weight="bold">${title}</text>`,
    `<text x="${FRAME.right}" y="28" text-anchor="end">${report.machine.cpu.replace(/[<&]/g, "")}, ${report.machine.at.slice(0, 10)}</text>`,
    ...TIMES_US.map(timeLine),
    ...SIZES.map(sizeLine),
    `<text x="${(FRAME.left + FRAME.right) / 2}" y="${FRAME.bottom + 42}" text-anchor="middle">terms in the graph</text>`,
    ...curves.map(curvePath),
    ...labels(curves),
    "</svg>\n",
  ].join("\n");
}

function curvesOf(compared: readonly Compared[]): readonly Curve[] {
  const points = SIZES.flatMap((size) => {
    const found = compared.find(
      ({ line }) => line.of === `star flat ${size}` && line.figure === "anyUs" && line.per === undefined,
    );
    if (found?.ours === undefined) return [];
    const ours = { name: "millrace", size, us: found.ours.median };
    return [ours, ...found.rivals.map(({ name, median }) => ({ name, size, us: median }))];
  });
  return Object.keys(COLOURS)
    .map(
      (name): Curve => ({ name, points: points.filter((one) => one.name === name).map(({ size, us }) => [size, us]) }),
    )
    .filter((curve) => curve.points.length > 0);
}

const along = (value: number, from: number, to: number): number =>
  (Math.log10(value) - Math.log10(from)) / (Math.log10(to) - Math.log10(from));
const x = (size: number): number => round(FRAME.left + along(size, 1_000, 100_000) * (FRAME.right - FRAME.left));
const y = (us: number): number => round(FRAME.bottom - along(us, 1, 100_000) * (FRAME.bottom - FRAME.top));
const round = (value: number): number => Math.round(value * 10) / 10;

const timeLine = (us: number): string =>
  `<path class="grid" d="M${FRAME.left},${y(us)}H${FRAME.right}"/>` +
  `<text x="${FRAME.left - 8}" y="${y(us) + 4}" text-anchor="end">${quantityText(us, "µs")}</text>`;

const sizeLine = (size: number): string =>
  `<path class="grid" d="M${x(size)},${FRAME.top}V${FRAME.bottom}"/>` +
  `<text x="${x(size)}" y="${FRAME.bottom + 20}" text-anchor="middle">${size.toLocaleString("en-US")}</text>`;

function curvePath({ name, points }: Curve): string {
  const colour = COLOURS[name] ?? "#888";
  const dots = points.map(([size, us]) => `<circle cx="${x(size)}" cy="${y(us)}" r="4" fill="${colour}"/>`);
  const [first, ...rest] = points.map(([size, us]) => `${x(size)},${y(us)}`);
  const dashed = name === "ocurrent" ? ' stroke-dasharray="5 4"' : "";
  return `<path d="M${first}${rest.map((point) => `L${point}`).join("")}" stroke="${colour}"${dashed}/>${dots.join("")}`;
}

/** Names at the right ends, pushed apart where they would cover each other. */
function labels(curves: readonly Curve[]): readonly string[] {
  const ends = curves
    .map(({ name, points }) => ({ name, at: y(points.at(-1)?.[1] ?? 1) }))
    .toSorted((a, b) => a.at - b.at);
  let lowest = Number.NEGATIVE_INFINITY;
  return ends.map(({ name, at }) => {
    lowest = Math.max(at, lowest + LABEL_GAP);
    const quoted = name === "ocurrent" ? " (quoted)" : "";
    return `<text x="${FRAME.right + 10}" y="${lowest + 4}" style="fill:${COLOURS[name]}">${name}${quoted}</text>`;
  });
}
