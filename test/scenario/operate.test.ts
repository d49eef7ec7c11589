// What an operator does with a running server, through the API and on the command line.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasParts, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";

describe.skipIf(!hasParts)("an operator", () => {
  let world: World;
  let first: string;
  beforeAll(async () => {
    world = await startWorld();
    await world.serve("--confirm", "dangerous");
  });
  afterAll(() => world.close());

  const command = async (...args: string[]) => {
    const ended = await world.command(...args, "--url", world.server.url);
    expect(ended.err).toBe("");
    expect(ended.code).toBe(0);
    return ended.out;
  };
  const act = (...args: string[]) => command(...args, "--token-file", "state/token");
  const waiting = (op: string) =>
    world.server.waitFor(`a ${op} job waits`, ({ jobs }) =>
      jobs.find((job) => job.op === op && job.state === "waiting"),
    );

  it("sees what waits for confirmation, and starts it", async () => {
    const pushed = world.push(await sample("1"));
    first = pushed.commit;
    const tag = await waiting("registry-tag");

    expect(tag.waitingFor).toContain("the threshold is dangerous");
    expect(await command("jobs")).toContain(tag.id);
    expect(await command("why", tag.id)).toContain(`watch: live none → ${first.slice(0, 8)}`);
    expect(await act("start", tag.id)).toBe("started\n");
    const swarm = await waiting("swarm");
    expect(await world.server.act("POST", `jobs/${swarm.id}/start`)).toMatchObject({ status: 200 });
    await world.server.rolledOut(first);
    expect(await command("log", swarm.id)).toMatch(/Start asked for by .*\n(.*\n)*.*Job succeeded/);
    expect(await world.request()).toEqual({ status: 200, text: "version=1\n" });
  });

  it("finds past jobs and deploys", async () => {
    expect(await command("query", "--op", "docker-build", "--job-state", "ok")).toContain("docker-build");
    expect(await command("query", "--op", "docker-build", "--job-state", "failed")).toContain("no such jobs");
    expect(await command("history")).toContain("verified");
    const [build] = await world.server.jobs("docker-build");
    expect(await command("job", build?.id ?? "")).toContain(first.slice(0, 10));
  });

  it("rebuilds: the same content is built again and not rolled out", async () => {
    const [build] = await world.server.jobs("docker-build");
    const { version } = await world.now();
    expect(await act("rebuild", build?.id ?? "")).toMatch(/docker-build/);
    const again = await world.server.waitFor("the second build has ended", ({ jobs }) =>
      jobs.find(({ op, id, state }) => op === "docker-build" && id !== build?.id && state === "ok"),
    );

    expect((await world.server.job(again.id)).because.map(({ kind, detail }) => [kind, detail])).toEqual([
      ["person", "Rebuild was asked for"],
    ]);
    await world.server.rolledOut(first);
    expect((await world.now()).version).toBe(version);
  });

  it("cancels a build that takes too long; it stays so until something changes", async () => {
    const files = await sample("2");
    const slow = world.push({ ...files, Dockerfile: `${files["Dockerfile"]}RUN sleep 300\n` });
    const build = await world.server.waitFor("the slow build runs", ({ jobs }) =>
      jobs.find(
        ({ op, state, description }) =>
          op === "docker-build" && state === "running" && description.includes(slow.commit.slice(0, 10)),
      ),
    );
    expect(await act("cancel", build.id, "--why", "too slow")).toBe("cancelled\n");
    const cancelled = await world.server.waitFor("the build is cancelled", ({ jobs }) =>
      jobs.find(({ id, state }) => id === build.id && state === "cancelled"),
    );

    expect(cancelled.note).toMatch(/cancelled by .*: too slow/);
    const { graph } = await world.server.told();
    expect(graph.nodes.find(({ kind }) => kind === "build")).toMatchObject({
      state: "failed",
      failure: { code: "CANCELLED" },
    });
    expect(await command("query", "--job-state", "cancelled")).toContain(build.id);
    expect(await world.server.act("POST", `jobs/${build.id}/cancel`)).toMatchObject({ status: 409 });
  });

  it("sets the confirm threshold, which holds over a restart while the flag is the same", async () => {
    expect(await act("confirm", "average")).toMatch(/^average/);
    expect(await command("confirm")).toMatch(/^average/);
    await world.server.kill();
    await world.serve("--confirm", "dangerous");
    expect(await command("confirm")).toMatch(/^average/);
    await world.server.kill();
    await world.serve("--confirm", "above-average");
    expect(await command("confirm")).toMatch(/^above-average/);
    await world.server.kill();
    await world.serve("--confirm", "dangerous");
    expect(await command("confirm")).toMatch(/^dangerous/);
  });

  it("may do nothing without the token", async () => {
    const [build] = await world.server.jobs("docker-build");
    const answer = await fetch(`${world.server.url}/api/v1/jobs/${build?.id}/rebuild`, { method: "POST" });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "LOGIN_NEEDED" });
  });
});
