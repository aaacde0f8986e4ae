//! The builds of the interpreter that are compared, each `benches/harness` compiled in one way.

use crate::layout::Layout;
use crate::{binaryen, node, outdated, process, shape, tools};
use anyhow::{Context, Result, bail, ensure};
use std::hash::{DefaultHasher, Hash};
use std::path::{Path, PathBuf};

/// One way to compile wasmi for the browser.
pub struct Variant {
    /// Its name in tables.
    pub name: &'static str,
    /// What is special about it.
    pub about: &'static str,
    /// Features of the harness, which pass them on to wasmi.
    features: &'static str,
    /// Features of WebAssembly beyond those that rustc takes for granted.
    target_features: &'static str,
    /// `opt-level` of the release profile.
    opt_level: &'static str,
    /// Whether its loop is then shaped as the site's is.
    shaped: bool,
    /// What binaryen's `wasm-opt` makes of it at the end; nothing if there are none.
    passes: &'static [&'static str],
    /// Measured when no variant is named.
    pub usual: bool,
}

const LOOP: Variant = Variant {
    name: "loop",
    about: "a loop around one big `match`, all handlers inlined (`portable-dispatch`, `indirect-dispatch`)",
    features: "loop,indirect",
    target_features: "",
    opt_level: "3",
    shaped: false,
    passes: &[],
    usual: true,
};

const TAIL: Variant = Variant {
    name: "tail",
    about: "each handler tail-calls the next through its address (`unstable`: `become`)",
    features: "become",
    target_features: "+tail-call",
    ..LOOP
};

/// The site's passes, for a module that has relaxed SIMD in it: tinywasm takes it for what it is to interpret.
const RELAXED: &[&str] = &[
    "--merge-blocks",
    "--remove-unused-brs",
    "--optimize-instructions",
    "--vacuum",
    "--enable-relaxed-simd",
];

/// What the site ships.
const SHAPED: Variant = Variant {
    name: "shaped",
    about: "loop, then as the site has it: `xtask/src/shape` and some passes of `wasm-opt`",
    shaped: true,
    passes: binaryen::SITE,
    ..LOOP
};

/// All of them. The first is what the others are compared with.
pub const ALL: [Variant; 18] = [
    LOOP,
    SHAPED,
    Variant {
        name: "shaped-only",
        about: "loop, then `xtask/src/shape`, its hints too, and no `wasm-opt`",
        shaped: true,
        usual: false,
        ..LOOP
    },
    Variant {
        name: "passes-only",
        about: "loop, then the site's passes of `wasm-opt`, not shaped",
        passes: binaryen::SITE,
        usual: false,
        ..LOOP
    },
    Variant {
        name: "again",
        about: "loop a second time: what differs here is noise",
        ..LOOP
    },
    TAIL,
    Variant {
        name: "tail-indirect",
        about: "as tail, but operators hold a code that is looked up in a table (`indirect-dispatch`)",
        features: "become,indirect",
        ..TAIL
    },
    Variant {
        name: "pointers",
        about: "a loop that calls handlers through their address: wasmi's default here",
        features: "stable",
        ..LOOP
    },
    Variant {
        name: "loop-opt",
        about: "loop, then `wasm-opt -O4`",
        passes: &["-O4"],
        usual: false,
        ..LOOP
    },
    Variant {
        name: "tail-opt",
        about: "tail, then `wasm-opt -O4`",
        passes: &["-O4"],
        usual: false,
        ..TAIL
    },
    Variant {
        name: "loop-simd",
        about: "loop with `+simd128`",
        target_features: "+simd128",
        usual: false,
        ..LOOP
    },
    Variant {
        name: "tail-simd",
        about: "tail with `+simd128`",
        target_features: "+tail-call,+simd128",
        usual: false,
        ..TAIL
    },
    Variant {
        name: "loop-2",
        about: "loop with `opt-level = 2`",
        opt_level: "2",
        usual: false,
        ..LOOP
    },
    Variant {
        name: "tail-2",
        about: "tail with `opt-level = 2`",
        opt_level: "2",
        usual: false,
        ..TAIL
    },
    Variant {
        name: "loop-s",
        about: "loop with `opt-level = \"s\"`",
        opt_level: "s",
        usual: false,
        ..LOOP
    },
    Variant {
        name: "tail-s",
        about: "tail with `opt-level = \"s\"`",
        opt_level: "s",
        usual: false,
        ..TAIL
    },
    Variant {
        name: "tinywasm",
        about: "tinywasm, another interpreter, then the site's passes of `wasm-opt`, relaxed SIMD allowed",
        features: "loop,indirect,tinywasm",
        passes: RELAXED,
        usual: false,
        ..LOOP
    },
    Variant {
        name: "unsound",
        about: "tail calls that LLVM may make, or not (`+tail-call`, wasmi's default)",
        features: "stable",
        target_features: "+tail-call",
        usual: false,
        ..LOOP
    },
];

/// The build that the site ships.
pub fn shipped() -> &'static Variant {
    &SHAPED
}

/// Finds a variant by its name.
pub fn named(name: &str) -> Result<&'static Variant> {
    let known = || {
        let names: Vec<&str> = ALL.iter().map(|it| it.name).collect();
        format!("no variant `{name}`; there are {}", names.join(", "))
    };
    ALL.iter().find(|it| it.name == name).with_context(known)
}

impl Variant {
    /// Compiles it; returns its module. A few minutes the first time.
    pub fn build(&self, layout: &Layout) -> Result<PathBuf> {
        tools::ensure_targets(layout)?;
        let target = layout.target.join("bench/harness");
        eprintln!("\n── {}: {}", self.name, self.about);
        let mut command = layout.cargo(&[
            "build",
            "--release",
            "--locked",
            "--package=verirun-bench-harness",
            "--lib",
            "--target=wasm32-unknown-unknown",
            "--no-default-features",
        ]);
        command
            .args(["--features", self.features, "--target-dir"])
            .arg(&target)
            .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level);
        if !self.target_features.is_empty() {
            command.env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                format!("-Ctarget-feature={}", self.target_features),
            );
        }
        if self.features.contains("become") {
            command.env("RUSTC_BOOTSTRAP", "wasmi");
        }
        process::run(&mut command)?;
        // Cargo gives all variants one name.
        let built = target.join("wasm32-unknown-unknown/release/verirun_bench_harness.wasm");
        let module = target.join(format!("{}.wasm", self.name));
        let optimized = target.join(format!("{}-optimized.wasm", self.name));
        let mut wasm =
            std::fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        if self.shaped {
            wasm = shape::shape(&wasm)?;
        }
        // `wasm-opt -O4` takes minutes: not again for the same input.
        let mut inputs = DefaultHasher::new();
        wasm.hash(&mut inputs);
        if !self.passes.is_empty() {
            binaryen::recipe(layout, self.passes)?.hash(&mut inputs);
        }
        let write = |path: &Path, wasm: &[u8]| {
            std::fs::write(path, wasm).with_context(|| format!("cannot write {}", path.display()))
        };
        outdated::make(&optimized, inputs, |path| {
            write(path, &wasm)?;
            match self.passes {
                [] => Ok(()),
                passes => binaryen::optimize(layout, passes, path, path),
            }
        })?;
        // Made each time, since what was optimised says nothing of whether the hints would be the same.
        let mut wasm = std::fs::read(&optimized)
            .with_context(|| format!("cannot read {}", optimized.display()))?;
        if self.shaped {
            wasm = shape::hint(&wasm)?;
        }
        let unfinished = module.with_extension("unfinished.wasm");
        write(&unfinished, &wasm)?;
        std::fs::rename(&unfinished, &module)
            .with_context(|| format!("cannot rename to {}", module.display()))?;
        Ok(module)
    }
}

/// Installs a package that only benchmarks need; returns its folder.
pub fn npm(layout: &Layout, name: &str, version: &str) -> Result<PathBuf> {
    let place = layout.target.join("bench/npm");
    let folder = place.join("node_modules").join(name);
    let manifest = std::fs::read(folder.join("package.json")).unwrap_or_default();
    let installed: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    if installed["version"] == version {
        return Ok(folder);
    }
    std::fs::create_dir_all(&place)?;
    let Some(npm) = node::npm() else {
        bail!("npm is missing, and {name} comes with it");
    };
    process::run(
        layout
            .command(npm)
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .arg("--prefix")
            .arg(&place)
            .arg(format!("{name}@{version}")),
    )?;
    ensure!(folder.is_dir(), "npm did not install {name}");
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_with_the_site_gets_the_same_passes() {
        assert_eq!(&RELAXED[..binaryen::SITE.len()], binaryen::SITE);
        assert!(
            RELAXED[binaryen::SITE.len()..]
                .iter()
                .all(|it| it.starts_with("--enable-"))
        );
    }
}
