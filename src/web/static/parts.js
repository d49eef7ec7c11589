/** Wait for what comes together, and leave the server a pause between two reads. */
const SETTLE_MS = 120;
const PAUSE_MS = 700;

/**
 * Keeps the parts of the page that move (`data-live`) equal to what the server would send now. The server stays the
 * only place that knows how a part looks; rows keep their place in the document, so focus and selection stay.
 */
export function startParts() {
  let timer;
  let busy = false;
  let again = false;
  let lastMs = 0;

  const refresh = () => {
    again = true;
    if (busy || timer !== undefined) return;
    timer = setTimeout(run, Math.max(SETTLE_MS, lastMs + PAUSE_MS - performance.now()));
  };
  const run = async () => {
    timer = undefined;
    busy = true;
    again = false;
    await load().catch(() => {}); // the stream's own error tells that the server is away
    busy = false;
    lastMs = performance.now();
    if (again) refresh();
  };
  return { refresh };
}

async function load() {
  if (document.querySelector("[data-live]") === null) return;
  const response = await fetch(location.pathname + location.search, { headers: { "x-millrace-live": "1" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  document.title = fresh.title;
  document.documentElement.dataset.look = fresh.documentElement.dataset.look;
  const icon = document.querySelector("link[rel=icon]");
  const wanted = fresh.querySelector("link[rel=icon]").getAttribute("href");
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (next !== null) become(part, next);
  }
}

/** Makes `node` equal to `next`, touching only what differs. */
function become(node, next) {
  if (node.isEqualNode(next)) return;
  const editing = node.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  if (editing && node.matches("form")) return; // somebody is typing: their text is worth more than ours
  if (node.nodeType === Node.TEXT_NODE) {
    node.data = next.data;
    return;
  }
  for (const name of node.getAttributeNames()) if (!next.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of next.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  const rows = new Map([...node.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = node.firstChild;
  for (const child of Array.from(next.childNodes)) {
    const same = rows.get(keyOf(child)) ?? (at !== null && alike(at, child) ? at : undefined);
    if (same === undefined) node.insertBefore(document.adoptNode(child), at);
    else {
      if (same === at) at = at.nextSibling;
      else node.insertBefore(same, at);
      become(same, child);
    }
  }
  while (at !== null) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset?.key : undefined);
const alike = (node, next) => node.nodeName === next.nodeName && keyOf(node) === undefined && keyOf(next) === undefined;
