import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { failureOf } from "../../../src/engine/store/sqlite.ts";
import { temporaryDirectory } from "./support.ts";

const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

test("a compiled driver that cannot be loaded is no fault of the disk", () => {
  const binding = join(temporaryDirectory(), "driver.node");
  writeFileSync(binding, "not a library");
  const error = thrownBy(() => new Sqlite(":memory:", { nativeBinding: binding }));
  const { code, message, hint } = failureOf(error, "/state/millrace.db");
  expect(code).toBe("DRIVER_MISSING");
  expect(message).toMatch(/^the database driver cannot be loaded: .*driver\.node/);
  expect(hint).toContain("npm rebuild better-sqlite3");
});

test("one for another Node says so", () => {
  const said = "The module 'x.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 137.";
  const { message } = failureOf(Object.assign(new Error(said), { code: "ERR_DLOPEN_FAILED" }), "/state/millrace.db");
  expect(message).toBe(
    `the database driver cannot be loaded: it was compiled for another Node than this one, ${process.version}`,
  );
});
