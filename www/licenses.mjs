/**
 * Writes `licenses.txt` into a built site: the licence texts of everything by others that is published with it, as its
 * authors ship them. `node www/licenses.mjs dist`; with `--package` only what the npm package has of that.
 *
 * What is in it comes from the builds themselves: cargo tells which crates are compiled in, esbuild which packages are
 * bundled. So a dependency that is added is added here too, and one without a licence stops the build.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import spdx from "spdx-license-list/full.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const TEXTS = /^(licen[cs]e|copying|copyright|notice|unlicense|.*[-_.]licen[cs]e$)/i;

/** Workspaces whose crates end in published modules, and for which target they are compiled; `also`: whose other sources do. */
const CRATES = [
  { manifest: "Cargo.toml", target: "wasm32-unknown-unknown", roots: ["verirun"], also: [], options: ["--no-default-features"] },
  { manifest: "tasks/Cargo.toml", target: "wasm32-wasip1", roots: null, also: ["rquickjs-sys"], options: [] },
  { manifest: "tasks/runtimes/python/Cargo.toml", target: "wasm32-wasip1", roots: null, also: ["rustpython-pylib"], options: [] },
];

/** What each bundle is made of (www/build.mjs, www/api/build.mjs, www/embedding/build.mjs). */
const PACKAGE = ["api/worker.ts", "api/browser.ts", "api/node/index.ts", "api/node/worker.ts", "element/wasm-task.ts"];
const BUNDLES = [...PACKAGE, "main.ts", "worker/site.ts", "early.ts", "embedding/page.ts", "app.css"];

/** What compilers put into the modules of samples. Each is there if its compiler was fetched. */
const LIBRARIES = [
  { name: "Go's runtime and library", folder: "target/tools/go", under: /dist-info\/licenses$/ },
  { name: "wasi-libc", folder: "target/tools/zig/ziglang/lib/libc/wasi" },
  { name: "libc++ (LLVM)", folder: "target/tools/zig/ziglang/lib/libcxx" },
  { name: "Zig's library", folder: "target/tools/zig/ziglang" },
  { name: "AssemblyScript's runtime", folder: "node_modules/assemblyscript" },
];

/** The licences in a folder, and in the folders in it if `deep`: a crate may have another project's sources in one. */
function textsIn(folder, deep = false) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return TEXTS.test(entry.name) ? [readFileSync(path, "utf8")] : [];
    if (!entry.isDirectory()) return [];
    if (TEXTS.test(entry.name)) return readdirSync(path).map((name) => readFileSync(join(path, name), "utf8"));
    return deep ? textsIn(path) : [];
  });
}

function metadata(manifest, options) {
  const args = ["metadata", "--format-version=1", "--locked", `--manifest-path=${join(root, manifest)}`, ...options];
  return JSON.parse(execFileSync("cargo", args, { cwd: root, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] }));
}

function crates({ manifest, target, roots, also, options }) {
  const { packages, resolve: graph, workspace_members: members } = metadata(manifest, [`--filter-platform=${target}`, ...options]);
  const byId = new Map(packages.map((one) => [one.id, one]));
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const rest = members.filter((id) => roots === null || roots.includes(byId.get(id).name));
  const found = new Set(rest);
  for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      // What only builds or tests it is not in the module.
      if (found.has(pkg) || !kinds.some(({ kind }) => kind === null)) continue;
      found.add(pkg);
      rest.push(pkg);
    }
  }
  const more = also.length > 0 ? metadata(manifest, []).packages.filter(({ name, id }) => also.includes(name) && !found.has(id)) : [];
  const others = [...found].map((id) => byId.get(id)).filter(({ source }) => source !== null).concat(more);
  return others.map((one) => {
    const folder = dirname(one.manifest_path);
    const named = one.license_file ? [readFileSync(join(folder, one.license_file), "utf8")] : [];
    return { name: `${one.name} ${one.version}`, license: one.license, authors: one.authors, texts: [...textsIn(folder, true), ...named] };
  });
}

async function npmPackages(bundles) {
  const { metafile } = await build({
    entryPoints: bundles.map((name) => join(here, name)),
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    splitting: true,
    outdir: "out",
    loader: { ".wat": "text" },
    external: ["verirun-glue", "node:*"],
        absWorkingDir: root,
    logLevel: "error",
  });
  const folders = new Set(Object.keys(metafile.inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  return [...folders].sort().map((folder) => {
    const { name, version, license, author } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    return { name: `${name} ${version}`, license, authors: [typeof author === "object" ? author.name : author].filter(Boolean), texts: textsIn(join(root, folder)) };
  });
}

/** Of the toolchain that compiles the crates. */
function rustLibrary() {
  const sysroot = execFileSync("rustc", ["--print=sysroot"], { cwd: root, encoding: "utf8" }).trim();
  const folder = join(sysroot, "share/doc/rust/licenses");
  const texts = ["MIT.txt", "Apache-2.0.txt"].map((name) => join(folder, name)).filter(existsSync).map((path) => readFileSync(path, "utf8"));
  return { name: "Rust's standard library", license: "MIT OR Apache-2.0", authors: ["The Rust Project Contributors"], texts };
}

function libraries() {
  return LIBRARIES.flatMap(({ name, folder, under }) => {
    const path = join(root, folder);
    if (!existsSync(path)) return [];
    const folders = under ? readdirSync(path, { recursive: true }).map(String).filter((name) => under.test(name)).map((name) => join(path, name)) : [path];
    const texts = folders.flatMap((one) => (under ? readdirSync(one).map((name) => readFileSync(join(one, name), "utf8")) : textsIn(one)));
    return [{ name, license: null, authors: [], texts }];
  });
}

const plain = (text) => text.replaceAll("\r\n", "\n").trim();

/** Some packages leave their licence's text in their repository: then it is the one that SPDX has under that name. */
function standard(license, authors) {
  const known = license.split(/\s+(?:OR|AND|WITH)\s+|[()/]/).flatMap((id) => spdx[id]?.licenseText ?? []);
  if (known.length === 0) throw new Error(`no text of the licence ${license} is known`);
  const by = authors.length > 0 ? `Its authors, as its package names them: ${authors.join(", ")}.\n\n` : "";
  return known.map((text) => `${by}${text}`);
}

/** Each text once, with everything that it is the licence of. */
function notices(all) {
  const byText = new Map();
  for (const { name, license, authors, texts } of all) {
    const own = texts.length > 0 ? texts : standard(license, authors);
    for (const text of own.map(plain)) {
      const users = byText.get(text) ?? new Set();
      byText.set(text, users.add(license ? `${name} (${license})` : name));
    }
  }
  const line = "=".repeat(80);
  const parts = [...byText].map(([text, users]) => `${line}\n${[...users].sort().join("\n")}\n${"-".repeat(80)}\n${text}\n`);
  return `What Verirun's ${isPackage ? "package" : "site"} has of others, and their licences. Verirun itself is under MIT or Apache-2.0, as you like.\n\n${parts.sort().join("\n")}`;
}

const [site, option] = process.argv.slice(2);
const isPackage = option === "--package";
if (!site) {
  console.error("www/licenses.mjs: no folder given");
  process.exit(2);
}
const all = isPackage
  ? [...crates(CRATES[0]), ...(await npmPackages(PACKAGE)), rustLibrary()]
  : [...CRATES.flatMap(crates), ...(await npmPackages(BUNDLES)), rustLibrary(), ...libraries()];
const nameless = all.filter(({ license, texts }) => !license && texts.length === 0);
if (nameless.length > 0) {
  console.error(`www/licenses.mjs: without any licence: ${nameless.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
const path = join(resolve(site), "licenses.txt");
writeFileSync(path, notices(all));
console.error(`${relative(process.cwd(), path)}: the licences of ${all.length} parts`);
