import { deployer, docker, from, git, here, publish, swarm } from "millrace";
import { describe, expect, it } from "vitest";

/** The line of this file that the call stands on, from the test's own stack. */
const lineHere = (): string => {
  const [, line] = /words\.test\.ts:(\d+):\d+/.exec((new Error().stack ?? "").split("\n")[2] ?? "") ?? [];
  return `test/pipeline/words.test.ts:${line}`;
};

describe("the words", () => {
  it("are JSON, and nothing else", () => {
    const value = deployer({
      demo: {
        repos: {
          "demo/hello": from(
            git("./hello.git"),
            docker("Dockerfile", {
              live: publish("demo/hello:live", swarm(here, "demo_hello", "http://127.0.0.1:80")),
            }),
          ),
        },
      },
    });
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  });

  it("know their own line, also when a call is spread over several", () => {
    const at = lineHere();
    const line = Number(at.split(":")[1]);
    const source = from(
      git("./hello.git"),
      docker("Dockerfile", {
        live: publish(
          "demo/hello:live", //
          swarm(here, "demo_hello"),
        ),
      }),
    );
    const [build] = source.builds;
    const live = build?.branches["live"];
    const lines = [source.at, source.source.at, build?.at, live?.at, live?.services[0]?.at];
    expect(lines).toEqual([2, 3, 4, 5, 7].map((more) => `test/pipeline/words.test.ts:${line + more}`));
  });

  it("take builds one after the other, or as a list", () => {
    const [one, two, three] = ["a", "b", "c"].map((name) => docker(`${name}.Dockerfile`));
    if (one === undefined || two === undefined || three === undefined) throw new Error("three builds");
    const source = git("./hello.git");
    expect(from(source, one, two, three).builds).toEqual([one, two, three]);
    expect(from(source, [one, two], three).builds).toEqual([one, two, three]);
  });

  it("know the line of a caller that goes through a library function", () => {
    const [at, [first]] = [lineHere(), ["./a.git"].map(git)];
    expect(first?.at).toBe(at);
  });

  it("share options, of which later ones win; without any there is none in the record", () => {
    const kept = swarm.with({ drift: "repair" });
    expect([kept(here, "a").drift, kept.with({ drift: "hold" })(here, "b").drift]).toEqual(["repair", "hold"]);
    expect(publish.with({ drift: "hold" })("demo/hello:live", kept(here, "a"))).toMatchObject({
      drift: "hold",
      services: [{ drift: "repair" }],
    });
    expect(Object.keys(swarm(here, "a"))).not.toContain("drift");
    expect(kept(here, "a").at).toBe(lineHere());
  });

  it("cannot be changed afterwards, all the way down", () => {
    const branches = { live: publish("demo/hello:live") };
    const build = docker.with({ buildArgs: { A: "1" } })("Dockerfile", branches);
    expect(() => Object.assign(build, { dockerfile: "x" })).toThrow(TypeError);
    expect(() => Object.assign(build.options.buildArgs ?? {}, { A: "2" })).toThrow(TypeError);
    expect(() => Object.assign(branches, { other: 1 })).toThrow(TypeError);
  });

  it("take anything without throwing, so that validation can name every mistake at once", () => {
    const loose = (word: unknown, ...args: readonly unknown[]): unknown => {
      if (typeof word !== "function") throw new TypeError("not a word");
      return Reflect.apply(word, undefined, args);
    };
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    for (const word of [deployer, docker, from, git, publish, swarm, docker.with, swarm.with, publish.with]) {
      for (const wrong of [undefined, null, 7, "", [], {}, cycle, () => 1, new Date(0)]) {
        expect(() => loose(word, wrong, wrong)).not.toThrow();
      }
    }
  });
});

describe("docker.with", () => {
  it("bakes options in; later ones win and build arguments add up", () => {
    const first = docker.with({ includeGit: true, timeout: "20m", buildArgs: { A: "1", B: "1" } });
    const second = first.with({ timeout: "5m", buildArgs: { B: "2" } });
    expect(second("Dockerfile").options).toEqual({ includeGit: true, timeout: "5m", buildArgs: { A: "1", B: "2" } });
    expect(first("Dockerfile").options.timeout).toBe("20m");
    expect(docker("Dockerfile").options).toEqual({});
  });

  it("leaves a build without branches to be checked only", () => {
    expect(docker("Dockerfile").branches).toEqual({});
  });
});
