/** More boxes than this change their colours at once, without a transition: nobody follows them one by one. */
const FADING_MAX = 20;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Shows states on the drawn boxes: by classes, words and symbols, and only where something is another. The boxes are
 * looked for once a drawing.
 */
export function createBrush(box) {
  const found = new Map();
  let edges = 0;

  const look = () => {
    found.clear();
    for (const element of box.querySelectorAll(".node")) {
      const { key } = element.dataset;
      const known = found.get(key);
      if (known === undefined) found.set(key, [element]);
      else known.push(element);
    }
    edges = box.querySelectorAll(".edge").length;
  };
  /** False when a box has another label than it was drawn with. */
  const paint = (nodes) => {
    const all = [...nodes];
    box.classList.toggle("many", all.length > FADING_MAX);
    let fits = true;
    for (const node of all) {
      const elements = found.get(node.key) ?? [];
      for (const [index, element] of elements.entries()) {
        if (element.dataset.label !== exact(node.label)) fits = false;
        elements[index] = recolour(element, node);
      }
    }
    return fits;
  };
  /** Whether the boxes and edges of a graph are those that are drawn. A plain list has no edges to compare. */
  const shows = (graph) =>
    found.size === graph.nodes.length &&
    graph.nodes.every((node) => found.has(node.key)) &&
    (edges === 0 || edges === graph.edges.length);

  look();
  return { look, paint, shows, elementsOf: (key) => found.get(key) ?? [] };
}

/** As `svg.ts` has it: a label that is compared with itself must not be taken for another. */
const exact = (label) => encodeURI(label.replace(/\p{Cs}/gu, "\uFFFD"));

/** Returns the element that stands for the node now. */
function recolour(element, node) {
  const { classList } = element;
  const kept = ["node", "chip", "chosen"].filter((name) => classList.contains(name));
  set(element, "class", [...kept, `look-${node.look}`, ...(node.updating === undefined ? [] : ["updating"])].join(" "));
  const label = node.label.replaceAll("\n", " ");
  if (classList.contains("chip")) {
    const name = `input from ${node.group}: ${label}: ${node.word}`;
    set(element, "aria-label", name);
    write(element.querySelector("title"), name);
    return element;
  }
  set(element.querySelector(".symbol"), "href", `#g-${node.look}`);
  write(element.querySelector(".word"), node.word);
  write(element.querySelector("title"), tooltip(node, label));
  set(element, "aria-label", `${node.kind} ${label}: ${node.word}. ${node.detail}`);
  mark(element, node.staleSince !== undefined);
  return relink(element, node);
}

const tooltip = (node, label) => {
  const { failure, staleSince } = node;
  const stale = staleSince === undefined ? "" : `stale since ${staleSince}`;
  const lines = [`${label}: ${node.word}`, node.detail, failure?.message, failure?.hint, stale, node.at];
  return [...new Set(lines)].filter((line) => line !== undefined && line !== "").join("\n");
};

function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The dot in the corner of a box whose value is old. */
function mark(element, stale) {
  const dot = element.querySelector(".stale");
  if (stale === (dot !== null)) return;
  if (dot !== null) return dot.remove();
  const made = document.createElementNS(SVG, "circle");
  const { x, width } = element.querySelector(".box").getBBox();
  for (const [name, value] of Object.entries({ class: "stale", cx: x + width - 3, cy: 3, r: 5 }))
    made.setAttribute(name, value);
  element.append(made);
}

/** A box is a link once it has a job. */
function relink(element, node) {
  if (node.job === undefined || element.getAttribute("href") === `/job/${node.job}`) return element;
  if (element.localName === "a") {
    element.setAttribute("href", `/job/${node.job}`);
    return element;
  }
  const link = document.createElementNS(SVG, "a");
  for (const { name, value } of element.attributes) {
    if (name !== "tabindex" && name !== "role") link.setAttribute(name, value);
  }
  link.setAttribute("href", `/job/${node.job}`);
  link.append(...element.childNodes);
  element.replaceWith(link);
  return link;
}
