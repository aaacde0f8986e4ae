//! Compiling the sample tasks, each by the language that its source is in.

use crate::layout::Layout;
use crate::tasks::Task;
use crate::{go, node, outdated, process, runtimes, zig};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// What a task is written in, as its source's extension says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The text format, which is published as it is: whatever runs a task takes it.
    Text,
    /// A package of the workspace in `tasks/`.
    Rust,
    C,
    Cxx,
    Zig,
    Go,
    AssemblyScript,
    /// Interpreted, by the runtime of that name.
    Script(&'static str),
}

impl Language {
    /// The language of a source file.
    pub fn of(source: &str) -> Result<Self> {
        let extension = Path::new(source).extension().and_then(|it| it.to_str());
        Ok(match extension {
            Some("wat") => Self::Text,
            Some("rs") => Self::Rust,
            Some("c") => Self::C,
            Some("cpp") => Self::Cxx,
            Some("zig") => Self::Zig,
            Some("go") => Self::Go,
            Some("ts") => Self::AssemblyScript,
            Some("js") => Self::Script(runtimes::JAVASCRIPT),
            Some("py") => Self::Script(runtimes::PYTHON),
            _ => bail!("no language is known for the source {source}"),
        })
    }
}

/// Compiles all tasks as far as something changed.
pub fn compile(layout: &Layout, tasks: &[Task]) -> Result<()> {
    if tasks.iter().any(|task| task.language == Language::Rust) {
        process::run(
            layout
                .cargo(&["build", "--quiet", "--release", "--locked"])
                .args(["--target=wasm32-wasip1", "--manifest-path=tasks/Cargo.toml"])
                .arg("--target-dir")
                .arg(folder(layout)),
        )?;
    }
    for task in tasks {
        compile_one(layout, task).with_context(|| format!("task {}", task.id))?;
    }
    Ok(())
}

/// Where what was compiled lies.
pub fn folder(layout: &Layout) -> PathBuf {
    layout.target.join("tasks-build")
}

/// The compiled task, or its text; nothing if a runtime runs its source.
pub fn module(layout: &Layout, task: &Task) -> Result<Option<PathBuf>> {
    Ok(match task.language {
        Language::Text => Some(task.folder.join(task.source()?)),
        Language::Rust => {
            let release = folder(layout).join("wasm32-wasip1/release");
            Some(release.join(format!("{}.wasm", task.id)))
        }
        Language::Script(_) => None,
        _ => Some(
            folder(layout)
                .join("other")
                .join(format!("{}.wasm", task.id)),
        ),
    })
}

fn compile_one(layout: &Layout, task: &Task) -> Result<()> {
    let Some(program) = module(layout, task)? else {
        return Ok(());
    };
    if matches!(task.language, Language::Text | Language::Rust) {
        return Ok(());
    }
    let source = task.folder.join(task.source()?);
    outdated::build(&program, &task.folder, |unfinished| match task.language {
        Language::C => process::run(
            zig::cc(layout, &zig::ensure(layout)?)
                .args(["-std=gnu23", "-Os", "-Wall", "-Wextra", "-Werror", "-s"])
                .arg(&source)
                .arg("-o")
                .arg(unfinished),
        ),
        Language::Cxx => process::run(
            zig::cxx(layout, &zig::ensure(layout)?)
                // WASI has no exceptions yet.
                .args(["-std=c++23", "-fno-exceptions", "-fno-rtti"])
                .args(["-Os", "-Wall", "-Wextra", "-Werror", "-s"])
                .arg(&source)
                .arg("-o")
                .arg(unfinished),
        ),
        Language::Zig => process::run(
            zig::build_exe(layout, &zig::ensure(layout)?)
                .args(["-O", "ReleaseSmall", "-fstrip"])
                .arg(&source)
                .arg(format!("-femit-bin={}", unfinished.display())),
        ),
        Language::Go => process::run(
            go::build(layout, &go::ensure(layout)?)
                .arg("-ldflags=-s -w")
                .arg("-o")
                .arg(unfinished)
                .arg(&source),
        ),
        Language::AssemblyScript => {
            node::ensure(layout)?;
            process::run(
                node::command(layout, &["node_modules/assemblyscript/bin/asc.js"])
                    .arg(&source)
                    .args(["--runtime", "incremental", "--exportStart", "_start"])
                    .args(["--optimizeLevel", "3", "--shrinkLevel", "1"])
                    // Without a host's `abort`, since a task imports WASI and nothing else: wasi.ts has one.
                    .arg("--use")
                    .arg(format!("abort=tasks/{}/wasi/abort", task.id))
                    .arg("--outFile")
                    .arg(unfinished),
            )
        }
        Language::Text | Language::Rust | Language::Script(_) => Ok(()),
    })
}
