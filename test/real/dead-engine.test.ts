import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { need } from "../support/need.ts";

const module = join(resolve(import.meta.dirname, "../.."), "scripts/lib/dead-engine.mjs");
const CUT = `await (await import(${JSON.stringify(module)})).cutDeadContainers()`;

/** In a network of its own: three cables of containers, one of them on somebody else's bridge. */
const CABLES = `
set -e
count=0
for bridge in docker0 docker_gwbridge theirs; do
  count=$((count + 1))
  ip link add $bridge type bridge
  ip link add veth$count type veth peer name peer$count
  ip link set veth$count master $bridge
done`;

function left(before = ":"): string[] {
  const script = `${CABLES}\n${before}\n"$1" --input-type=module -e "$2" >/dev/null\nls /sys/class/net`;
  const argv = ["--net", "--mount", "sh", "-c", `mount -t sysfs sysfs /sys\n${script}`, "sh", process.execPath, CUT];
  const said = execFileSync("unshare", argv, { encoding: "utf8", timeout: 20_000 });
  return said.split("\n").filter((name) => name.startsWith("veth"));
}

describe.skipIf(!need("ip"))("what a killed engine left", () => {
  it("is cut off its bridges, so that the next engine's containers have their addresses for themselves", () => {
    expect(left()).toEqual(["veth3"]);
  });

  it.each(["dockerd", "containerd-shim"])("stays while a %s lives in this network", (name) => {
    const living = `cp "$(command -v sleep)" ./${name} && ./${name} 30 >/dev/null & engine=$!`;
    const runs = `until grep -q ^${name} /proc/$engine/comm; do :; done`;

    expect(left(`cd "$(mktemp -d)"; { ${living}; }; trap 'kill $engine' EXIT; ${runs}`)).toHaveLength(3);
  });
});
