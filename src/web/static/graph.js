const SETTLE_MS = 200;

/** Keeps the drawn graph in step: states are changes of classes; a new drawing is fetched when boxes come or go. */
export function startGraph() {
  const box = document.querySelector("[data-graph]");
  if (box === null) return undefined;
  const detail = document.querySelector("[data-detail]");
  const nodes = new Map();
  let chosen;
  let timer;

  const paint = (node) => {
    for (const element of elementsOf(box, node.key)) {
      if (element.dataset.label !== node.label) redraw();
      recolour(element, node);
    }
    if (node.key === chosen) showDetail(detail, node);
  };
  const redraw = () => {
    timer ??= setTimeout(async () => {
      timer = undefined;
      const svg = await fetchDrawing().catch(() => undefined);
      if (svg !== undefined) box.replaceChildren(svg);
      for (const node of nodes.values()) paint(node);
      light(box, chosen);
    }, SETTLE_MS);
  };
  const choose = (element) => {
    chosen = element?.dataset.key;
    light(box, chosen);
    const node = nodes.get(chosen);
    if (node === undefined) detail.hidden = true;
    else showDetail(detail, node);
  };
  listen(box, choose);

  return {
    snapshot: (graph) => {
      nodes.clear();
      for (const node of graph.nodes) nodes.set(node.key, node);
      const drawn = new Set([...box.querySelectorAll(".node")].map((element) => element.dataset.key));
      const sameEdges = box.querySelectorAll(".edge").length === graph.edges.length;
      const listed = box.querySelector(".edge") === null; // a plain list has no edges to compare
      if (drawn.size !== nodes.size || graph.nodes.some((node) => !drawn.has(node.key))) redraw();
      else if (!sameEdges && !listed) redraw();
      for (const node of graph.nodes) paint(node);
    },
    step: (step) => {
      for (const key of step.removed) nodes.delete(key);
      for (const node of [...step.added, ...step.changed]) nodes.set(node.key, node);
      if (step.added.length > 0 || step.removed.length > 0 || step.edges !== undefined) redraw();
      for (const node of step.changed) paint(node);
    },
  };
}

const elementsOf = (box, key) => box.querySelectorAll(`.node[data-key="${CSS.escape(key)}"]`);

function listen(box, choose) {
  box.addEventListener("focusin", (event) => {
    const element = event.target.closest(".node");
    if (element !== null) choose(element);
  });
  box.addEventListener("click", (event) => {
    const element = event.target.closest(".node");
    // The keyboard's Enter follows the link, and so does a click with a modifier; a plain click shows the detail.
    if (element !== null && event.detail > 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey)
      event.preventDefault();
    choose(element ?? undefined);
  });
  addEventListener("keydown", (event) => event.key === "Escape" && choose(undefined));
}

async function fetchDrawing() {
  const response = await fetch("/pipeline.svg");
  if (!response.ok) return undefined;
  const drawing = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
  return document.adoptNode(drawing.documentElement);
}

function recolour(element, node) {
  const kept = ["node", "chip", "chosen"].filter((name) => element.classList.contains(name));
  const classes = [...kept, `look-${node.look}`, ...(node.updating === undefined ? [] : ["updating"])].join(" ");
  if (element.getAttribute("class") !== classes) element.setAttribute("class", classes);
  const symbol = element.querySelector(".symbol");
  if (symbol === null) return;
  symbol.setAttribute("href", `#g-${node.look}`);
  const word = element.querySelector(".word");
  if (word.textContent !== node.word) word.textContent = node.word;
  const label = node.label.replaceAll("\n", " ");
  element.querySelector("title").textContent = [`${label}: ${node.word}`, node.detail, node.failure?.message, node.at]
    .filter((line) => line !== undefined && line !== "")
    .join("\n");
  element.setAttribute("aria-label", `${node.kind} ${label}: ${node.word}. ${node.detail}`);
  relink(element, node);
}

/** A box is a link once it has a job. */
function relink(element, node) {
  if (node.job === undefined || element.getAttribute("href") === `/job/${node.job}`) return;
  if (element.localName === "a") {
    element.setAttribute("href", `/job/${node.job}`);
    return;
  }
  const link = document.createElementNS("http://www.w3.org/2000/svg", "a");
  for (const { name, value } of element.attributes) {
    if (name !== "tabindex" && name !== "role") link.setAttribute(name, value);
  }
  link.setAttribute("href", `/job/${node.job}`);
  link.append(...element.childNodes);
  element.replaceWith(link);
}

/** Marks the chosen box and the edges that lead to and from it. */
function light(box, key) {
  for (const element of box.querySelectorAll(".chosen, .lit")) element.classList.remove("chosen", "lit");
  if (key === undefined) return;
  for (const element of elementsOf(box, key)) element.classList.add("chosen");
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
