import type { Deployer } from "./deployer.ts";
import type { Act } from "./plan.ts";
import type { World } from "./world.ts";

/** Lets something happen. */
export function perform(world: World, act: Act): void {
  const { up } = world;
  switch (act.do) {
    case "push":
    case "same files":
    case "back":
    case "undo":
    case "delete":
      return move(world, act);
    case "outage":
      return world.outside.outage(act.of, act.forMs, act.silent);
    case "mishaps":
      return void world.swarms.mishaps.push(...act.next);
    case "by hand":
      return byHand(world, act.service, act.change);
    case "prune":
      return world.builds.prune();
    case "disk full":
      return fillDisk(world, act.pages, act.forMs);
    case "disk error":
      world.disk.broken = true;
      return dies(up, act.downMs);
    case "crash":
      dies(up, act.downMs);
      return up?.kill("is killed");
    case "crash at": {
      const { meanwhile, late } = act;
      if (late === true) world.swarms.mishaps.unshift("late");
      return dies(up, act.downMs, act, meanwhile === undefined ? undefined : () => perform(world, meanwhile));
    }
    case "stop":
      dies(up, act.downMs);
      return up?.engine.background(() => up.stop());
    case "threshold":
      return void up?.view?.act.confirm(act.to, "Ann");
    case "press":
      return press(world, act);
  }
}

function move({ forge, shape }: World, act: Extract<Act, { readonly branch: number }>): void {
  const branch = shape.branches[act.branch % shape.branches.length];
  if (branch === undefined) return;
  if (act.do === "push") forge.push(branch, act.quality);
  else if (act.do === "same files") forge.again(branch);
  else if (act.do === "back") forge.back(branch);
  else if (act.do === "undo") forge.undo(branch);
  else forge.delete(branch);
}

function byHand(world: World, service: number, change: "image" | "label"): void {
  const lanes = world.lanes();
  world.swarms.byHand(lanes[service % lanes.length] ?? "", change);
}

function fillDisk({ disk, history, clock }: World, pages: number, forMs: number): void {
  history.full.push({ fromMs: history.nowMs, toMs: history.nowMs + forMs });
  history.note(`the disk is full but for ${pages} pages`);
  disk.fill(pages);
  clock.after(forMs, () => {
    history.note("the disk has room again");
    disk.free();
  });
}

/** For how long it is down when it dies, where it does so by itself, and what happens then. */
function dies(up: Deployer | undefined, downMs: number, at?: Deployer["death"], then?: () => void): void {
  if (up === undefined) return;
  up.downMs = downMs;
  if (at !== undefined) up.death = { point: at.point, of: at.of };
  if (then !== undefined) up.onDeath = then;
}

/** Somebody presses a button on a page. */
function press({ up, history }: World, { button, which }: Extract<Act, { readonly do: "press" }>): void {
  const view = up?.view;
  if (view === undefined) return;
  const jobs = button === "rebuild" ? view.jobs({ limit: 20 }).filter(({ can }) => can.rebuild) : view.openJobs();
  const job = jobs[which % Math.max(1, jobs.length)];
  if (job === undefined) return;
  history.note(`Ann presses ${button} at ${job.id} of ${job.term}`);
  history.people.push({ atMs: history.nowMs, of: job.term, value: button });
  const { act } = view;
  if (button === "cancel") void act.cancel(job.id, "Ann", "");
  else void (button === "start" ? act.start(job.id, "Ann") : act.rebuild(job.id, "Ann"));
}
