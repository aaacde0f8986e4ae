//! binaryen's `wasm-opt`, which npm has compiled to WebAssembly.

use crate::layout::Layout;
use crate::{node, process};
use anyhow::{Context, Result};
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
    node::ensure(layout)?;
    let wasm_opt = layout.at("node_modules/binaryen/bin/wasm-opt");
    let mut command = node::command(layout, &[]);
    command.arg(wasm_opt).arg(from).arg("-o").arg(to);
    // `--mvp-features` among them forgets those before it.
    command.args(FEATURES).args(passes);
    process::run(&mut command)
}

/// What decides, besides the module, what [`optimize`] makes of it. binaryen is the one of `package-lock.json`, since
/// `node_modules` is made to be what that says before anything is optimised.
pub fn recipe(layout: &Layout, passes: &[&str]) -> Result<String> {
    let path = layout.at("package-lock.json");
    let lock = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lock: serde_json::Value = serde_json::from_slice(&lock)
        .with_context(|| format!("{} is not as npm writes it", path.display()))?;
    let version = lock["packages"]["node_modules/binaryen"]["version"]
        .as_str()
        .with_context(|| format!("{} names no binaryen", path.display()))?;
    Ok([&["binaryen", version], passes, FEATURES]
        .concat()
        .join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout with a file and nothing else.
    fn checkout(name: &str, lock: Option<&str>) -> Layout {
        let name = format!("verirun-binaryen-{name}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&root).unwrap();
        if let Some(lock) = lock {
            std::fs::write(root.join("package-lock.json"), lock).unwrap();
        }
        Layout {
            target: root.join("target"),
            root,
        }
    }

    #[test]
    fn another_binaryen_is_another_recipe() {
        let recipe = |version: &str, passes: &[&str]| {
            let lock = format!(
                r#"{{"packages": {{"node_modules/binaryen": {{"version": "{version}"}}}}}}"#
            );
            let layout = checkout("recipe", Some(&lock));
            let recipe = super::recipe(&layout, passes).unwrap();
            std::fs::remove_dir_all(layout.root).unwrap();
            recipe
        };
        let one = recipe("1.0.0", SITE);
        assert_ne!(one, recipe("1.0.1", SITE));
        assert_ne!(one, recipe("1.0.0", &["-O4"]));
        assert_eq!(one, recipe("1.0.0", SITE));
        for part in [SITE, FEATURES].concat() {
            assert!(one.contains(part), "{part}");
        }
    }

    #[test]
    fn installs_binaryen_first() {
        // Only where nothing would be installed that the system lacks.
        if process::find("node", &[]).is_none() || node::npm().is_none() {
            return;
        }
        let layout = checkout("clean", None);
        let error = optimize(&layout, SITE, Path::new("from"), Path::new("to")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read package-lock.json");
        std::fs::remove_dir_all(layout.root).unwrap();
    }
}
