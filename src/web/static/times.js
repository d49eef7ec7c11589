const SECOND_MS = 1_000;

/** Keeps relative times and running durations moving, in the words of the server's `text.ts`. */
export function tickTimes() {
  // The server's clock rules: its newest time can be ahead of this machine's.
  setInterval(() => {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[data-ago]")) {
      setText(element, ago(Date.parse(element.dateTime), now));
    }
    for (const element of document.querySelectorAll("[data-since]")) {
      setText(element, duration(now - Date.parse(element.dataset.since)));
    }
  }, SECOND_MS);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function ago(ms, now) {
  const seconds = Math.floor((now - ms) / 1000);
  if (seconds < -1) return `in ${duration(ms - now)}`;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${two(minutes % 60)}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const two = (value) => String(value).padStart(2, "0");
