import { describe, expect, it } from "vitest";
import { cases, chosen, rows } from "../../bench/cases.ts";
import { compareAll, disagreements, judge } from "../../bench/compare.ts";
import { parseFlags } from "../../bench/flags.ts";
import { type Line, lines, QUOTED } from "../../bench/lines.ts";
import { loadWarning, type Machine } from "../../bench/machine.ts";
import { plotSvg } from "../../bench/report/plot.ts";
import { reportIn, reportJson, reportOf } from "../../bench/report/report.ts";
import { reportText } from "../../bench/report/text.ts";
import { plan, type Sample } from "../../bench/run.ts";
import { outcomeIn } from "../../bench/task.ts";

const machine: Machine = {
  cpu: "Example 1",
  cores: 2,
  memoryGiB: 8,
  system: "Linux 6",
  node: "20.20.2",
  at: "2026-11-21T10:00:00.000Z",
  load: 0.1,
};

const sample = (engine: Sample["engine"], of: string, figures: Readonly<Record<string, number>>): Sample => ({
  of,
  engine,
  outcome: { ok: true, figures, load: 0.5 },
});

const star = "star flat 10000";
const samples: readonly Sample[] = [
  sample("millrace", star, { anyUs: 8, root: 5 }),
  sample("rxjs", star, { anyUs: 20, root: 5 }),
  sample("alien", star, { anyUs: 56, root: 5 }),
  sample("millrace", star, { anyUs: 6, firstUs: 4, lastUs: 12_345, allMs: 2, root: 5 }),
  sample("rxjs", star, { anyUs: 22, root: 5 }),
];

describe("the report", () => {
  it("tells medians, ratios, goals and the machine", () => {
    expect(reportText(reportOf(machine, true, samples)).split("\n")).toEqual([
      "Example 1, 2 cores, 8 GiB · Linux 6 · Node 20.20.2 · 2026-11-21 10:00 UTC · load 0.10",
      "Median (least–most) of up to 2 processes. n× says how many times better Millrace is.",
      "",
      "star                               millrace       ocurrent      rxjs     alien  goal",
      "one source of 10,000, any        7 µs (6–8)   1.05 ms 151×  21 µs 3×  56 µs 8×  1 reached",
      "one source of 10,000, the first        4 µs     5 µs 1.25×                      1 reached",
      "one source of 10,000, the last      12.3 ms  3.26 ms 0.26×                      1 NOT reached: ≤ 10",
      "all sources of 10,000                  2 ms    83 ms 41.5×",
      "",
      "All engines came to the same roots.",
      "Goals reached: none. Not reached: 1.",
      `OCurrent's figures are quoted (${QUOTED}), not measured here.`,
      "",
    ]);
  });

  it("can be read again from its JSON", () => {
    const report = reportOf(machine, true, samples);
    expect(reportText(reportIn(reportJson(report)))).toBe(reportText(report));
    expect(() => reportIn('{"version":2}')).toThrow("this is no result");
  });

  it("says which measurement failed, and with what", () => {
    const failed: Sample = { of: star, engine: "mobx", outcome: { ok: false, error: "out of stack", load: 0 } };
    expect(reportText(reportOf(machine, true, [...samples, failed]))).toContain(
      "FAILED: star flat 10000, mobx: out of stack",
    );
  });

  it("says when the engines did not do the same", () => {
    const wrong = [...samples, sample("mobx", star, { anyUs: 1, root: 6 })];
    expect(disagreements(wrong)).toEqual([`${star}: 5 (millrace, rxjs, alien) · 6 (mobx)`]);
    expect(disagreements(samples)).toEqual([]);
  });

  it("warns of a machine that is busy with something else", () => {
    expect(loadWarning(machine, [1.2])).toBeUndefined();
    expect(loadWarning({ ...machine, load: 1.5 }, [])).toContain("WARNING");
    expect(loadWarning(machine, [4])).toContain("up to 4.00");
  });

  it("draws a curve an engine", () => {
    const svg = plotSvg(reportOf(machine, true, samples));
    expect(svg.match(/<circle/g)).toHaveLength(4); // millrace, ocurrent, rxjs, alien at one size
    expect(svg).toContain("prefers-color-scheme:dark");
  });
});

describe("a goal", () => {
  const rivals = [{ name: "rxjs", median: 20, ratio: 2.5 }];
  it.each([
    [{ number: 1, atMost: 10 }, 10, []],
    [{ number: 1, atMost: 10 }, 10.1, ["≤ 10"]],
    [{ number: 4, exactly: 0 }, 1, ["exactly 0"]],
    [{ number: 1, times: { rxjs: 3 } }, 8, ["3× rxjs"]],
    [{ number: 1, times: { rxjs: 2 } }, 8, []],
    [{ number: 1, times: { alien: 5 } }, 8, []], // not measured: nothing to hold it against
  ])("%j with %f: missed %j", (goal, ours, missed) => {
    expect(judge(goal, ours, rivals)).toEqual({ goal, reached: missed.length === 0, missed });
  });

  it("counts more as better where it is", () => {
    const line: Line = { row: "chain", title: "deepest", of: "d", figure: "n", unit: "", moreIsBetter: true };
    const found = compareAll([line], [sample("millrace", "d", { n: 100 }), sample("mobx", "d", { n: 4 })]);
    expect(found[0]?.rivals).toEqual([{ name: "mobx", median: 4, ratio: 25 }]);
  });
});

describe("the plan", () => {
  const two = cases.filter(({ id }) => id === "comb 100" || id === "burst");
  it("lets the engines take turns, round by round", () => {
    const order = plan(two, { quick: false, repeat: 2 }).map(({ of, task }) => `${of} ${task.engine}`);
    const round = ["comb 100 millrace", "comb 100 rxjs", "comb 100 preact", "comb 100 alien", "comb 100 mobx"];
    expect(order).toEqual([...round, "burst millrace", ...round, "burst millrace"]);
  });

  it("has a case and a figure for every line, and a line for every case", () => {
    const ids = cases.map(({ id }) => id);
    expect(lines.filter(({ of, per }) => !ids.includes(of) || !ids.includes(per ?? of))).toEqual([]);
    expect(ids.filter((id) => !lines.some(({ of, per }) => of === id || per === id))).toEqual([]);
  });

  it("measures a restart for the row of one job", () => {
    expect(chosen(["job"]).map(({ id }) => id)).toEqual(["restart 10000"]);
    expect(chosen([])).toBe(cases);
  });
});

describe("flags", () => {
  it("are read", () => {
    expect(parseFlags(["--quick", "--only", "star,ladder", "--json", "x.json", "--repeat", "2"])).toEqual({
      quick: true,
      only: ["star", "ladder"],
      json: "x.json",
      repeat: 2,
    });
    expect(parseFlags(["--help"])).toBe("help");
  });

  it.each([
    [["--only", "stars"], `no row is called stars; there are ${rows.join(", ")}`],
    [["--repeat", "0"], "--repeat takes a whole number from 1, and not 0"],
    [["--nosuch"], "Unknown option '--nosuch'"],
  ])("%j is refused", (argv, said) => {
    expect(() => parseFlags(argv)).toThrow(said);
  });
});

describe("what a measuring process prints", () => {
  it("is read from its last line", () => {
    expect(outcomeIn('noise\n{"ok":true,"figures":{"a":1},"load":0.1}\n')).toEqual({
      ok: true,
      figures: { a: 1 },
      load: 0.1,
    });
    expect(outcomeIn('{"ok":false,"error":"no","load":1}')).toEqual({ ok: false, error: "no", load: 1 });
  });

  it.each(["", "Killed", '{"figures":{"a":"x"},"load":1}'])("%j is nothing", (text) => {
    expect(outcomeIn(text)).toBeUndefined();
  });
});
