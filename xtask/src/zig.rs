//! zig, for its C and C++ compilers (it brings clang and the libraries for WASI in one Python package) and for Zig.
//!
//! Nothing else compiles C for WASI from a registry that every system has. The guests and sample tasks in these
//! languages and QuickJS are built with it.

use crate::layout::Layout;
use crate::pip;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version on PyPI.
const VERSION: &str = "0.17.1";

/// Makes sure that zig is there, in `target/tools/zig`; returns the program.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    let program = format!("ziglang/zig{}", std::env::consts::EXE_SUFFIX);
    pip::ensure(layout, "zig", "ziglang", VERSION, &program)
}

/// `zig cc` for WASI.
pub fn cc(layout: &Layout, zig: &Path) -> Command {
    command(layout, zig, "cc")
}

/// `zig c++` for WASI.
pub fn cxx(layout: &Layout, zig: &Path) -> Command {
    command(layout, zig, "c++")
}

/// `zig build-exe` for WASI.
pub fn build_exe(layout: &Layout, zig: &Path) -> Command {
    command(layout, zig, "build-exe")
}

/// With zig's cache beside it: what it made of the C library serves every checkout's next build.
fn command(layout: &Layout, zig: &Path, what: &str) -> Command {
    let cache = layout.tools().join("zig-cache");
    let mut command = layout.command(zig);
    command
        .args([what, "-target", "wasm32-wasi"])
        .env("ZIG_GLOBAL_CACHE_DIR", &cache)
        .env("ZIG_LOCAL_CACHE_DIR", &cache);
    command
}
