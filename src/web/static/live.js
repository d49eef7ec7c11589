import { openStream } from "./stream.js";

/** Follows the graph and the jobs. A server that has started again has other files and forms: load the page anew. */
export function followEvents(handlers) {
  const server = document.documentElement.dataset.server;
  openStream(() => "/api/v1/events", {
    ...handlers,
    hello: (data) => {
      if (data.server !== server) location.reload();
    },
  });
}
