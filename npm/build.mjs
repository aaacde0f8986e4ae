/**
 * Makes the npm package out of a built site: `node npm/build.mjs dist target/npm`. `cargo xtask npm` runs it.
 * Leaves the package in `package/` and, packed, as `verirun.tgz`.
 */
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildApi } from "../www/api/build.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const [site, out] = process.argv.slice(2).map((path) => resolve(path));
if (!site || !out) {
  console.error("usage: node npm/build.mjs SITE OUT");
  process.exit(2);
}

const folder = join(out, "package");
await rm(folder, { recursive: true, force: true });
await mkdir(join(folder, "dist"), { recursive: true });

const target = ["chrome111", "firefox115", "safari16.4"];
await buildApi({ outdir: join(folder, "dist"), gluePath: join(site, "verirun.js"), common: { target }, node: true });
for (const part of ["verirun_bg.wasm", "verirun_rest.wasm"]) await copyFile(join(site, part), join(folder, "dist", part));

// The types are those that the sources have.
const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--project", join(here, "tsconfig.json"), "--outDir", join(folder, "types")];
execFileSync(process.execPath, tsc, { stdio: "inherit", cwd: root });
const types = join(folder, "types");
const reached = new Set();
const follow = async (path) => {
  if (reached.has(path)) return;
  reached.add(path);
  const imported = [];
  // Under Node's own rules modules are named with their ending; our bundler does not ask for it.
  const named = (await readFile(path, "utf8")).replaceAll(/(from |import\()"(\.{1,2}\/[^"]+?)(?:\.js)?"/g, (_, how, name) => {
    imported.push(join(dirname(path), `${name}.d.ts`));
    return `${how}"${name}.js"`;
  });
  await writeFile(path, named);
  for (const next of imported) await follow(next);
};
for (const entry of ["api/browser", "api/node/index", "element/wasm-task"]) await follow(join(types, `${entry}.d.ts`));
for (const entry of await readdir(types, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (entry.isFile() && !reached.has(path)) await rm(path);
}

const { version } = /^\[workspace\.package\]\s+version = "(?<version>[^"]+)"/m.exec(await readFile(join(root, "Cargo.toml"), "utf8")).groups;
const about = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
await writeFile(join(folder, "package.json"), `${JSON.stringify({ ...about, version }, null, 2)}\n`);
await copyFile(join(here, "README.md"), join(folder, "README.md"));
execFileSync(process.execPath, [join(root, "www/licenses.mjs"), folder, "--package"], { stdio: "inherit" });

const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const packed = execFileSync(npm, ["pack", "--json", "--pack-destination", out], { cwd: folder, encoding: "utf8", shell: process.platform === "win32" });
const [{ filename, size, files }] = JSON.parse(packed);
await rename(join(out, filename), join(out, "verirun.tgz"));
console.error(`${join(out, "verirun.tgz")}: verirun ${version}, ${files.length} files, ${Math.round(size / 1000)} kB`);
