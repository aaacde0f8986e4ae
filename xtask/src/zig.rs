//! zig, for its C compiler: it brings clang and a C library for WASI in one Python package.
//!
//! Nothing else compiles C for WASI from a registry that every system has. The guests in C and the end-to-end tests'
//! QuickJS are built with it.

use crate::browser;
use crate::layout::Layout;
use crate::process;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version on PyPI.
const VERSION: &str = "0.17.1";

/// What to type where we cannot install Python ourselves.
const HOW: &str = "install Python 3 with pip (Debian: apt-get install python3-pip; macOS: brew install python; \
                   Windows: winget install Python.Python.3.13), or set PYTHON to its program";

/// Makes sure that zig is there, in `target/tools/zig`; returns the program.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    let folder = layout.tools().join("zig");
    let program = folder
        .join("ziglang")
        .join(format!("zig{}", std::env::consts::EXE_SUFFIX));
    let stamp = folder.join("version");
    if program.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == VERSION) {
        return Ok(program);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let python = python()?;
    process::run(
        layout
            .command(&python)
            .args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .args(["--only-binary=:all:", "--target"])
            .arg(&folder)
            .arg(format!("ziglang=={VERSION}")),
    )
    .with_context(|| format!("pip must install ziglang {VERSION} from PyPI"))?;
    std::fs::write(&stamp, VERSION).context("cannot write the stamp beside zig")?;
    Ok(program)
}

/// `zig cc` for WASI, with its cache beside it: what it made of the C library serves every checkout's next build.
pub fn cc(layout: &Layout, zig: &Path) -> Command {
    let cache = layout.tools().join("zig-cache");
    let mut command = layout.command(zig);
    command
        .args(["cc", "-target", "wasm32-wasi"])
        .env("ZIG_GLOBAL_CACHE_DIR", &cache)
        .env("ZIG_LOCAL_CACHE_DIR", &cache);
    command
}

fn python() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("PYTHON") {
        return Ok(chosen.into());
    }
    let find = || {
        ["python3", "python"]
            .iter()
            .filter_map(|name| process::find(name, &[]))
            .find(|program| process::version(program, &["-m", "pip", "--version"]).is_some())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    browser::apt_install(&["python3-pip"])
        .with_context(|| format!("Python 3 with pip is missing; {HOW}"))?;
    find().with_context(|| format!("Python 3 with pip is missing; {HOW}"))
}
