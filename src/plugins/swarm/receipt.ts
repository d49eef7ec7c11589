import type { Stamp } from "../../engine/effects/target.ts";
import type { Fields } from "./fields.ts";
import { textAt } from "./fields.ts";

const PREFIX = "millrace.";
const FENCE = `${PREFIX}fence`;

type Labels = Readonly<Record<string, string>>;

/**
 * The service labels that say which change made the service what it is. They are part of the spec, so a roll-back by
 * Swarm takes them back together with the image.
 */
export function withReceipt(labels: Labels, stamp: Stamp): Labels {
  const { [FENCE]: _gone, ...others } = labels;
  return {
    ...others,
    [`${PREFIX}intent`]: stamp.intent,
    [`${PREFIX}generation`]: String(stamp.generation),
    [`${PREFIX}epoch`]: String(stamp.epoch),
    [`${PREFIX}digest`]: stamp.digest,
    [`${PREFIX}owner`]: stamp.owner,
  };
}

/** One more label, which moves the version; the receipt still tells of what runs. */
export const withFence = (labels: Labels, stamp: Stamp): Labels => ({
  ...labels,
  [FENCE]: `${stamp.intent} epoch ${stamp.epoch}`,
});

/** The receipt in the labels; undefined when there is none, or none that we wrote. */
export function receiptOf(labels: Fields): Stamp | undefined {
  const intent = textAt(labels, `${PREFIX}intent`);
  const generation = Number(textAt(labels, `${PREFIX}generation`) || Number.NaN);
  const epoch = Number(textAt(labels, `${PREFIX}epoch`) || Number.NaN);
  if (intent === "" || !Number.isSafeInteger(generation) || !Number.isSafeInteger(epoch)) return undefined;
  const digest = textAt(labels, `${PREFIX}digest`);
  return { intent, generation, epoch, digest, owner: textAt(labels, `${PREFIX}owner`) };
}
