//! The specification's tests for browsers, in `target/spec`: for their own engines, and for the interpreter.

use crate::layout::Layout;
use crate::{process, site, tools};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Writes the tests with `program`, and compiles the interpreter that runs them: a module of its own, which takes what
/// was compiled for the site.
pub fn build(layout: &Layout, program: &Path) -> Result<()> {
    let out = layout.target.join("spec");
    process::run(Command::new(program).arg(&out))?;

    tools::ensure_targets(layout)?;
    let path = tools::ensure(layout)?;
    process::run(site::configure(&mut layout.cargo(&[
        "build",
        "--release",
        "--locked",
        "--package=verirun-spec",
        "--lib",
        "--target=wasm32-unknown-unknown",
    ])))?;
    let module = layout
        .target
        .join("wasm32-unknown-unknown/release/verirun_spec.wasm");
    let mut bind = layout.command(site::tool_on(&path, "wasm-bindgen")?);
    bind.args(["--target=web", "--no-typescript", "--out-dir"]);
    process::run(bind.arg(&out).arg(module))
}
