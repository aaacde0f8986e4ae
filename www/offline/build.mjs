/**
 * Writes `sw.js` into a built site, with the digest of each of its files: `node www/offline/build.mjs dist`.
 * To be run when everything else is in place.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const TARGET = ["chrome111", "firefox115", "safari16.4"];

/** What is kept when it is first used, being large, or for other people's pages, or not for every visitor. */
const LATER = [/^tasks\//, /^embedding/, /^licenses\.txt$/, /^(?:api|api-worker|wasm-task|wasm-task-run)\.js$/];
/** Small samples are kept all the same: a first visit should find something to run the next time. */
const SMALL = 100_000;

/** Whether a file of the site is fetched ahead. */
export function isEssential(path, size) {
  if (path === "tasks/index.json") return true;
  if (path.startsWith("tasks/")) return size <= SMALL;
  return !LATER.some((pattern) => pattern.test(path));
}

export async function writeServiceWorker(site) {
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  const files = {};
  const essential = [];
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const full of paths.sort()) {
    const path = full.slice(join(site, "/").length).replaceAll("\\", "/");
    if (path === "sw.js") continue;
    const bytes = await readFile(full);
    files[path] = createHash("sha256").update(bytes).digest("hex");
    if (isEssential(path, bytes.length)) essential.push(path);
  }
  await build({
    entryPoints: { sw: join(here, "sw.ts") },
    outdir: site,
    bundle: true,
    minify: true,
    format: "iife",
    target: TARGET,
    define: { FILES: JSON.stringify(files), ESSENTIAL: JSON.stringify(essential) },
    logLevel: "warning",
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const site = process.argv[2];
  if (!site) {
    console.error("www/offline/build.mjs: no folder given");
    process.exit(2);
  }
  await writeServiceWorker(site);
}
