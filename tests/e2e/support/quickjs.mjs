/**
 * QuickJS's command line for WASI. No registry has it as a program that needs nothing but preview1, so it is compiled
 * here, once: its sources come with a crate, and a C compiler for WASI (zig's) with a Python package. All of it stays
 * under target/tools.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CRATE = "rquickjs-sys";
const CRATE_VERSION = "0.14.0";

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

function run(what, program, args, options = {}) {
  const { status, error, stderr } = spawnSync(program, args, { encoding: "utf8", ...options });
  if (status === 0) return;
  const detail = error?.message ?? stderr.trim().split("\n").slice(-5).join("\n");
  throw new Error(`QuickJS could not be built: ${what} (\`${program}\`): ${detail}`);
}

/** The compiler: xtask installs it and prints where it is. */
function zig() {
  const { status, error, stdout, stderr } = spawnSync("cargo", ["xtask", "zig"], { encoding: "utf8", cwd: root });
  if (status === 0) return stdout.trim();
  throw new Error(`QuickJS could not be built: \`cargo xtask zig\` must install the C compiler: ${error?.message ?? stderr}`);
}

/** The crate's sources: cargo downloads and checks them. */
function sources(work) {
  writeFileSync(
    join(work, "Cargo.toml"),
    `[package]\nname = "quickjs-sources"\nversion = "0.0.0"\nedition = "2024"\n[lib]\npath = "lib.rs"\n` +
      `[dependencies]\n${CRATE} = "=${CRATE_VERSION}"\n[workspace]\n`,
  );
  writeFileSync(join(work, "lib.rs"), "");
  run(`cargo must get ${CRATE} ${CRATE_VERSION} from crates.io`, "cargo", ["vendor", "--quiet", "vendor"], { cwd: work });
  return join(work, "vendor", CRATE, "quickjs");
}

/** Where the program is; it is built if it is not there yet. */
export function quickjs() {
  const folder = join(tools, "quickjs");
  const program = join(folder, `qjs-${CRATE_VERSION}.wasm`);
  if (existsSync(program)) return program;
  const work = join(folder, "build");
  mkdirSync(work, { recursive: true });
  const cwd = sources(work);
  const unfinished = join(work, "qjs.wasm");
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(folder, "cache"), ZIG_LOCAL_CACHE_DIR: join(folder, "cache") };
  run("zig must compile it", zig(), ["cc", ...FLAGS, ...SOURCES, "-o", unfinished], { cwd, env });
  // Only a whole program ever has the final name.
  renameSync(unfinished, program);
  return program;
}
