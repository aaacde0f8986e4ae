//! binaryen's `wasm-opt`, which npm has compiled to WebAssembly.

use crate::layout::Layout;
use crate::{node, process};
use anyhow::Result;
use std::path::Path;

/// What the site's interpreter gains by. All of `-O3` takes minutes and gains no more: it is how `br_if` and blocks that rustc
/// leaves become `if` that shortens the ways of V8's code (docs/interpreter-build.md).
pub const SITE: &[&str] = &[
    "--merge-blocks",
    "--remove-unused-brs",
    "--optimize-instructions",
    "--vacuum",
];

/// What rustc takes for granted in a browser, and SIMD, which is asked for where it is used. No more, so that nothing else gets
/// in; relaxed SIMD would compute different things on different machines.
const FEATURES: &[&str] = &[
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
    "--enable-tail-call",
];

/// Has `from` optimised into `to`, which may be the same file.
pub fn optimize(layout: &Layout, passes: &[&str], from: &Path, to: &Path) -> Result<()> {
    let wasm_opt = layout.at("node_modules/binaryen/bin/wasm-opt");
    let mut command = node::command(layout, &[]);
    command.arg(wasm_opt).arg(from).arg("-o").arg(to);
    command.args(passes).args(FEATURES);
    process::run(&mut command)
}
