import { Secret } from "../../src/engine/secret.ts";

/** A secret that the outside gives back wherever it can: in output, errors, logs of tasks and health answers. */
export const CANARY = "canary-7d1f0c93ab52";

const password = new Secret(CANARY);

/** What a registry asks for. */
export const credential = (): { readonly username: string; readonly password: Secret } => ({
  username: "sim",
  password,
});

/** Every spelling of it that must be found nowhere. */
export const canaries: readonly string[] = [CANARY, Buffer.from(CANARY).toString("base64").slice(0, 14)];
