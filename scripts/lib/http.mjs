// One HTTP request with a deadline, to a URL or to an engine's socket.
import { request as httpRequest } from "node:http";

/**
 * Asks `base` (`unix:///path`, `tcp://host:port` or `http://…`) for a path.
 * The answer is `{ status, headers, text, json() }`; an unreachable or silent server rejects.
 */
export function ask(base, path, { method = "GET", body, headers, timeoutMs = 5_000, onData } = {}) {
  const where = base.startsWith("unix://")
    ? { socketPath: base.slice("unix://".length), path }
    : urlParts(new URL(path, base.replace(/^tcp:/, "http:")));
  const payload = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const type = payload === undefined || Buffer.isBuffer(body) ? {} : { "content-type": "application/json" };
  const length = payload === undefined ? {} : { "content-length": payload.length };
  return new Promise((resolve, reject) => {
    const options = { ...where, method, agent: false, headers: { host: "millrace", ...type, ...length, ...headers } };
    const call = httpRequest(options, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => {
        chunks.push(chunk);
        onData?.(chunk);
        if (onData) deadline.refresh(); // a long transfer may go on as long as it moves
      });
      answer.on("error", reject);
      answer.on("end", () => {
        clearTimeout(deadline);
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) });
      });
    });
    const deadline = setTimeout(() => {
      call.destroy(new Error(`${base}${path} did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    call.on("error", (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    call.end(payload);
  });
}

function urlParts(url) {
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || 80, path: url.pathname + url.search };
}
