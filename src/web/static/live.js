import { openStream } from "./stream.js";

/** Follows the graph and the jobs. A server of another version has other files: load the page anew. */
export function followEvents(handlers) {
  const { assets } = document.documentElement.dataset;
  openStream(() => "/api/v1/events?graph=drawn", {
    ...handlers,
    hello: (data) => {
      if (data.assets !== assets) location.reload();
    },
  });
}
