import { changes, fromObservable, map, pair } from "millrace/terms";
import { createRig } from "millrace/testing";
import { Subject } from "rxjs";

export async function example(say: (line: string) => void): Promise<void> {
  const { engine, clock } = createRig();
  const commits = new Subject<string>();
  const images = new Subject<string>();

  // Any Observable can be an input.
  const commit = fromObservable(engine, { key: "acme/web/commit", label: "commit", kind: "head" }, commits);
  const image = fromObservable(engine, { key: "acme/web/image", label: "image", kind: "value" }, images);
  const deployed = map(pair(commit, image), ([id, digest]) => `${id} as ${digest}`);

  // Any term can be read as one.
  changes(deployed).subscribe((output) => say(output.state === "ok" ? output.value : output.state));

  commits.next("1a2b");
  await clock.settle();
  images.next("sha256:11");
  await clock.settle();

  // Both change together: one step. "3c4d as sha256:11" is never seen.
  commits.next("3c4d");
  images.next("sha256:22");
  await clock.settle();

  // An Observable that fails keeps its last value, and the box says since when it is old.
  images.error(new Error("the registry is away"));
  commits.next("5e6f");
  await clock.settle();
  say(`${image.key} is stale: ${image.metadata.detail}`);
}
