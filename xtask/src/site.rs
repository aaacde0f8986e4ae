//! Building the site.

use crate::layout::Layout;
use crate::{node, process, tasks, tools};
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
    rustflags: &[],
    // The names of functions are a fifth of the module, and only we would ever read them.
    env: &[("CARGO_PROFILE_RELEASE_STRIP", "symbols")],
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

    copy_folder(&layout.tasks(), &layout.dist().join("tasks"))?;
    process::run(node::command(layout, &["www/licenses.mjs"]).arg(layout.dist()))?;
    // Last, because it has the digest of everything.
    process::run(node::command(layout, &["www/offline/build.mjs"]).arg(layout.dist()))?;
    eprintln!("The site is in {}", layout.dist().display());
    Ok(())
}

/// Windows looks programs up on our own PATH, not on the one the child gets.
fn tool_on(path: &std::ffi::OsStr, name: &str) -> Result<std::path::PathBuf> {
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
