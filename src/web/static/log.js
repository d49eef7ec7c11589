import { LogParser } from "./ansi.js";
import { openStream } from "./stream.js";

/** A log that follows for days stays usable: the oldest lines leave the page, not the file. */
const LINES_MAX = 20_000;
const LINES_DROPPED = 2_000;
const NEAR_END_PX = 60;

/**
 * Line links for any log; and for a job at work, `live` tells that it goes on: new lines come by the event stream, from
 * the byte at which the page stopped, and after a break from the byte that came last.
 */
export function startLog(section, live) {
  const lines = section.querySelector("[data-lines]");
  chooseLines(lines);
  addEventListener("hashchange", () => chooseLines(lines));
  lines.addEventListener("click", (event) => extendRange(event));
  if (live !== undefined) followLog(section, lines, live);
}

function followLog(section, lines, live) {
  const scroll = startFollowing(section);
  const state = section.querySelector("[data-log-state]");
  const writer = lineWriter(section, lines);
  state.textContent = "streaming";
  const close = openStream(() => `${section.dataset.log}?from=${writer.next()}`, {
    message: (chunk) => {
      if (!writer.add(chunk)) return; // not the byte that comes next: a chunk that came twice
      scroll.moved();
    },
    job: live.changed,
    end: () => {
      state.textContent = "complete";
      scroll.stop();
      close();
      live.changed();
      live.ended();
    },
  });
}

/** Appends chunks as lines; the last line grows until its line feed comes. */
function lineWriter(section, lines) {
  let next = Number(section.dataset.next);
  let number = Number(section.dataset.nextLine);
  const parser = new LogParser(JSON.parse(section.dataset.style));
  let partial = lines.querySelector(".partial");
  const set = (fresh) => {
    if (partial === null) lines.append(fresh);
    else partial.replaceWith(fresh);
    partial = null;
  };
  return {
    next: () => next,
    add: (chunk) => {
      if (chunk.from !== next) return false;
      next = chunk.next;
      for (const line of parser.push(chunk.text)) set(lineElement(line, number++));
      const pending = parser.pending();
      if (pending !== undefined) {
        const fresh = lineElement(pending, number);
        set(fresh);
        fresh.classList.add("partial");
        partial = fresh;
      }
      section.querySelector("[data-log-empty]").hidden = true;
      trim(lines);
      return true;
    },
  };
}

/** Only text nodes and our own class names: nothing of a log is ever markup. */
function lineElement(line, number) {
  const row = document.createElement("div");
  row.className = line.ours ? "line ours" : "line";
  row.id = `L${number}`;
  if (line.ours) row.title = "written by Millrace";
  const link = document.createElement("a");
  link.href = `#L${number}`;
  link.dataset.number = String(number);
  link.setAttribute("aria-label", `line ${number}`);
  const text = document.createElement("span");
  text.className = "text";
  for (const span of line.spans) {
    if (span.classes === "") text.append(span.text);
    else {
      const part = document.createElement("span");
      part.className = span.classes;
      part.textContent = span.text;
      text.append(part);
    }
  }
  row.append(link, text);
  return row;
}

function trim(lines) {
  if (lines.childElementCount <= LINES_MAX) return;
  for (let count = 0; count < LINES_DROPPED; count++) lines.firstElementChild.remove();
  const note = document.createElement("div");
  note.className = "line";
  note.textContent = "Earlier lines have left this page: the raw log has them.";
  lines.prepend(note);
}

/** Keeps the end in view while the reader is at the end; scrolling up pauses it. */
function startFollowing(section) {
  const button = section.querySelector("[data-follow]");
  let following = false;
  const set = (on) => {
    following = on;
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Following" : "Follow";
  };
  const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
  const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - NEAR_END_PX;
  let lastY = scrollY;
  const onScroll = () => {
    if (following && scrollY < lastY - 2) set(false);
    else if (!following && scrollY > lastY + 2 && atEnd()) set(true);
    lastY = scrollY;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    set(!following);
    if (following) toEnd();
  });
  addEventListener("scroll", onScroll, { passive: true });
  return {
    moved: () => following && toEnd(),
    stop: () => {
      removeEventListener("scroll", onScroll);
      button.hidden = true;
    },
  };
}

const RANGE = /^#L(\d+)(?:-L(\d+))?$/;

function chooseLines(lines) {
  for (const line of lines.querySelectorAll(".chosen")) line.classList.remove("chosen");
  const [, first, last = first] = RANGE.exec(location.hash) ?? [];
  if (first === undefined) return;
  const [from, to] = [Number(first), Number(last)].toSorted((a, b) => a - b);
  for (let number = from; number <= Math.min(to, from + LINES_MAX); number++) {
    document.getElementById(`L${number}`)?.classList.add("chosen");
  }
  if (from !== to) document.getElementById(`L${from}`)?.scrollIntoView({ block: "center" });
}

/** Shift and a click on a second number make a range: #L5-L9. */
function extendRange(event) {
  const link = event.target.closest("a[data-number]");
  const [, first] = RANGE.exec(location.hash) ?? [];
  if (link === null || first === undefined || !event.shiftKey) return;
  event.preventDefault();
  location.hash = `#L${first}-L${link.dataset.number}`;
}
