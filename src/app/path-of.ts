import { resolve } from "node:path";
import type { Call } from "./command.ts";

/** A path as it was given, from the working directory. */
export const pathOf = (call: Call, path: string): string => resolve(call.io.cwd, path);
