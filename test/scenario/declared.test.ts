// Several services, branches and Dockerfiles; what is missing is said clearly, and heals when it appears.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasParts, type Names, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import type { Told } from "./server.ts";

const repos = ({ image, service }: Names): string => `
  "team/hello": from(git("./hello.git"),
    docker("Dockerfile", {
      live: publish("${image}:live", swarm(here, "${service("web")}"), swarm(here, "${service("api")}")),
      next: publish("${image}:next", swarm(here, "${service("late")}")),
    }),
    docker("site/Dockerfile", { live: publish("${image}-site:live") }),
  ),`;

describe.skipIf(!hasParts)("a pipeline", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ services: ["web", "api"], repos });
    await world.serve();
  });
  afterAll(() => world.close());

  const failures = ({ graph }: Told) =>
    Object.fromEntries(
      graph.nodes.flatMap(({ key, failure, state }) => (failure && state === "failed" ? [[key, failure]] : [])),
    );
  const failure = (key: string, code: string) =>
    world.server.waitFor(`${key} fails with ${code}`, (now) => {
      const found = failures(now)[key];
      return found?.code === code && found;
    });
  const isOk = (key: string) =>
    world.server.waitFor(`${key} is ok`, ({ graph }) =>
      graph.nodes.some((node) => node.key === key && node.state === "ok"),
    );
  const LATE = () => `team/hello/Dockerfile/branch:next/deploy/here/${world.service("late")}`;
  const SITE = "team/hello/site%2FDockerfile/branch:live";

  it("moves two services to one image, built once", async () => {
    world.push(await sample("1"));
    for (const short of ["web", "api"])
      await isOk(`team/hello/Dockerfile/branch:live/deploy/here/${world.service(short)}`);

    const jobs = await world.server.jobs();
    expect(jobs.filter(({ op, state }) => op === "docker-build" && state === "ok")).toHaveLength(1);
    expect(jobs.filter(({ op }) => op === "swarm")).toHaveLength(2);
    expect((await world.now("web")).image).toBe((await world.now("api")).image);
    expect(await world.request("web")).toEqual({ status: 200, text: "version=1\n" });
    expect(await world.request("api")).toEqual({ status: 200, text: "version=1\n" });
  });

  it("says what is missing, and lets the rest go on", async () => {
    const branch = await failure("team/hello/Dockerfile/branch:next/head", "MISSING_BRANCH");
    const dockerfile = await failure(`${SITE}/build`, "NO_DOCKERFILE");

    expect(branch.message).toMatch(/has no branch "next"; it has live$/);
    expect(branch.hint).toMatch(/Push the branch/);
    expect(dockerfile.message).toContain("site/Dockerfile");
  });

  it("deploys a branch once it is pushed, and says that its service is missing", async () => {
    world.push(await sample("2"), { branch: "next" });
    const service = await failure(LATE(), "NO_SUCH_SERVICE");

    expect(service.message).toContain(world.service("late"));
    expect(await world.digestOf("next")).toMatch(/^sha256:/);
    expect(await world.request("web")).toEqual({ status: 200, text: "version=1\n" });
  });

  it("rolls the service out once it is there", async () => {
    await world.createService("late");
    await isOk(LATE());
    expect(await world.request("late")).toEqual({ status: 200, text: "version=2\n" });
  });

  it("builds a Dockerfile once it is committed", async () => {
    const files = await sample("1");
    world.push({ ...files, "site/Dockerfile": files["Dockerfile"] ?? "" });
    await isOk(`${SITE}/tag`);
    await isOk(`team/hello/Dockerfile/branch:live/tag`);
    expect(failures(await world.server.told())).toEqual({});
  });
});
