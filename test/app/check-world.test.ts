import { deployer, docker, from, git, here, publish, swarm } from "millrace";
import { describe, expect, it } from "vitest";
import { checkWorld } from "../../src/app/check-world.ts";
import type { World } from "../../src/app/world.ts";
import { problem } from "../../src/engine/errors.ts";
import { placeOf } from "../../src/pipeline/forges.ts";
import type { SourceDeclaration } from "../../src/pipeline/types.ts";
import { failure, success } from "../../src/term/output.ts";

const COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8";

/** A world in memory that counts how often it is asked. */
class SmallWorld implements World {
  readonly asked: string[] = [];
  readonly files = new Set(["Dockerfile"]);
  readonly services = new Set(["demo_hello"]);
  down: "repository" | "engine" | "registry" | undefined;

  async branches(source: SourceDeclaration) {
    const url = placeOf(source);
    this.asked.push(`branches ${url}`);
    if (this.down === "repository") return failure(problem("REPO_UNREACHABLE", `${url} does not answer`));
    return success(new Map([["live", COMMIT]]));
  }
  async hasFile(_: unknown, commit: string, path: string) {
    this.asked.push(`file ${path} at ${commit.slice(0, 4)}`);
    return success(this.files.has(path));
  }
  async hasTarget({ service }: { readonly service: string }) {
    this.asked.push(`service ${service}`);
    if (this.down === "engine") return failure(problem("ENGINE_UNREACHABLE", "the engine does not answer"));
    return success(this.services.has(service));
  }
  async reachesRegistry(registry: string) {
    this.asked.push(`registry ${registry}`);
    if (this.down === "registry") return failure(problem("REGISTRY_UNREACHABLE", `${registry} does not answer`));
    return success(undefined);
  }
}

const line = (() => Number(/:(\d+):\d+\)?$/m.exec((new Error().stack ?? "").split("\n")[1] ?? "")?.[1]))();
const pipeline = deployer({
  demo: {
    repos: {
      "demo/hello": from(git("./hello.git"), [
        docker("Dockerfile", {
          live: publish("127.0.0.1:5000/demo/hello:live", swarm(here, "demo_hello")),
          lvie: publish("127.0.0.1:5000/demo/hello:lvie", swarm(here, "demo_helo")),
        }),
        docker("Dockerfile.web", { live: publish("demo/web:live") }),
      ]),
    },
  },
});

const said = async (world: World): Promise<readonly string[]> =>
  (await checkWorld(pipeline, world)).map(({ at, code, message }) => {
    const [, number] = /^test\/app\/check-world\.test\.ts:(\d+)$/.exec(at) ?? [];
    return `+${Number(number) - line} ${code} ${message}`;
  });

describe("what a pipeline names", () => {
  it("is missed, each at its line", async () => {
    expect(await said(new SmallWorld())).toEqual([
      '+7 MISSING_BRANCH ./hello.git has no branch "lvie". Did you mean "live"? Known: live.',
      "+9 NO_DOCKERFILE the branch live of ./hello.git has no Dockerfile.web (at 9fceb02d)",
      '+7 NO_SUCH_SERVICE there is no service "demo_helo" on here',
    ]);
  });

  it("is asked for once, whoever names it", async () => {
    const world = new SmallWorld();
    await checkWorld(pipeline, world);
    expect(world.asked.filter((question) => /^branches|^registry/.test(question))).toEqual([
      "branches ./hello.git",
      "registry 127.0.0.1:5000",
      "registry docker.io",
    ]);
  });

  it("cannot be asked for while the outside is down, which is said too", async () => {
    const world = new SmallWorld();
    world.down = "repository";
    expect(await said(world)).toContain("+4 REPO_UNREACHABLE ./hello.git does not answer");
    world.down = "engine";
    expect(await said(world)).toContain("+6 ENGINE_UNREACHABLE the engine does not answer");
    world.down = "registry";
    expect(await said(world)).toContain("+9 REGISTRY_UNREACHABLE docker.io does not answer");
  });
});
