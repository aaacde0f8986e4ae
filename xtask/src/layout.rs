//! Where things are in the checkout.

use crate::process;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The two folders everything else is relative to.
pub struct Layout {
    /// The top of the checkout.
    pub root: PathBuf,
    /// Cargo's target directory: whatever the user's configuration says it is.
    pub target: PathBuf,
}

impl Layout {
    /// Asks cargo, so that `CARGO_TARGET_DIR` and every other way to move the target
    /// directory are respected.
    pub fn find() -> Result<Self> {
        // Set by `cargo run`; the compiled-in path serves a binary that is started by hand.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask has no parent folder")?
            .to_owned();
        let metadata = process::output(
            Command::new("cargo")
                .args(["metadata", "--no-deps", "--format-version=1"])
                .current_dir(&root),
        )?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target directory")?
            .into();
        Ok(Self { root, target })
    }

    /// The finished site.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Tools that were installed for this checkout: `bin` below it holds the programs.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The built sample tasks, in the shape in which they are published.
    pub fn tasks(&self) -> PathBuf {
        self.target.join("tasks")
    }

    /// A program that cargo built for development, by its path in the folder of such builds.
    pub fn built(&self, name: &str) -> PathBuf {
        let program = format!("debug/{name}{}", std::env::consts::EXE_SUFFIX);
        self.target.join(program)
    }

    /// A path inside the checkout.
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// A command that runs at the top of the checkout.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// `cargo` at the top of the checkout.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(args);
        command
    }
}
