/** Bundles the API and the element: for the site (www/build.mjs) and for the npm package (npm/build.mjs). */
import { build, transform } from "esbuild";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The worker has wasm-bindgen's glue in it, so that it is one file wherever a bundler puts it. */
const glue = (path) => ({
  name: "glue",
  setup({ onResolve }) {
    onResolve({ filter: /^verirun-glue$/ }, () => ({ path }));
  },
});

/** The element loads these when they are needed. */
const lazy = {
  name: "lazy",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/api\/browser$/ }, () => ({ path: "./api.js", external: true }));
    onResolve({ filter: /^\.\/running$/ }, () => ({ path: "./wasm-task-run.js", external: true }));
  },
};

const cssText = {
  name: "css-text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/** `gluePath` is wasm-bindgen's `verirun.js`. */
export async function buildApi({ outdir, gluePath, common = {}, node = false }) {
  const options = { ...common, bundle: true, minify: true, format: "esm", outdir, logLevel: "warning" };
  // The glue would look for the module itself if it were not handed to it; a bundler must not follow that.
  // wasm-bindgen names a snippet once for each function that is imported from it.
  const logOverride = { "duplicate-object-key": "silent" };
  const worker = { ...options, plugins: [glue(gluePath)], define: { "import.meta.url": '""' }, logOverride };
  const inNode = { platform: "node", target: "node20" };
  await Promise.all([
    build({ ...options, entryPoints: { api: join(here, "browser.ts") } }),
    build({ ...worker, entryPoints: { "api-worker": join(here, "worker.ts") } }),
    build({ ...options, entryPoints: { "wasm-task": join(here, "../element/wasm-task.ts") }, plugins: [lazy, cssText] }),
    build({ ...options, entryPoints: { "wasm-task-run": join(here, "../element/running.ts") } }),
    ...(node
      ? [
          build({ ...options, ...inNode, entryPoints: { node: join(here, "node/index.ts") } }),
          build({ ...worker, ...inNode, entryPoints: { "node-worker": join(here, "node/worker.ts") } }),
        ]
      : []),
  ]);
}
