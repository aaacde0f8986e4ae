//! Building the site.

use crate::layout::Layout;
use crate::{binaryen, node, process, shape, split, tasks, tools};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// How the site's wasm module is compiled. Every build of it goes through here, so this is
/// the one place to change it; native builds are never touched by it.
struct SiteBuild {
    /// Flags for rustc, for the target `wasm32-unknown-unknown` only.
    rustflags: &'static [&'static str],
    /// Further variables for cargo.
    env: &'static [(&'static str, &'static str)],
}

const SITE: SiteBuild = SiteBuild {
    // What refers to what, and names that say which crate is meant: for `split`, which leaves both out.
    rustflags: &["-Clink-arg=--emit-relocs", "-Csymbol-mangling-version=v0"],
    env: &[
        ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
        // A fifth smaller; Cargo.toml excepts what runs a task.
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ],
};

/// What a first visit needs of the module: it shows a program and what the lint finds, runs it on the browser's engine, and
/// lists files. The interpreter, the text format, archives, receipts and the story of a bad end come when they are used.
const PARTS: split::Plan<'_> = split::Plan {
    loader: "bringRest",
    first: &[
        "__wb*",
        "__externref_*",
        "start",
        "version",
        "onRest",
        "bringRest",
        "lint",
        "back",
        "suspends",
        "hostcalls_*",
        "hasher_*",
        "run_*",
        "task_new",
        "task_loadModule",
        "task_addDirectory",
        "task_createFile",
        "task_appendFile",
        "task_remove",
        "task_start",
        "task_keptAs",
        "task_isInstrumented",
        "task_takeKept",
        "task_toKeep",
    ],
    second: &[
        "wasmi::",
        "wasmi_core::",
        "wasmi_ir::",
        "wasmi_collections::",
        "core::ptr::drop_in_place::<wasmi::",
        "core::ptr::drop_in_place::<verirun::engine::interpreter::",
        "verirun::engine::interpreter::",
        "verirun::meter::profile",
        "wast::",
        "zip::",
        "zlib_rs::",
        "tar::",
        "verirun::fs::archive::",
        "gimli::",
        "rustc_demangle::",
        "verirun::task::source",
        "verirun::task::module::Module>::source_place",
        "verirun::task::folder",
        "verirun::task::config",
        "verirun::bisect::",
        "verirun::checkpoint::",
        "ed25519_dalek::",
        "curve25519_dalek::",
        "serde_json_canonicalizer::",
        "verirun::receipt::package",
        "verirun::receipt::link",
        "verirun::receipt::parse",
        "verirun::receipt::signature",
        "verirun::receipt::rerun",
        "verirun::receipt::compare",
        "verirun::receipt::format",
        "verirun::receipt::given",
        "verirun::receipt::checkpoints",
        "verirun::receipt::tree",
    ],
};

/// Gives a command that may compile for the browser what the site is compiled with.
pub fn configure(command: &mut Command) -> &mut Command {
    if !SITE.rustflags.is_empty() {
        command.env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            SITE.rustflags.join(" "),
        );
    }
    command.envs(SITE.env.iter().copied())
}

/// Builds everything that is published into `dist/`.
pub fn build(layout: &Layout) -> Result<()> {
    tools::ensure_targets(layout)?;
    let path = tools::ensure(layout)?;
    node::ensure(layout)?;
    tasks::build(layout)?;

    // Trunk runs offline, so that it takes the wasm-bindgen on PATH and never downloads one;
    // what cargo needs is therefore fetched before.
    process::run(&mut layout.cargo(&[
        "fetch",
        "--quiet",
        "--locked",
        "--target=wasm32-unknown-unknown",
    ]))?;
    let mut trunk = layout.command(tool_on(&path, "trunk")?);
    trunk
        .args(["build", "--offline"])
        .env("PATH", &path)
        // Trunk 0.21 takes only `true` and `false` here and stops at the usual `1`.
        .env_remove("NO_COLOR");
    process::run(configure(&mut trunk))?;
    split_module(layout)?;

    copy_folder(&layout.tasks(), &layout.dist().join("tasks"))?;
    process::run(node::command(layout, &["www/licenses.mjs"]).arg(layout.dist()))?;
    // Again, and last: it writes the digests of what it names, and the service worker has those of everything.
    process::run(node::command(layout, &["www/build.mjs"]).arg(layout.dist()))?;
    eprintln!("The site is in {}", layout.dist().display());
    Ok(())
}

/// Splits the module in `dist/`, and shapes the interpreter for browsers; `target/split.txt` lists what the first part consists
/// of.
fn split_module(layout: &Layout) -> Result<()> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let path = layout.dist().join("verirun_bg.wasm");
    let linked = layout
        .target
        .join("wasm32-unknown-unknown/release/verirun.wasm");
    let parts = split::split(&read(&path)?, &read(&linked)?, &PARTS)?;
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write(&path, &parts.first)?;
    let rest = layout.dist().join("verirun_rest.wasm");
    shape_interpreter(layout, &parts.second, &rest)?;
    write(&layout.target.join("split.txt"), parts.report.as_bytes())
}

/// Writes a module to `path` with its interpreter shaped for browsers.
pub fn shape_interpreter(layout: &Layout, wasm: &[u8], path: &Path) -> Result<()> {
    let write = |bytes: &[u8]| {
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write(&shape::shape(wasm)?)?;
    binaryen::optimize(layout, binaryen::SITE, path, path)?;
    let optimized =
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    write(&shape::hint(&optimized)?)
}

/// Windows looks programs up on our own PATH, not on the one the child gets.
pub fn tool_on(path: &std::ffi::OsStr, name: &str) -> Result<std::path::PathBuf> {
    let folders: Vec<_> = std::env::split_paths(path).collect();
    process::find(name, &folders).with_context(|| format!("{name} is not on PATH"))
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let entries =
        std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot copy to {}", target.display()))?;
        }
    }
    Ok(())
}
