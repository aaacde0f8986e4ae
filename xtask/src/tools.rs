//! Trunk, wasm-bindgen and the Rust targets: found if they fit, else installed.
//!
//! Nothing is installed for the whole machine: programs go to `target/tools/bin`, once.

use crate::layout::Layout;
use crate::process;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// The targets that `rust-toolchain.toml` names: the site's and the guests'.
const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip1"];

/// A program that can be built with cargo.
struct Tool {
    /// What the program is called.
    program: &'static str,
    /// The crate that holds it.
    package: &'static str,
    /// The version that is installed where none fits.
    version: String,
    /// Whether a version that was found will do.
    fits: fn(found: &str, wanted: &str) -> bool,
    /// Arguments that leave out what we never use. wasm-bindgen-cli also goes without
    /// `--locked`, because the lock file it was published with names a yanked crate.
    trim: &'static [&'static str],
    /// Minutes it took to build like this on two cores.
    minutes: u32,
}

/// Makes sure that Trunk and wasm-bindgen are there; returns a PATH on which they come first.
pub fn ensure(layout: &Layout) -> Result<OsString> {
    let bin = layout.tools().join("bin");
    let wanted = [
        Tool {
            program: "trunk",
            package: "trunk",
            version: "0.21.14".to_owned(),
            // Trunk.toml uses nothing that differs between the patch releases.
            fits: |found, _| found.starts_with("0.21."),
            // Without TLS and the update check: it only ever works on local files here.
            trim: &["--locked", "--no-default-features"],
            minutes: 6,
        },
        Tool {
            program: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            version: locked_version(layout, "wasm-bindgen")?,
            // Its file format changes with every release.
            fits: |found, wanted| found == wanted,
            trim: &["--bin=wasm-bindgen", "--no-default-features"],
            minutes: 2,
        },
    ];
    let missing: Vec<&Tool> = wanted
        .iter()
        .filter(|tool| locate(tool, &bin).is_none())
        .collect();
    if !missing.is_empty() {
        install(layout, &missing)?;
    }

    let mut folders = Vec::new();
    for tool in &wanted {
        let found = locate(tool, &bin)
            .with_context(|| format!("{} {} is still not there", tool.package, tool.version))?;
        folders.extend(found.parent().map(PathBuf::from));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    std::env::join_paths(folders).context("a folder with tools has a name that PATH cannot hold")
}

/// Makes sure that the Rust targets are there.
///
/// rustup installs what `rust-toolchain.toml` lists, unless it was told not to, or the
/// toolchain was chosen by other means.
pub fn ensure_targets(layout: &Layout) -> Result<()> {
    let sysroot = process::output(layout.command("rustc").args(["--print", "sysroot"]))?;
    let rustlib = PathBuf::from(sysroot.trim()).join("lib/rustlib");
    for target in TARGETS {
        if rustlib.join(target).is_dir() {
            continue;
        }
        if process::find("rustup", &[]).is_none() {
            bail!(
                "the Rust target {target} is missing, and there is no rustup to add it; \
                 install rustup from https://rustup.rs, or {target} with your system's packages"
            );
        }
        process::run(layout.command("rustup").args(["target", "add", target]))?;
    }
    Ok(())
}

/// The version of a package in Cargo.lock.
fn locked_version(layout: &Layout, package: &str) -> Result<String> {
    let path = layout.at("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    find_locked(&lock, package)
        .with_context(|| format!("Cargo.lock has no package {package}"))
        .map(str::to_owned)
}

/// Cargo writes `name` and `version` on two successive lines.
fn find_locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name)?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

/// The program, if a version that fits is in our folder or on PATH.
fn locate(tool: &Tool, bin: &std::path::Path) -> Option<PathBuf> {
    // Ours first, and then whatever PATH has first: a version that does not fit hides
    // later ones from Trunk just as it does from us.
    for folders in [vec![bin.to_owned()], Vec::new()] {
        let Some(found) = process::find(tool.program, &folders) else {
            continue;
        };
        // «trunk 0.21.14», «wasm-bindgen 0.2.130»
        let printed = process::version(&found, &["--version"]).unwrap_or_default();
        let version = printed.split_whitespace().nth(1).unwrap_or_default();
        if (tool.fits)(version, &tool.version) {
            return Some(found);
        }
    }
    None
}

fn install(layout: &Layout, missing: &[&Tool]) -> Result<()> {
    let root = layout.tools();
    let binstall = process::version("cargo", &["binstall", "-V"]).is_some();
    let minutes: u32 = missing.iter().map(|tool| tool.minutes).sum();
    let names: Vec<String> = missing
        .iter()
        .map(|tool| format!("{} {}", tool.package, tool.version))
        .collect();
    eprintln!(
        "Installing {} into {}.",
        names.join(" and "),
        root.display()
    );
    if !binstall {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        eprintln!(
            "They are built from source, once: {minutes} minutes on two cores \
             (this machine has {cores}). Much faster: put them on PATH, or install cargo-binstall."
        );
    }
    for tool in missing {
        let started = Instant::now();
        if binstall && install_prebuilt(layout, tool).is_ok() {
            continue;
        }
        eprintln!("Building {} {} …", tool.package, tool.version);
        install_from_source(layout, tool)?;
        let seconds = started.elapsed().as_secs();
        eprintln!(
            "{} was built in {} min {} s.",
            tool.package,
            seconds / 60,
            seconds % 60
        );
    }
    // Hundreds of megabytes that nothing needs any more.
    let _ = std::fs::remove_dir_all(root.join("build"));
    Ok(())
}

/// The makers' own release builds; never a build by cargo-binstall, which would not be trimmed.
fn install_prebuilt(layout: &Layout, tool: &Tool) -> Result<()> {
    process::run(
        layout
            .cargo(&[
                "binstall",
                "--no-confirm",
                "--disable-strategies=quick-install,compile",
            ])
            .arg("--root")
            .arg(layout.tools())
            .arg(format!("{}@{}", tool.package, tool.version)),
    )
}

fn install_from_source(layout: &Layout, tool: &Tool) -> Result<()> {
    // Outside the checkout's configuration: its flags are for the site.
    let mut command = Command::new("cargo");
    command
        .arg("install")
        .arg(tool.package)
        .arg(format!("--version={}", tool.version))
        .args(tool.trim)
        .arg("--root")
        .arg(layout.tools())
        // A build that was interrupted goes on where it stopped.
        .arg("--target-dir")
        .arg(layout.tools().join("build"))
        .current_dir(&layout.root)
        // These tools run for seconds; their own speed is not worth minutes of optimising.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::find_locked;

    #[test]
    fn reads_a_version_from_a_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-shared\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(find_locked(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(find_locked(lock, "wasm"), None);
    }
}
