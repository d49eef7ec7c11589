import type { Access } from "../engine/access/access.ts";
import type { Clock } from "../engine/clock.ts";
import type { View } from "../engine/view.ts";
import type { Assets } from "./assets.ts";
import type { SendEvents } from "./events.ts";
import type { FailureLimit } from "./failure-limit.ts";
import type { Drawings } from "./graph/drawings.ts";
import type { SignIns } from "./sign-ins.ts";
import type { EventStreams } from "./sse.ts";

/** What every handler has at hand. Made once, in `server.ts`. */
export interface Web {
  readonly view: View;
  readonly clock: Clock;
  /** Who somebody is, and what they may do. */
  readonly access: Access;
  readonly signIns: SignIns;
  readonly failures: FailureLimit;
  readonly assets: Assets;
  readonly drawings: Drawings;
  readonly streams: EventStreams;
  readonly sendEvents: SendEvents;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** Name of the session cookie. */
  readonly cookie: string;
  /** The configured base URL is https. */
  readonly secure: boolean;
  /** Told of errors that are faults of the program. */
  readonly report: (error: unknown) => void;
}
