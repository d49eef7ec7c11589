import { expect, it } from "vitest";
import { Announced } from "../../src/engine/announced.ts";
import { forgeBanners } from "../../src/engine/forge-view.ts";
import { TestClock } from "../../src/testing/index.ts";

const MINUTE = 60_000;
const WEEKEND = 64 * 60 * MINUTE;

function listening() {
  const clock = new TestClock();
  const announced = new Announced(clock);
  const banners = (): readonly string[] => {
    const { missedMs } = announced;
    const deliveries = { open: 0, counts: [], ...(missedMs === undefined ? {} : { missedMs }) };
    return forgeBanners({ rates: [], deliveries }, clock.now()).map(({ text }) => text);
  };
  return { clock, announced, banners };
}

it("says nothing of a quiet weekend, nor of what was told just before or soon after it was seen", async () => {
  const { clock, announced, banners } = listening();
  await clock.advance(WEEKEND);
  announced.told();
  await clock.advance(9 * MINUTE);
  announced.moved();
  await clock.advance(WEEKEND);
  expect(banners()).toEqual([]);
  announced.moved();
  await clock.advance(9 * MINUTE);
  announced.told();
  await clock.advance(WEEKEND);
  expect(banners()).toEqual([]);
});

it("says since when changes are not told of, until the next delivery tells of one", async () => {
  const { clock, announced, banners } = listening();
  await clock.advance(MINUTE);
  const since = new Date(clock.now()).toISOString().slice(0, 16).replace("T", " ");
  announced.moved();
  expect(banners()).toEqual([]); // it may be under way
  await clock.advance(11 * MINUTE);
  const said = banners();
  expect(said).toEqual([expect.stringContaining(`what had moved by ${since} UTC. None has come in yet.`)]);
  announced.moved();
  await clock.advance(WEEKEND);
  expect(banners()).toEqual(said);
  announced.told();
  expect(banners()).toEqual([]);
});
