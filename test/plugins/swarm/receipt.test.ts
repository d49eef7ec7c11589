import { assert, nat, property, record, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Stamp } from "../../../src/engine/effects/target.ts";
import { receiptOf, withFence, withReceipt } from "../../../src/plugins/swarm/receipt.ts";

const stamp: Stamp = { intent: "i-1", generation: 3, epoch: 2, digest: "sha256:d", owner: "demo" };

describe("the receipt in a service's labels", () => {
  it("is read back as it was written, beside the labels of others", () => {
    const stamps = record({
      intent: string({ minLength: 1 }),
      generation: nat(),
      epoch: nat(),
      digest: string(),
      owner: string(),
    });
    assert(
      property(stamps, (any) => {
        const labels = withReceipt({ "com.docker.stack.namespace": "shop" }, any);
        expect(receiptOf(labels)).toEqual(any);
        expect(labels["com.docker.stack.namespace"]).toBe("shop");
      }),
    );
  });

  it("is not touched by a fence; the next receipt takes the fence away", () => {
    const fenced = withFence(withReceipt({ own: "x" }, stamp), { ...stamp, intent: "i-2", epoch: 9 });
    expect(receiptOf(fenced)).toEqual(stamp);
    expect(fenced["millrace.fence"]).toBe("i-2 epoch 9");
    expect(withReceipt(fenced, stamp)).toEqual(withReceipt({ own: "x" }, stamp));
  });

  it("is none at all when it is not whole", () => {
    const whole = withReceipt({}, stamp);
    expect(receiptOf({})).toBeUndefined();
    expect(receiptOf({ ...whole, "millrace.intent": "" })).toBeUndefined();
    expect(receiptOf({ ...whole, "millrace.generation": "three" })).toBeUndefined();
    expect(receiptOf({ ...whole, "millrace.epoch": undefined })).toBeUndefined();
  });
});
