// dist/: the compiled product, with the templates, styles and SQL that stand beside the sources.
import { chmodSync, cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { attempt } from "./run.mjs";
import { Stop, timed } from "./say.mjs";

/** Compiles src/ to dist/. The old dist/ stands until the new one is whole, so a running server never sees half. */
export async function build() {
  await timed("build", "tsc, src to dist", async () => {
    const next = join(root, `dist.next-${process.pid}`);
    const old = join(root, `dist.old-${process.pid}`);
    try {
      await compile(next);
      cpSync(join(root, "src"), next, { recursive: true, filter: (path) => !path.endsWith(".ts") });
      const program = join(next, "app/main.js");
      if (existsSync(program)) chmodSync(program, 0o755);
      if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
      renameSync(next, join(root, "dist"));
    } finally {
      rmSync(next, { recursive: true, force: true });
      rmSync(old, { recursive: true, force: true });
    }
    return "dist is up to date";
  });
}

async function compile(outDir) {
  const argv = [process.execPath, "node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", outDir];
  const ended = await attempt(argv, { cwd: root });
  if (ended.status !== 0) throw new Stop("the sources do not compile", ended.stdout + ended.stderr);
}
