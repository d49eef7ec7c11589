import { Readable } from "node:stream";
import { problem } from "../../src/engine/errors.ts";
import type { Job } from "../../src/engine/job.ts";
import type { Pool } from "../../src/engine/pool.ts";
import { type DockerBuildContext, type DockerBuildKey, dockerBuild } from "../../src/plugins/docker/build.ts";
import { connectEngine, type DockerClient, type Engine } from "../../src/plugins/docker/connect.ts";
import type { DockerPushContext } from "../../src/plugins/docker/push.ts";
import type { RegistryClient } from "../../src/plugins/registry/client.ts";
import { failure, type Result, success } from "../../src/term/output.ts";
import { CANARY, credential } from "./canary.ts";
import { digestOf, type Forge } from "./forge.ts";
import type { Caller, Outside } from "./outside.ts";

type Built = { readonly image: string };

/** A builder's engine and a registry: images are built, tagged, pushed under a tag, and moved between tags. */
export class Builds {
  readonly #outside: Outside;
  readonly #forge: Forge;
  /** Image on the engine → the digest that a registry gives it. */
  readonly #images = new Map<string, string>();
  readonly #local = new Map<string, string>();
  /** `host/path:tag` → digest. */
  readonly tags = new Map<string, string>();
  readonly #manifests = new Set<string>();

  constructor(outside: Outside, forge: Forge) {
    this.#outside = outside;
    this.#forge = forge;
  }

  /** The engine loses all its images. */
  prune(): void {
    this.#images.clear();
    this.#local.clear();
  }

  /** The registry drops its tags. */
  forget(): void {
    this.tags.clear();
    this.#manifests.clear();
  }

  builder(caller: Caller): typeof dockerBuild {
    return {
      ...dockerBuild,
      build: async (context: DockerBuildContext, key, job) => {
        const started = await job.start({
          level: "average",
          pool: context.pool,
          timeoutMs: key.timeoutMs ?? 3_000_000,
        });
        return started.ok ? this.build(caller, key, job) : started;
      },
    };
  }

  async build(caller: Caller, { tree }: DockerBuildKey, job: Job): Promise<Result<Built>> {
    const { dice, history } = this.#outside;
    job.write(`ADD . /srv\nRUN deploy-key ${CANARY}\n`);
    const answer = {
      of: (): Result<Built> => {
        if (this.#forge.quality(tree) === "unbuildable") return failure(problem("BUILD_FAILED", "RUN make failed"));
        const image = digestOf(`engine ${tree}`);
        this.#images.set(image, digestOf(tree));
        history.note(`built ${tree.slice(0, 8)}`);
        return success({ image });
      },
      refused: () => failure(problem("ENGINE_UNREACHABLE", "the engine went away")),
      cancelled: () => failure(problem("CANCELLED", String(job.signal.reason))),
    };
    const takesMs = dice.chance(0.7) ? dice.between(1_000, 20_000) : dice.between(20_000, 240_000);
    return this.#outside.ask(caller, "engine", job.signal, answer, takesMs);
  }

  /** The engine as pushes see it; how its errors are read is the product's own. */
  engine(caller: Caller): Engine {
    const engine = connectEngine("unix:///nowhere.sock", this.#outside.clock);
    if (!engine.ok) throw new Error(engine.error.message);
    const client = { getImage: (name: string) => this.#image(caller, name) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two calls of a client that a push makes
    return { ...engine.value, client: client as unknown as DockerClient };
  }

  #image(caller: Caller, name: string) {
    const gone = (): never => {
      throw Object.assign(new Error("connect ECONNREFUSED /nowhere.sock"), { code: "ECONNREFUSED" });
    };
    const ask = <T>(signal: AbortSignal, of: () => T, takesMs?: number): Promise<T> =>
      this.#outside.ask<T>(caller, "engine", signal, { of, refused: gone, cancelled: gone }, takesMs);
    return {
      tag: ({ repo, tag, abortSignal }: { repo: string; tag: string; abortSignal: AbortSignal }) =>
        ask(abortSignal, () => {
          const digest = this.#images.get(name);
          if (digest === undefined) throw Object.assign(new Error("no such image"), { statusCode: 404 });
          this.#local.set(`${repo}:${tag}`, digest);
        }),
      push: ({ tag, abortSignal }: { tag: string; abortSignal: AbortSignal }) =>
        ask(abortSignal, () => this.#push(`${name}:${tag}`), this.#outside.dice.between(100, 8_000)),
    };
  }

  #push(reference: string): Readable {
    const { dice, history } = this.#outside;
    const digest = this.#local.get(reference);
    if (digest === undefined) throw Object.assign(new Error("tag does not exist"), { statusCode: 404 });
    if (this.#outside.isOut("registry")) {
      const message = `received unexpected HTTP status: 503 Service Unavailable for user:${CANARY}`;
      return lines({ errorDetail: { message }, error: message });
    }
    this.tags.set(reference, digest);
    this.#manifests.add(digest);
    history.note(`pushed ${reference} ${digest.slice(7, 15)}`);
    if (dice.chance(0.05)) return lines({ status: "cut off" }); // it is in, and nobody is told
    return lines({ status: "Pushed", id: "layer" }, { aux: { Tag: reference, Digest: digest, Size: 1 } });
  }

  /** The registry as the tag lanes see it. */
  registry(caller: Caller): RegistryClient {
    const ask = <T>(signal: AbortSignal, of: () => Result<T>): Promise<Result<T>> =>
      this.#outside.ask<Result<T>>(caller, "registry", signal, {
        of,
        refused: () => failure(problem("REGISTRY_UNREACHABLE", "HTTP 503")),
        cancelled: () => failure(problem("CANCELLED", "given up")),
      });
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const nameOf = ({ host, path }: { host: string; path: string }, tag: string): string => `${host}/${path}:${tag}`;
    return {
      headManifest: (repository, reference, signal) =>
        ask(signal, () => {
          const digest = this.tags.get(nameOf(repository, reference));
          return success(digest === undefined ? undefined : { digest, mediaType });
        }),
      getManifest: (_, digest, signal) =>
        ask(signal, () =>
          this.#manifests.has(digest)
            ? success({ digest, mediaType, bytes: Buffer.from(digest) })
            : failure(problem("MANIFEST_GONE", `${digest}: the registry has it not`)),
        ),
      putManifest: (repository, tag, { digest }, signal) =>
        ask(signal, () => this.#put(nameOf(repository, tag), digest)),
      check: (_, signal) => ask(signal, () => success(undefined)),
    };
  }

  #put(name: string, digest: string): Result<string> {
    const { history, dice } = this.#outside;
    const replaced = this.tags.get(name) !== digest;
    const [lane, atMs] = [`registry-tag/${name}`, history.nowMs];
    this.tags.set(name, digest);
    history.note(`tag ${name} ${digest.slice(7, 15)}`);
    history.steady.push({ atMs, of: lane, value: digest });
    const write = { verb: "apply", intent: "", generation: 0, epoch: 0, conflict: false } as const;
    history.landings.push({ ...write, atMs, sentMs: atMs, lane, image: digest, replaced });
    return dice.chance(0.03) ? failure(problem("REGISTRY_UNREACHABLE", "the answer was cut off")) : success(digest);
  }

  /** What a push needs of a process: `pool` is its own. */
  pushContext(caller: Caller, pool: Pool): DockerPushContext {
    const registry = this.registry(caller);
    return {
      engine: this.engine(caller),
      pool,
      credentials: credential,
      headManifest: (repo: string, reference: string, signal: AbortSignal) => {
        const slash = repo.indexOf("/");
        return registry.headManifest({ host: repo.slice(0, slash), path: repo.slice(slash + 1) }, reference, signal);
      },
      rebuild: (job: Job, key: DockerBuildKey) => this.build(caller, key, job),
    };
  }
}

const lines = (...events: readonly object[]): Readable =>
  Readable.from(events.map((event) => `${JSON.stringify(event)}\n`));
