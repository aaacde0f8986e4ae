/** A part of the page that needs no browser, bundled from its TypeScript. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function load(path) {
  const entry = fileURLToPath(new URL(`../../../www/${path}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
