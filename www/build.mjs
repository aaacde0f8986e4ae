/**
 * Bundles the page into $TRUNK_STAGING_DIR; Trunk runs this after each build (Trunk.toml).
 * Type errors do not stop it: `tsc` checks types in `cargo xtask check`.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
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

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The digest of a file of the runtime, if it was built. */
function digestOf(name) {
  try {
    return sha256(readFileSync(join(outdir, name)));
  } catch {
    return null;
  }
}

/**
 * How one part of the page names another whose file name stays the same in each version: with its digest, by which the
 * service worker tells versions apart (docs/architecture.md, Offline).
 */
const pinned = (name) => JSON.stringify(`./${name}${digestOf(name) === null ? "" : `?sha256=${digestOf(name)}`}`);

/** Stands in the worker for what `markWorker` puts there. */
const WORKER_ID = "@worker-id@";

/** A file can't hold its own digest, so it holds that of what it was before. */
function markWorker() {
  const path = join(outdir, "worker.js");
  const text = readFileSync(path, "utf8");
  const id = sha256(text).slice(0, 16);
  writeFileSync(path, text.replaceAll(WORKER_ID, id));
  return id;
}

await build({
  ...common,
  entryPoints: { worker: join(here, "worker/site.ts") },
  format: "esm",
  define: {
    // What the worker keeps between visits belongs to one runtime.
    BUILD: JSON.stringify((digestOf("verirun_bg.wasm") ?? "none").slice(0, 16)),
    GLUE: pinned("verirun.js"),
    RUNTIME: pinned("verirun_bg.wasm"),
    REST: pinned("verirun_rest.wasm"),
    WORKER_ID: JSON.stringify(WORKER_ID),
  },
});
const workerId = markWorker();

await Promise.all([
  // Split, so that the terminal is loaded only when it is needed.
  build({
    ...common,
    entryPoints: { main: join(here, "main.ts"), app: join(here, "app.css") },
    format: "esm",
    splitting: true,
    chunkNames: "chunk-[name]-[hash]",
    define: { WORKER: pinned("worker.js"), WORKER_ID: JSON.stringify(workerId) },
  }),
  build({ ...common, entryPoints: { early: join(here, "early.ts") }, format: "iife" }),
  buildApi({ outdir, gluePath: join(outdir, "verirun.js"), common: { target: common.target } }),
  buildEmbedding(outdir, common.target),
  copyFile(join(here, "icon.svg"), join(outdir, "icon.svg")),
]);

// Trunk's hook comes before the samples: then `cargo xtask build` does this at its end.
if (!process.env.TRUNK_STAGING_DIR) await writeServiceWorker(outdir);
