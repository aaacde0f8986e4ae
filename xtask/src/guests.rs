//! Building the test programs in `tests/guests`: Rust, C, and AssemblyScript.

use crate::layout::Layout;
use crate::{node, outdated, process, tools, zig};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Builds all of them below `target/guests`.
pub fn build(layout: &Layout) -> Result<()> {
    rust(layout, &["--workspace"], "guests")?;
    // Once more for `wasi_unstable`, in a folder of its own: programs of the same names.
    rust(
        layout,
        &["--package=guests", "--features=unstable"],
        "guests-unstable",
    )?;
    c(layout)?;
    assemblyscript(layout)
}

fn rust(layout: &Layout, what: &[&str], target: &str) -> Result<()> {
    tools::ensure_targets(layout)?;
    process::run(
        layout
            .cargo(&["build", "--release", "--target=wasm32-wasip1"])
            .args(what)
            .arg("--manifest-path")
            .arg(layout.at("tests/guests/Cargo.toml"))
            .arg("--target-dir")
            .arg(layout.target.join(target)),
    )
}

fn c(layout: &Layout) -> Result<()> {
    let folder = layout.at("tests/guests/c");
    let out = layout.target.join("guests/c");
    let zig = zig::ensure(layout)?;
    for (source, program) in programs(&folder, "c", &out)? {
        outdated::build(&program, &folder, |unfinished| {
            process::run(
                zig::cc(layout, &zig)
                    .args([
                        "-std=gnu17",
                        "-D_GNU_SOURCE",
                        "-O1",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-s",
                    ])
                    .arg(&source)
                    .arg("-o")
                    .arg(unfinished),
            )
        })?;
    }
    Ok(())
}

fn assemblyscript(layout: &Layout) -> Result<()> {
    let folder = layout.at("tests/guests/assembly");
    let out = layout.target.join("guests/assembly");
    node::ensure(layout)?;
    for (source, program) in programs(&folder, "ts", &out)? {
        outdated::build(&program, &folder, |unfinished| {
            // Without a host's `abort`: a guest imports WASI and nothing else.
            process::run(
                node::command(layout, &["node_modules/assemblyscript/bin/asc.js"])
                    .arg(&source)
                    .args(["--runtime", "stub", "--exportStart", "_start"])
                    .args(["--optimizeLevel", "1"])
                    .args(["--use", "abort=tests/guests/assembly/lib/suite/abort"])
                    .arg("--outFile")
                    .arg(unfinished),
            )
        })?;
    }
    Ok(())
}

/// The sources in `folder` that end in `extension`, each with its program in `out`.
fn programs(folder: &Path, extension: &str, out: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut sources = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let source = entry?.path();
        if source.extension().is_none_or(|found| found != extension) {
            continue;
        }
        let name = source.file_stem().context("a source has a name")?;
        let program = out.join(name).with_extension("wasm");
        sources.push((source, program));
    }
    sources.sort();
    Ok(sources)
}
