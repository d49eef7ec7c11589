import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadPipeline } from "../../src/app/load.ts";
import { machineAround } from "../../src/app/surroundings.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { folderWith, withWords } from "../support/pipeline-file.ts";

/** Loads a file that no compiler has seen; answers with `line CODE message` of each problem. */
async function problemsOf(text: string, files: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const folder = folderWith({
    ...files,
    "pipeline.ts": withWords(text),
    "hello.git/HEAD": "",
    "hello.git/objects/x": "",
  });
  const path = join(folder, "pipeline.ts");
  const loaded = await loadPipeline(path);
  if (!loaded.ok) throw new Error(loaded.error.message);
  return validate(loaded.value, machineAround(path)).map(({ at, code, message }) => {
    expect(at.startsWith(`${path}:`)).toBe(true);
    return `${at.slice(path.length + 1)} ${code} ${message}`;
  });
}

const repo = (value: string): string => `export default deployer({ demo: { repos: { "demo/hello": ${value} } } });`;
const build = (value: string): string => repo(`from(git("./hello.git"), ${value})`);
const service = (value: string): string =>
  build(`docker("Dockerfile", { live: publish("demo/hello:live", ${value}) })`);

/** What is written, and everything that is said of it. */
const mistakes: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "no flavours": ["export default deployer({});", "2 NOTHING_DECLARED deployer({ … }) has no flavours"],
  "nothing at all": ["export default deployer();", "2 NOTHING_DECLARED deployer({ … }) has no flavours"],
  "an empty flavour": [
    "export default deployer({ demo: { repos: {} } });",
    "2 NOTHING_DECLARED the flavour demo has no repositories",
  ],
  "no repos": [
    "export default deployer({ demo: {} });",
    '2 WRONG_VALUE the repos of demo must be { "owner/name": from(…) }, but are undefined',
  ],
  "a flavour that is something else": [
    'export default deployer({ demo: git("./hello.git") });',
    "2 WRONG_VALUE the flavour demo must be { repos: … }, but is git(…)",
  ],
  "a flavour's name": [
    `export default deployer({ "Demo 1": { repos: { "demo/hello": from(git("./hello.git"), docker("Dockerfile")) } } });`,
    '2 WRONG_NAME the flavour "Demo 1" is not lower-case letters, digits and dashes (at most 63)',
  ],
  "fields of a flavour": [
    `export default deployer({ demo: { url: "deploy.example", admins: ["avsm", 7], repo: {},
       repos: { "demo/hello": from(git("./hello.git"), docker("Dockerfile")) } } });`,
    '2 UNKNOWN_FIELD the flavour demo has no field "repo". Did you mean "repos"? Known: url, admins, builders, viewers, staleness, repos.',
    '2 WRONG_VALUE the url of demo "deploy.example" is not an absolute http:// or https:// address',
    '2 WRONG_NAME the admin of demo "avsm" is not provider:name, such as github:avsm',
    "2 WRONG_VALUE the admin of demo must be a text, but is 7",
  ],
  "who may act": [
    `export default deployer({ demo: { admins: ["gitlab:avsm", "github:a/b/c"],
       viewers: ["gitlab:eve"], builders: ["github:org/team", { who: "github:eve#x", services: ["demo_helo"], until: 1 }, { who: "github:bob" }],
       repos: { "demo/hello": from(git("./hello.git"), docker("Dockerfile", {
         live: publish("demo/hello:live", swarm(here, "demo_hello")) })) } } });`,
    '2 WRONG_NAME the admin of demo "gitlab:avsm" names no provider of sign-ins. Known: github',
    '2 WRONG_NAME the admin of demo "github:a/b/c" is neither a person (github:avsm) nor a team (github:org/team)',
    '2 WRONG_NAME the viewer of demo "gitlab:eve" names no provider of sign-ins. Known: github',
    '2 UNKNOWN_FIELD a builder of demo has no field "until". Known: who, services.',
    '2 WRONG_NAME the builder of demo "github:eve#x" is neither a person (github:avsm) nor a team (github:org/team)',
    '2 WRONG_NAME the service of a builder of demo "demo_helo" is nothing that demo moves. Did you mean "demo_hello"? Known: demo/hello:live, demo_hello.',
    "2 WRONG_VALUE the services of a builder of demo must be a list, but are null",
  ],
  "a password in an address": [
    `export default deployer({ demo: { url: "https://me:pw@deploy.example",
       repos: { "demo/hello": from(git("./hello.git"), docker("Dockerfile")) } } });`,
    '2 WRONG_VALUE the url of demo "https://me:pw@deploy.example" holds a user name or password',
  ],
  "names of repositories": [
    `const hello = from(git("./hello.git"), docker("Dockerfile"));
     export default deployer({ demo: { repos: { hello, "a/b/c": hello, "a/": hello, "a b/c": hello, "../x": hello } } });`,
    '2 WRONG_NAME the repository "hello" has 0 slashes: it must be owner/name, with one',
    '2 WRONG_NAME the repository "a/b/c" has 2 slashes: it must be owner/name, with one',
    '2 WRONG_NAME the repository "a/" lacks its owner or its name',
    '2 WRONG_NAME the repository "a b/c" holds "a b": letters, digits, dots, dashes and _ only',
    '2 WRONG_NAME the repository "../x" holds "..": letters, digits, dots, dashes and _ only',
  ],
  "a repository that is something else": [
    repo('git("./hello.git")'),
    "2 WRONG_VALUE the repository demo/hello must be docker(…) or from(…), but is git(…)",
  ],
  "an empty list of builds": [repo("[]"), "2 WRONG_VALUE the repository demo/hello builds nothing: add docker(…)"],
  "no source": [
    repo('from(undefined, docker("Dockerfile"))'),
    '2 WRONG_VALUE the source must be git("./path or url"), but is undefined',
  ],
  "no builds": [
    repo('from(git("./hello.git"), [])'),
    "2 WRONG_VALUE the repository demo/hello builds nothing: add docker(…)",
  ],
  "a missing build": [build("undefined"), "2 WRONG_VALUE a build must be docker(…), but is undefined"],
  "an address that is empty": [
    repo('from(git(""), docker("Dockerfile"))'),
    `2 WRONG_VALUE the repository's address "" is empty`,
  ],
  "an address that runs a program": [
    repo('from(git("ext::sh -c id"), docker("Dockerfile"))'),
    '2 REPO_REFUSED repository "ext::sh -c id": expected an absolute path or a URL',
  ],
  "a path without anything": [
    repo('from(\ngit("./helo.git"), docker("Dockerfile"))'),
    "3 NO_REPOSITORY there is nothing at ./helo.git",
  ],
  "a path without a repository": [
    repo('from(git("."), docker("Dockerfile"))'),
    "2 NO_REPOSITORY . is no git repository",
  ],
  "Dockerfiles out of place": [
    build('[docker("/etc/passwd"), docker("../x"), docker("a/../../x"), docker(""), docker("sub/"), docker(7)]'),
    `2 WRONG_NAME the Dockerfile's path "/etc/passwd" is absolute: it must be relative to the root of the repository`,
    `2 WRONG_NAME the Dockerfile's path "../x" leaves the repository`,
    `2 WRONG_NAME the Dockerfile's path "a/../../x" leaves the repository`,
    `2 WRONG_NAME the Dockerfile's path "" is empty`,
    `2 WRONG_NAME the Dockerfile's path "sub/" is a folder, not a file`,
    "2 WRONG_VALUE the Dockerfile's path must be a text, but is 7",
  ],
  "one Dockerfile twice": [
    build('[docker("Dockerfile"),\n docker("./Dockerfile"),\n docker.with({ name: "debug" })("Dockerfile")]'),
    '3 SAME_BUILD demo/hello builds "Dockerfile" twice: here and at :2',
  ],
  "unknown options": [
    build('docker.with({ includegit: true, timout: "5m" })("Dockerfile")'),
    '2 UNKNOWN_FIELD docker.with(…) has no field "includegit". Did you mean "includeGit"? ' +
      "Known: name, buildArgs, includeGit, submodules, timeout, unsafeNetwork.",
    '2 UNKNOWN_FIELD docker.with(…) has no field "timout". Did you mean "timeout"? ' +
      "Known: name, buildArgs, includeGit, submodules, timeout, unsafeNetwork.",
  ],
  "options of the wrong kind": [
    build('docker.with({ includeGit: "yes", submodules: 1, timeout: "5 minutes", name: "a/b" })("Dockerfile")'),
    '2 WRONG_VALUE includeGit must be true or false, but is "yes"',
    "2 WRONG_VALUE submodules must be true or false, but is 1",
    '2 WRONG_VALUE the timeout "5 minutes" is no length of time: write it as "90s", "50m", "2h" or "1d"',
    '2 WRONG_NAME the build\'s name "a/b" is not letters, digits, dots, dashes and _ (at most 63)',
  ],
  "a timeout of nothing": [
    build('docker.with({ timeout: "0m" })("Dockerfile")'),
    '2 WRONG_VALUE the timeout "0m" is no length of time: write it as "90s", "50m", "2h" or "1d"',
  ],
  "build arguments": [
    build('docker.with({ buildArgs: { "A B": "1", C: 7 } })("Dockerfile")'),
    '2 WRONG_NAME the build argument "A B" is not letters, digits and _, beginning with a letter',
    "2 WRONG_VALUE the build argument C must be a text, but is 7",
  ],
  "branches that are something else": [
    build('docker("Dockerfile", publish("demo/hello:live"))'),
    "2 WRONG_VALUE the branches must be { branch: publish(…) }, but are publish(…)",
  ],
  "a branch that is no publish": [
    build('docker("Dockerfile", {\n live: swarm(here, "demo_hello") })'),
    "3 WRONG_VALUE the branch live must become publish(…), but is swarm(…)",
  ],
  "names that git refuses": [
    build('docker("Dockerfile", { "a..b": publish("a/b:1"), "-x": publish("a/b:2"), "a b": publish("a/b:3") })'),
    '2 WRONG_NAME the branch "a..b" is no name that git allows for a branch',
    '2 WRONG_NAME the branch "-x" is no name that git allows for a branch',
    '2 WRONG_NAME the branch "a b" holds a space, a control character or one of ~ ^ : ? * [ \\',
  ],
  images: [
    build(`docker("Dockerfile", {
      a: publish("demo/hello"),
      b: publish("demo/hello@sha256:00"),
      c: publish("bad_host.example:x/demo:live"),
      d: publish("Demo/Hello:live"),
      e: publish("demo/hello:li ve"),
      f: publish(undefined),
    })`),
    '3 WRONG_IMAGE the image "demo/hello" has no tag: add one, such as ":live"',
    '4 WRONG_IMAGE the image "demo/hello@sha256:00" holds a digest: write a tag, the digest is found out at each build',
    '5 WRONG_IMAGE the image "bad_host.example:x/demo:live" names a registry "bad_host.example:x" that is no host or host:port',
    '6 WRONG_IMAGE the image "Demo/Hello:live" holds "Demo": lower-case letters and digits, separated by . _ or - only',
    '7 WRONG_IMAGE the image "demo/hello:li ve" has the tag "li ve": letters, digits, dots, dashes and _ only (at most 128)',
    "8 WRONG_VALUE the image must be a text, but is undefined",
  ],
  "hosts that do not exist": [
    service('\nswarm({ host: "heer" }, "a"), swarm("here", "b"), swarm(undefined, "c"), swarm(null, "d")'),
    '3 UNKNOWN_HOST unknown host "heer". Did you mean "here"? Known: here.',
    '3 UNKNOWN_HOST the host is the text "here": it must be a machine that contexts/hosts.ts exports',
    "3 UNKNOWN_HOST unknown host: it is undefined. Known: here.",
    "3 UNKNOWN_HOST unknown host: it is null. Known: here.",
  ],
  "services that could be taken for options or commands": [
    service('swarm(here, "-x"), swarm(here, "a;b"), swarm(here, "a/b"), swarm(here, "$(id)"), swarm(here, "a\\nb")'),
    ...["-x", "a;b", "a/b", "$(id)", "a\\nb"].map(
      (name) =>
        `2 WRONG_NAME the service name "${name}" is not letters, digits, dots, dashes and _ (at most 63), ` +
        "beginning with a lower-case letter or digit",
    ),
  ],
  "a service that is something else": [
    service('undefined, "demo_hello"'),
    "2 WRONG_VALUE a service must be swarm(…), but is undefined",
    '2 WRONG_VALUE a service must be swarm(…), but is "demo_hello"',
  ],
  "a service's url": [
    service('swarm(here, "demo_hello", "/hello")'),
    '2 WRONG_VALUE the url "/hello" is not an absolute http:// or https:// address',
  ],
  "what is done about a change by hand": [
    build(`docker("Dockerfile", {
      a: publish.with({ drift: "undo" })("demo/hello:a", swarm.with({ drift: 7 })(here, "a")),
      b: publish("demo/hello:b", swarm.with({ drfit: "hold" })(here, "b")),
    })`),
    '3 WRONG_VALUE drift "undo" is none of "report", "hold", "repair"',
    "3 WRONG_VALUE drift must be a text, but is 7",
    '4 UNKNOWN_FIELD swarm(…) has no field "drfit". Did you mean "drift"? Known: kind, host, service, url, drift, at.',
  ],
  "one service moved twice": [
    build(`docker("Dockerfile", {
      live: publish("demo/hello:live", swarm(here, "demo_hello")),
      next: publish("demo/hello:next", swarm(here, "demo_hello")),
    })`),
    "4 SAME_TARGET the service demo_hello on here is moved twice: here and at :3",
  ],
  "one image moved twice, by two spellings and two flavours": [
    `const hello = (image) => ({ repos: { "demo/hello": from(git("./hello.git"), docker("Dockerfile", {
       live: publish(image) })) } });
     export default deployer({ one: hello("demo/hello:live"), two: hello("docker.io/demo/hello:live") });`,
    "3 SAME_TARGET the image docker.io/demo/hello:live is moved twice: here and at :3 in the flavour one",
  ],
};

describe("validation", () => {
  it.each(Object.entries(mistakes))("names %s", async (_, [text, ...said]) => {
    const folderless = (await problemsOf(text)).map((problem) => problem.replace(/ at \/\S*pipeline\.ts:/, " at :"));
    expect(folderless).toEqual(said);
  });

  it("names a host that contexts/hosts.ts does not export by what stands in the line", async () => {
    const text = `import { heer } from "./contexts/hosts.ts";\n${service('swarm(heer, "demo_hello")')}`;
    const said = await problemsOf(text, { "contexts/hosts.ts": 'export { here } from "millrace";' });
    expect(said).toEqual(['3 UNKNOWN_HOST unknown host "heer": it is undefined. Did you mean "here"? Known: here.']);
  });

  it("finds every problem at once", async () => {
    const said = await problemsOf(`export default deployer({ demo: { repos: {
      "demo/hello": from(git("./nowhere.git"),
        docker.with({ timeout: "soon" })("/Dockerfile", {
          "a b": publish("demo/hello",
            swarm(here, "-x", "x")) })) } } });`);
    expect(said.map((problem) => problem.split(" ").slice(0, 2).join(" "))).toEqual([
      "3 NO_REPOSITORY",
      "4 WRONG_NAME",
      "4 WRONG_VALUE",
      "5 WRONG_NAME",
      "5 WRONG_IMAGE",
      "6 WRONG_NAME",
      "6 WRONG_VALUE",
    ]);
  });

  it("has nothing to say of a good pipeline", async () => {
    const said = await problemsOf(`export default deployer({
      demo: { url: "https://deploy.example", admins: ["github:avsm", "github:avsm#1234", "github:org/team"],
        viewers: ["github:org/all"],
        builders: ["github:bob", { who: "github:org/ops", services: ["demo_hello"] }], repos: {
        "demo/hello": from(git("./hello.git"), [
          docker("Dockerfile", {
            live: publish("127.0.0.1:5000/demo/hello:live", swarm(here, "demo_hello", "http://127.0.0.1:8080")),
            "feature/new-look": publish("demo/hello:new-look"),
          }),
          docker.with({ name: "debug", includeGit: true, timeout: "1.5h", buildArgs: { MODE: "" } })("Dockerfile"),
        ]),
        "demo/far": from(git("git@git.example:demo/far.git"), docker("deploy/Dockerfile.web")),
      } } });`);
    expect(said).toEqual([]);
  });
});
