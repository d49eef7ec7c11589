import { describe, expect, test } from "vitest";
import { BuildLog } from "../../../src/plugins/docker/build-log.ts";
import { decodeTrace, type Vertex } from "../../../src/plugins/docker/trace.ts";
import { testJob } from "../../support/job.ts";

const vertex = (digest: string, name: string, more: Partial<Vertex> = {}): Vertex => ({
  digest,
  name,
  cached: false,
  error: "",
  ...more,
});
const output = (digest: string, text: string | Uint8Array) => ({ vertex: digest, text: Buffer.from(text) });

describe("BuildLog", () => {
  test("tells instructions, their output in whole lines, their end, and progress", () => {
    const job = testJob();
    const log = new BuildLog(job);
    const [from, run] = [vertex("a", "[1/2] FROM x"), vertex("b", "[2/2] RUN make\n  all")];
    log.add({ vertexes: [vertex("i", "[internal] load"), from, run], logs: [] });
    log.add({ vertexes: [{ ...from, started: 1, completed: 1, cached: true }], logs: [] });
    log.add({ vertexes: [{ ...run, started: 2 }], logs: [output("b", "one\ntw")] });
    const euro = Buffer.from("€\n");
    log.add({ vertexes: [], logs: [output("b", "o\n 10%\r 50%\r100%\n"), output("b", euro.subarray(0, 1))] });
    log.add({
      vertexes: [{ ...run, started: 2, completed: 4.25 }],
      logs: [output("b", euro.subarray(1)), output("b", "end")],
    });
    expect(job.text().split("\n")).toEqual([
      "#2 [1/2] FROM x",
      "#2 CACHED",
      "#3 [2/2] RUN make all",
      "#3 one",
      "#3 two",
      "#3 100%",
      "#3 €",
      "#3 end",
      "#3 DONE 2.3s",
      "",
    ]);
    expect(job.reports.map(({ done, total }) => `${done}/${total}`)).toEqual(["0/2", "1/2", "1/2", "2/2"]);
    expect(log.fault).toBeUndefined();
  });

  test("keeps the first fault and its last lines; what was only interrupted is none", () => {
    const log = new BuildLog(testJob());
    const run = vertex("b", "[2/2] RUN false", { started: 1 });
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join("");
    log.add({ vertexes: [run, vertex("c", "[x 1/9] RUN sleep 9", { started: 1 })], logs: [output("b", lines)] });
    log.add({
      vertexes: [vertex("c", "[x 1/9] RUN sleep 9", { started: 1, completed: 2, error: "context canceled" })],
      logs: [],
    });
    log.add({ vertexes: [{ ...run, completed: 2, error: "exit code: 1" }], logs: [] });
    log.add({ vertexes: [vertex("d", "[y 1/1] RUN x", { started: 1, completed: 3, error: "later" })], logs: [] });
    expect(log.fault).toMatchObject({ name: "[2/2] RUN false", error: "exit code: 1" });
    expect(log.fault?.tail).toEqual(Array.from({ length: 10 }, (_, n) => `line ${n + 20}`));
  });

  test("a line without end does not stay in memory", () => {
    const job = testJob();
    const log = new BuildLog(job);
    log.add({ vertexes: [vertex("a", "RUN yes", { started: 1 })], logs: [] });
    for (let n = 0; n < 100; n++) log.add({ vertexes: [], logs: [output("a", "y".repeat(1_000))] });
    expect(
      Math.max(
        ...job
          .text()
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThan(9_000);
    expect(job.text().length).toBeGreaterThan(80_000);
  });
});

describe("decodeTrace", () => {
  test("reads vertexes and logs, and skips what it does not know", () => {
    // vertex { digest "d", name "n", cached, started { 1 s, 500 ms }, unknown field 15: 7 }, log { vertex "d", msg "hi" }
    const inner = ["0a0164", "1a016e", "2001", "2a0808011080cab5ee01", "7807"].join("");
    const log = ["0a0164", "22026869", "3901020304050607083d01020304"].join("");
    const field = (tag: string, hex: string) => tag + (hex.length / 2).toString(16).padStart(2, "0") + hex;
    const message = Buffer.from(field("0a", inner) + field("1a", log), "hex").toString("base64");
    const status = decodeTrace(message);
    expect(status.vertexes).toEqual([{ digest: "d", name: "n", cached: true, error: "", started: 1.5 }]);
    expect(status.logs.map((one) => Buffer.from(one.text).toString())).toEqual(["hi"]);
    expect(decodeTrace("")).toEqual({ vertexes: [], logs: [] });
  });

  test.each(["0aff", "0a", "08ffffffffffffffffffff", "0f", "0affffffff0f"])("refuses %s", (hex) => {
    expect(() => decodeTrace(Buffer.from(hex, "hex").toString("base64"))).toThrow(RangeError);
  });
});
