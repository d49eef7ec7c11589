import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Dockerode from "dockerode";
import { busyboxImage } from "./images.ts";
import { dockerHost } from "./need.ts";
import type { TestRegistry } from "./registry.ts";

const DEADLINE_MS = 20_000;

/** Dockerfile lines of a small web service. `healthy: false`: its health check finds no page. */
export const webService = (version: string, healthy = true): string => `
RUN mkdir -p /www && echo version=${version} > /www/index.html ${healthy ? "&& echo ok > /www/health" : ""}
HEALTHCHECK --interval=500ms --timeout=2s --start-period=500ms --retries=2 \\
  CMD wget -q -O- http://127.0.0.1:8080/health || exit 1
CMD ["busybox","httpd","-f","-p","8080","-h","/www"]
`;

/** Builds an image from these Dockerfile lines, pushes it, and returns `repository@sha256:…`. */
export async function pushImage(registry: TestRegistry, repo: string, lines: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-image-"));
  const name = `${registry.host}/${repo}:${Math.random().toString(36).slice(2)}`;
  const client = testEngine();
  try {
    await writeFile(join(dir, "Dockerfile"), `FROM ${await busyboxImage()}\n${lines}`);
    const env = { PATH: process.env["PATH"], HOME: dir, DOCKER_BUILDKIT: "0" };
    await promisify(execFile)("docker", ["-H", dockerHost, "build", "-q", "-t", name, dir], { env });
    const authconfig = {
      username: registry.username,
      password: registry.password,
      serveraddress: registry.host,
    };
    const stream = await client.getImage(name).push({ authconfig });
    const events = await new Promise<readonly unknown[]>((resolve, reject) =>
      client.modem.followProgress(stream, (error: Error | null, all: unknown[]) =>
        error === null ? resolve(all) : reject(error),
      ),
    );
    const digest = /"Digest":"(sha256:[0-9a-f]{64})"/.exec(JSON.stringify(events))?.[1];
    if (digest === undefined) throw new Error(`not pushed: ${JSON.stringify(events)}`);
    return `${registry.host}/${repo}@${digest}`;
  } finally {
    await client
      .getImage(name)
      .remove()
      .catch(() => {});
    await rm(dir, { recursive: true, force: true });
  }
}

/** The client of the engine that tests use, or of another endpoint. */
export const testEngine = (endpoint = dockerHost): Dockerode =>
  new Dockerode({ socketPath: endpoint.slice("unix://".length) });

export interface TestService {
  readonly name: string;
  remove(): Promise<void>;
}

/**
 * Creates a service, waits until its tasks run, and gives its name. `anonymous`: with credentials that are of no use,
 * for an image that the engine has.
 */
export async function createService(
  registry: TestRegistry,
  image: string,
  more: Partial<Dockerode.CreateServiceOptions> & { readonly replicas?: number; readonly anonymous?: boolean } = {},
): Promise<TestService> {
  const client = testEngine();
  const name = `millrace-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const { replicas = 1, anonymous = false, ...options } = more;
  const update = { Parallelism: 1, Monitor: 2e9, FailureAction: "rollback", Order: "start-first" } as const;
  // Credentials come first and by themselves: in one object the client would send all of it as credentials.
  const password = anonymous ? "none" : registry.password;
  const auth = { username: registry.username, password, serveraddress: registry.host };
  await client.createService(auth, {
    Name: name,
    Labels: { "kept.by": "hand" },
    // busybox httpd as process 1 ignores SIGTERM: an init takes it instead
    TaskTemplate: { ContainerSpec: { Image: image, Init: true, Env: ["KEEP=me"] } },
    Mode: { Replicated: { Replicas: replicas } },
    UpdateConfig: update,
    RollbackConfig: { ...update, FailureAction: "pause", Monitor: 5e8 },
    ...options,
  });
  const wanted = options.Mode === undefined ? replicas : 1;
  const deadlineMs = Date.now() + DEADLINE_MS;
  for (;;) {
    const running = (await tasksOf(name)).filter((task) => task.state === "running");
    if (running.length >= wanted) break;
    if (Date.now() > deadlineMs) throw new Error(`${name} did not start: ${JSON.stringify(await tasksOf(name))}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { name, remove: async () => void (await client.getService(name).remove()) };
}

/** Id, image and state of every task that the service has or had. */
export async function tasksOf(
  service: string,
): Promise<readonly { readonly id: string; readonly image: string; readonly state: string }[]> {
  const tasks: unknown = await testEngine().listTasks({ filters: { service: [service] } });
  if (!Array.isArray(tasks)) return [];
  return tasks.map((task: { ID: string; Spec: { ContainerSpec: { Image: string } }; Status: { State: string } }) => ({
    id: task.ID,
    image: task.Spec.ContainerSpec.Image,
    state: task.Status.State,
  }));
}
