import { startGraph } from "./graph.js";
import { followEvents } from "./live.js";
import { startLog } from "./log.js";
import { startParts } from "./parts.js";
import { tickTimes } from "./times.js";

/** Makes a page live. Everything is there without it; it only keeps what is there up to date. */
tickTimes();
const parts = startParts();
const graph = startGraph();
const log = document.querySelector("[data-log]");
const open = document.querySelector("[data-job][data-open]") !== null;

// One stream a page: a job that is at work brings its own changes with its log.
if (log !== null && open) startLog(log, { changed: parts.refresh, ended: () => follow() });
else {
  if (log !== null) startLog(log, undefined);
  follow();
}

function follow() {
  followEvents({
    snapshot: (data) => {
      graph?.snapshot(data);
      parts.refresh();
    },
    step: (data) => {
      graph?.step(data);
      parts.refresh();
    },
    job: parts.refresh,
    notice: parts.refresh,
  });
}
