import type { Codec } from "../../engine/json.ts";
import { textAt } from "./fields.ts";
import { isPinned } from "./image.ts";

/** The image that a service is moved to. */
export interface SwarmWanted {
  /** `host/path@sha256:…`. */
  readonly image: string;
}

/** One write, so that its outcome can be told from that of the one before it. */
export interface SwarmRef {
  /** Id of the service: a service of the same name that was made later is another one. */
  readonly service: string;
  readonly image: string;
  /** When the update before it began: as long as that is shown, ours has not begun. */
  readonly startedBefore?: string;
  /** When the service was changed last before it, by the manager's clock: older tasks tell nothing about this write. */
  readonly updatedBefore?: string;
}

export const wantedCodec: Codec<SwarmWanted> = {
  encode: ({ image }) => ({ image }),
  decode: (json) => {
    const image = textAt(json, "image");
    return isPinned(image) ? { image } : undefined;
  },
};

export const refCodec: Codec<SwarmRef> = {
  encode: (ref) => ({ ...ref }),
  decode: (json) => {
    const [service, image] = [textAt(json, "service"), textAt(json, "image")];
    if (service === "" || image === "") return undefined;
    const [startedBefore, updatedBefore] = [textAt(json, "startedBefore"), textAt(json, "updatedBefore")];
    return {
      service,
      image,
      ...(startedBefore === "" ? {} : { startedBefore }),
      ...(updatedBefore === "" ? {} : { updatedBefore }),
    };
  },
};
