//! Node.js and the packages that the page is bundled with.

use crate::browser;
use crate::layout::Layout;
use crate::process;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// The oldest Node.js that runs what we use (AssemblyScript; esbuild and the built-in test runner need less).
const OLDEST: u32 = 20;

/// What to type where we cannot install Node.js ourselves.
const HOW: &str = "install Node.js 20 or later from https://nodejs.org or with your system's \
                   packages (Debian: apt-get install nodejs npm; macOS: brew install node; \
                   Windows: winget install OpenJS.NodeJS.LTS)";

/// Makes sure that Node.js is there and `node_modules` is what `package-lock.json` says.
pub fn ensure(layout: &Layout) -> Result<()> {
    if process::find("node", &[]).is_none() || npm().is_none() {
        browser::apt_install(&["nodejs", "npm"])
            .with_context(|| format!("Node.js is missing; {HOW}"))?;
    }
    check_version()?;

    let lock =
        std::fs::read(layout.at("package-lock.json")).context("cannot read package-lock.json")?;
    let stamp = layout.at("node_modules/.installed-from");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let npm = npm().with_context(|| format!("npm is missing; {HOW}"))?;
    // No package that we use needs its install script, so none gets to run.
    process::run(
        layout
            .command(npm)
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]),
    )?;
    std::fs::write(&stamp, lock).context("cannot write the stamp into node_modules")
}

/// Runs a script with Node.js at the top of the checkout.
pub fn command(layout: &Layout, args: &[&str]) -> Command {
    let mut command = layout.command("node");
    command.args(args);
    command
}

fn check_version() -> Result<()> {
    let printed = process::version("node", &["--version"])
        .with_context(|| format!("Node.js does not run; {HOW}"))?;
    let major = printed
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => bail!("Node.js {printed} is too old (at least {OLDEST} is needed); {HOW}"),
    }
}

/// On Windows npm is a script, which only starts under its full name.
pub fn npm() -> Option<std::path::PathBuf> {
    if cfg!(windows) {
        let path = std::env::var_os("PATH")?;
        return std::env::split_paths(&path)
            .map(|folder| folder.join("npm.cmd"))
            .find(|candidate| candidate.is_file());
    }
    process::find("npm", &[])
}
