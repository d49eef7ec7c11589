// A small web service that says its version and ends politely.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const version = readFileSync(new URL("version.txt", import.meta.url), "utf8").trim();
const PORT = 8080;
/** How long a task that was told to stop still answers, so that whoever routes to it has time to notice. */
const LAME_DUCK_MS = 2_000;

if (process.argv.includes("--health")) await checkHealth();
else serve();

function serve() {
  let leaving = false;
  const server = createServer((request, response) => {
    if (leaving) response.setHeader("connection", "close");
    response.setHeader("content-type", "text/plain; charset=utf-8");
    const healthy = leaving ? "leaving\n" : "ok\n";
    if (request.url === "/health" && leaving) response.statusCode = 503;
    response.end(request.url === "/health" ? healthy : `Hello from Millrace. version=${version}\n`);
  });
  server.listen(PORT, () => process.stdout.write(`version ${version} listens on ${PORT}\n`));
  process.on("SIGTERM", () => {
    leaving = true;
    setTimeout(() => server.close(() => process.exit(0)), LAME_DUCK_MS);
  });
}

async function checkHealth() {
  const answer = await fetch(`http://127.0.0.1:${PORT}/health`);
  process.exitCode = answer.ok ? 0 : 1;
}
