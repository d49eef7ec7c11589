const FIRST_MS = 1_000;
const LONGEST_MS = 20_000;

/**
 * An event stream that comes back: after a break it waits a second, then longer and longer, and shows meanwhile since
 * when the page stands still. `address` is asked at each start, so that a log goes on at the right byte.
 *
 * @param {() => string} address
 * @param {Record<string, (data: any) => void>} handlers  One an event, "message" for those without a name.
 * @returns {() => void} Ends it.
 */
export function openStream(address, handlers) {
  let source;
  let timer;
  let delayMs = FIRST_MS;
  let lastSeen = new Date();

  const seen = () => {
    lastSeen = new Date();
    delayMs = FIRST_MS;
    showConnection(undefined);
  };
  const open = () => {
    source = new EventSource(address());
    source.addEventListener("open", seen);
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        seen();
        handler(JSON.parse(event.data));
      });
    }
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) void leaveIfSignedOut(); // it answered, but not with a stream
      source.close();
      showConnection(lastSeen);
      clearTimeout(timer);
      timer = setTimeout(open, delayMs * (0.75 + Math.random() / 2));
      delayMs = Math.min(LONGEST_MS, delayMs * 2);
    });
  };
  const close = () => {
    clearTimeout(timer);
    source.close();
  };
  open();
  // A page that is left must not look like a broken one while the next is loading.
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  return () => {
    removeEventListener("pagehide", close);
    close();
  };
}

/** Whoever may not read any more, since a session has its end, is shown the way in. */
async function leaveIfSignedOut() {
  const reply = await fetch("/api/v1/confirm", { method: "HEAD" }).catch(() => undefined);
  if (reply?.status === 401 || reply?.status === 403) location.reload();
}

const clockText = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** Undefined: connected. */
function showConnection(lostSince) {
  const lost = document.querySelector("[data-lost]");
  lost.hidden = lostSince === undefined;
  const text = lostSince === undefined ? "" : `Connection lost, showing the state of ${clockText(lostSince)}.`;
  if (lost.textContent !== text) lost.textContent = text;
  const label = document.querySelector("[data-connection]");
  label.textContent = lostSince === undefined ? "Live" : "Not connected";
  label.classList.toggle("live", lostSince === undefined);
}
