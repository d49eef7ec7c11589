import { createBrush } from "./brush.js";

const SETTLE_MS = 200;
/** Of thousands of checks those that are wrong or under way are drawn: which these are is looked at so often. */
const HIDDEN_MS = 2_000;

/** Keeps the drawn graph in step: states are changes of classes; a new drawing is fetched when boxes come or go. */
export function startGraph() {
  const box = document.querySelector("[data-graph]");
  if (box === null) return undefined;
  const detail = document.querySelector("[data-detail]");
  const nodes = new Map();
  const brush = createBrush(box);
  const news = new Map(); // to be painted with the next frame, however many events came
  let chosen;
  let drawing = false;
  let outdated = false;
  let frame;
  let hidden;

  const paint = (node) => {
    news.set(node.key, node);
    frame ??= requestAnimationFrame(paintNews);
  };
  const paintNews = () => {
    frame = undefined;
    if (!brush.paint(news.values())) redraw();
    if (news.has(chosen)) showDetail(detail, news.get(chosen));
    news.clear();
  };
  const redraw = () => {
    outdated = true;
    if (drawing) return; // one at a time: an earlier drawing must not come after a later one
    drawing = true;
    setTimeout(draw, SETTLE_MS);
  };
  const redrawSoon = () => {
    hidden ??= setTimeout(() => {
      hidden = undefined;
      redraw();
    }, HIDDEN_MS);
  };
  const draw = async () => {
    outdated = false;
    const svg = await fetchDrawing().catch(() => undefined);
    drawing = false;
    if (svg !== undefined) {
      box.replaceChildren(svg);
      brush.look();
    }
    for (const node of nodes.values()) paint(node);
    light(box, brush, chosen);
    if (outdated) redraw();
  };
  const choose = (element) => {
    chosen = element?.dataset.key;
    light(box, brush, chosen);
    const node = nodes.get(chosen);
    if (node === undefined) detail.hidden = true;
    else showDetail(detail, node);
    return node !== undefined;
  };
  listen(box, choose);

  return {
    snapshot: (graph) => {
      nodes.clear();
      for (const node of graph.nodes) nodes.set(node.key, node);
      if (!brush.shows(graph)) redraw();
      for (const node of graph.nodes) paint(node);
    },
    step: (step) => {
      for (const key of step.removed) {
        nodes.delete(key);
        news.delete(key);
      }
      for (const node of [...step.added, ...step.changed]) nodes.set(node.key, node);
      if (step.added.length > 0 || step.removed.length > 0 || step.edges !== undefined) redraw();
      if (step.changed.some(({ key }) => brush.elementsOf(key).length === 0)) redrawSoon();
      for (const node of step.changed) paint(node);
    },
  };
}

function listen(box, choose) {
  box.addEventListener("focusin", (event) => {
    const element = event.target.closest(".node");
    if (element !== null) choose(element);
  });
  box.addEventListener("click", (event) => {
    const element = event.target.closest(".node");
    // The keyboard's Enter follows the link, and so does a click with a modifier; a plain click shows the detail.
    const hasDetail = choose(element ?? undefined);
    if (hasDetail && event.detail > 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) event.preventDefault();
  });
  addEventListener("keydown", (event) => event.key === "Escape" && choose(undefined));
}

async function fetchDrawing() {
  const response = await fetch("/pipeline.svg");
  if (!response.ok) return undefined;
  const drawing = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
  return document.adoptNode(drawing.documentElement);
}

/** Marks the chosen box and the edges that lead to and from it. */
function light(box, brush, key) {
  for (const element of box.querySelectorAll(".chosen, .lit")) element.classList.remove("chosen", "lit");
  if (key === undefined) return;
  for (const element of brush.elementsOf(key)) element.classList.add("chosen");
  for (const edge of box.querySelectorAll(".edge")) {
    if (edge.dataset.from === key || edge.dataset.to === key) edge.classList.add("lit");
  }
}

function showDetail(panel, node) {
  const paragraph = (text, className) => {
    const element = document.createElement("p");
    element.className = className;
    element.textContent = text;
    return element;
  };
  const head = paragraph(`${node.kind} ${node.label.replaceAll("\n", " ")} · ${node.word}`, "title");
  const parts = [head, paragraph(node.detail, "")];
  if (node.failure !== undefined && node.failure.message !== node.detail) {
    parts.push(paragraph(node.failure.message, "message"));
  }
  if (node.failure?.hint !== undefined) parts.push(paragraph(node.failure.hint, "hint"));
  const where = paragraph(node.at ?? "", "about");
  if (node.job !== undefined) {
    const link = document.createElement("a");
    link.href = `/job/${node.job}`;
    link.textContent = "Open its job";
    where.append(node.at === undefined ? "" : " · ", link);
  }
  parts.push(where);
  panel.className = `detail look-${node.look}`;
  panel.replaceChildren(...parts.filter((part) => part.textContent !== ""));
  panel.hidden = false;
}
