//! The specification's tests for browsers, in `target/spec`: for their own engines, and for the interpreter.

use crate::layout::Layout;
use crate::{process, site, tools};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;
use wasm_encoder::{Module, RawSection};
use wasmparser::{Parser, Payload};

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
    process::run(bind.arg(&out).arg(module))?;
    as_on_the_site(layout, &out.join("verirun_spec_bg.wasm"))
}

/// Does to the interpreter what is done to the site's, but for splitting the module in two.
fn as_on_the_site(layout: &Layout, path: &Path) -> Result<()> {
    let wasm = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    site::shape_interpreter(layout, &without_records(&wasm)?, path)
}

/// Leaves out the linker's record of what refers to what, which is for splitting, and would not fit any more.
fn without_records(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if matches!(payload, Payload::CustomSection(_)) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = &wasm[range.start as usize..range.end as usize];
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}
