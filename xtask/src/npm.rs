//! The npm package, made out of the built site.

use crate::layout::Layout;
use crate::{node, process};
use anyhow::{Result, ensure};

/// Packs what is in `dist/` into `target/npm/verirun.tgz`.
pub fn build(layout: &Layout) -> Result<()> {
    node::ensure(layout)?;
    let site = layout.dist();
    ensure!(
        site.join("verirun_bg.wasm").is_file(),
        "there is no site in {}; `cargo xtask build` makes it",
        site.display()
    );
    let mut command = node::command(layout, &["npm/build.mjs"]);
    process::run(command.arg(site).arg(layout.target.join("npm")))
}
