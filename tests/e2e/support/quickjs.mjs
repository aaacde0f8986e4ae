/**
 * QuickJS's command line for WASI. No registry has it as a program that needs nothing but preview1, so it is compiled
 * here, once: its sources come with a crate, the one that tasks in JavaScript are built with, and a C compiler for WASI
 * (zig's) with a Python package. All of it stays under target/tools.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CRATE = "rquickjs-sys";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const tools = join(root, "target/tools");

/** The command line, what it needs from the C library, and the two scripts that are built into it. */
const SOURCES = ["qjs.c", "quickjs.c", "quickjs-libc.c", "libregexp.c", "libunicode.c", "dtoa.c", "gen/repl.c", "gen/standalone.c"];
const FLAGS = [
  "-target",
  "wasm32-wasi",
  "-O2",
  "-w",
  "-D_GNU_SOURCE",
  "-DQUICKJS_NG_BUILD",
  "-D_WASI_EMULATED_PROCESS_CLOCKS",
  "-D_WASI_EMULATED_SIGNAL",
  "-lwasi-emulated-process-clocks",
  "-lwasi-emulated-signal",
  // Its parser and its interpreter recurse; the linker's usual 64 KiB is too little for them.
  "-Wl,-z,stack-size=2097152",
];

/** Runs a program; returns what it printed. */
function run(what, program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (status === 0) return stdout;
  const detail = error?.message ?? stderr.trim().split("\n").slice(-5).join("\n");
  throw new Error(`QuickJS could not be built: ${what} (\`${program}\`): ${detail}`);
}

/** The compiler: xtask installs it and prints where it is. */
const zig = () => run("xtask must install the C compiler", "cargo", ["xtask", "zig"], { cwd: root }).trim();

/** The crate: cargo has it already where the site was built, so nothing need be downloaded in the middle of tests. */
function crate() {
  const args = ["metadata", "--format-version=1", "--locked", "--manifest-path", join(root, "tasks/Cargo.toml")];
  const { packages } = JSON.parse(run("cargo must tell where its sources are", "cargo", args, { cwd: root }));
  const found = packages.find(({ name }) => name === CRATE);
  if (!found) throw new Error(`QuickJS could not be built: tasks/ does not depend on ${CRATE} any more`);
  return { version: found.version, sources: join(dirname(found.manifest_path), "quickjs") };
}

/** Where the program is; it is built if it is not there yet. */
export function quickjs() {
  const { version, sources } = crate();
  const folder = join(tools, "quickjs");
  const program = join(folder, `qjs-${version}.wasm`);
  if (existsSync(program)) return program;
  const work = join(folder, "build");
  mkdirSync(work, { recursive: true });
  const unfinished = join(work, "qjs.wasm");
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(folder, "cache"), ZIG_LOCAL_CACHE_DIR: join(folder, "cache") };
  run("zig must compile it", zig(), ["cc", ...FLAGS, ...SOURCES, "-o", unfinished], { cwd: sources, env });
  // Only a whole program ever has the final name.
  renameSync(unfinished, program);
  return program;
}
