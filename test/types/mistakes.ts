/* oxlint-disable no-dupe-keys, import/first */
// Mistakes that must not compile. Each directive stands right above its mistake: were it no mistake any more, plain
// `tsc` would fail ("unused directive"). test/types/mistakes.test.ts sees to it that this file stays checked.

import { deployer, docker, type Flavour, from, git, here, publish, swarm } from "millrace";
import { Secret } from "../../src/engine/secret.ts";

const hello = from(git("./hello.git"), docker("Dockerfile"));
const live = publish("demo/hello:live");

// A repository without its owner.
// @ts-expect-error
export const ownerless: Flavour = { repos: { hello } };

// A repository twice.
// @ts-expect-error
export const twice: Flavour = { repos: { "demo/hello": hello, "demo/hello": hello } };

// A field that does not exist.
// @ts-expect-error
export const misspelt: Flavour = { repositories: { "demo/hello": hello } };

// A flavour without repositories.
// @ts-expect-error
export default deployer({ demo: {} });

// An image without a tag.
// @ts-expect-error
publish("demo/hello");

// A machine by its name alone.
// @ts-expect-error
swarm("here", "demo_hello");

// A machine that does not exist.
// @ts-expect-error
import { heer } from "../../contexts/hosts.ts";

// No service.
// @ts-expect-error
swarm(here);

// A relative address.
// @ts-expect-error
swarm(here, "demo_hello", "hello.example");

// An image as a service.
// @ts-expect-error
publish("demo/hello:live", "demo_hello");

// A branch that becomes a service: what is published is missing.
// @ts-expect-error
docker("Dockerfile", { live: swarm(here, "demo_hello") });

// A branch twice.
// @ts-expect-error
docker("Dockerfile", { live, live });

// An option that does not exist.
// @ts-expect-error
docker.with({ includeGitt: true });

// A length of time without its unit.
// @ts-expect-error
docker.with({ timeout: "50" });

// A length of time as a number.
// @ts-expect-error
docker.with({ timeout: 50 });

// A secret in the image's history.
// @ts-expect-error
docker.with({ buildArgs: { TOKEN: new Secret("hunter22") } });

// Options where the branches belong.
// @ts-expect-error
docker("Dockerfile", { includeGit: true });

// A source without a build.
// @ts-expect-error
from(git("./hello.git"));

// An address where git(…) belongs.
// @ts-expect-error
from("./hello.git", docker("Dockerfile"));

// A person without a provider.
// @ts-expect-error
export const nobody: Flavour = { admins: ["avsm"], repos: { "demo/hello": hello } };

// A change of what is declared.
// @ts-expect-error
hello.builds = [];

void heer;
