/**
 * Bundles the page into $TRUNK_STAGING_DIR; Trunk runs this after each build (Trunk.toml).
 * Type errors do not stop it: `tsc` checks types in `cargo xtask check`.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildApi } from "./api/build.mjs";
import { buildEmbedding } from "./embedding/build.mjs";
import { writeServiceWorker } from "./offline/build.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const given = process.env.TRUNK_STAGING_DIR ?? process.argv[2];
if (!given) {
  console.error("www/build.mjs: no TRUNK_STAGING_DIR, and no folder given");
  process.exit(2);
}
const outdir = resolve(given);

const common = { bundle: true, minify: true, target: ["chrome111", "firefox115", "safari16.4"], outdir, logLevel: "warning", loader: { ".wat": "text" } };

/** The runtime's digest, if it was built. What the worker keeps between visits belongs to one runtime. */
function runtimeDigest() {
  try {
    return createHash("sha256").update(readFileSync(join(outdir, "verirun_bg.wasm"))).digest("hex").slice(0, 16);
  } catch {
    return "none";
  }
}

await Promise.all([
  // Split, so that the terminal is loaded only when it is needed.
  build({
    ...common,
    entryPoints: { main: join(here, "main.ts"), app: join(here, "app.css") },
    format: "esm",
    splitting: true,
    chunkNames: "chunk-[name]-[hash]",
  }),
  build({
    ...common,
    entryPoints: { worker: join(here, "worker/site.ts") },
    format: "esm",
    define: { BUILD: JSON.stringify(runtimeDigest()) },
  }),
  build({ ...common, entryPoints: { early: join(here, "early.ts") }, format: "iife" }),
  buildApi({ outdir, gluePath: join(outdir, "verirun.js"), common: { target: common.target } }),
  buildEmbedding(outdir, common.target),
  copyFile(join(here, "icon.svg"), join(outdir, "icon.svg")),
]);

// Trunk's hook comes before the samples: then `cargo xtask build` does this at its end.
if (!process.env.TRUNK_STAGING_DIR) await writeServiceWorker(outdir);
