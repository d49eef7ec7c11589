import { expect, it } from "vitest";
import { soak } from "./soak.ts";

const LIMIT_MS = 60_000;

it(
  "pushes leave nothing behind but their records: as many keys, jobs, terms and readers after many as after few",
  async () => {
    const [_first, second, ...later] = await soak(200, 40);
    expect(later).toHaveLength(3);
    for (const { kept } of later) expect(kept).toEqual(second?.kept);
    expect(second?.kept).toMatchObject({ "keys in memory": 3, "open jobs": 0 });
  },
  LIMIT_MS,
);
