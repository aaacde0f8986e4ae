//! `cargo xtask bench meter`: what metering costs.
//!
//! Each program runs as it is and instrumented, on the browser's own engine and on the interpreter
//! compiled to wasm, in one run, so that what else the machine does hits all alike.

use super::results::Results;
use super::table::Ratio;
use super::{DIRECT, LONG, Options, browsers, programs, variants};
use crate::layout::Layout;
use crate::process;
use anyhow::Result;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

const METERED: &str = "direct, metered";
const INTERPRETER: &str = "interpreter";
const INTERPRETER_METERED: &str = "interpreter, metered";

/// Instruments a program for `target` (a word that `examples/instrument.rs` knows).
fn instrument(layout: &Layout, module: &Path, name: &str, target: &str) -> Result<PathBuf> {
    let out = layout
        .target
        .join(format!("bench/metered/{name}-{target}.wasm"));
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut command = Command::new(layout.built("examples/instrument"));
    process::run(command.arg(module).arg(&out).arg(target))?;
    Ok(out)
}

/// Runs the benchmark and prints a table for each browser.
pub fn run(layout: &Layout, options: &Options) -> Result<()> {
    let browsers = browsers::installed(options.browser.as_deref())?;
    programs::build(layout)?;
    // With what `cargo xtask test` builds: for other features most crates would be compiled again.
    process::run(&mut layout.cargo(&[
        "build",
        "--quiet",
        "--locked",
        "--workspace",
        "--features=verirun/wasmtime",
        "--examples",
    ]))?;
    let shim = variants::npm(layout, "@bjorn3/browser_wasi_shim", "0.4.2")?;
    let engine = variants::shipped().build(layout)?;
    let mut mounts: Vec<(String, PathBuf)> = vec![
        ("/shim/".to_owned(), shim.join("dist")),
        ("/engines/interpreter.wasm".to_owned(), engine),
    ];
    let engines: Vec<_> = [DIRECT, METERED]
        .map(|name| json!({"name": name, "kind": "direct"}))
        .into_iter()
        .chain([INTERPRETER, INTERPRETER_METERED].map(
            |name| json!({"name": name, "kind": "harness", "url": "/engines/interpreter.wasm"}),
        ))
        .collect();
    let mut jobs = Vec::new();
    for program in &options.programs {
        let module = program.module(layout);
        let stdin = program.stdin(layout).map(|file| {
            let url = format!("/programs/{}.stdin", program.name);
            mounts.push((url.clone(), file));
            url
        });
        // One long run for a compiler, which takes its time to optimise and can't do that in the
        // middle of a function: many short ones would measure its first draft.
        let (long, _) = program.args_for(program.repeat * LONG);
        let (short, _) = program.args_for(1);
        for (column, target, args) in [
            (DIRECT, None, &long),
            (METERED, Some("compiler"), &long),
            (INTERPRETER, None, &short),
            (INTERPRETER_METERED, Some("interpreter"), &short),
        ] {
            let file = match target {
                None => module.clone(),
                Some(target) => instrument(layout, &module, program.name, target)?,
            };
            let url = format!(
                "/programs/{}-{}.wasm",
                program.name,
                target.unwrap_or("plain")
            );
            mounts.push((url.clone(), file));
            jobs.push(json!({
                "engine": column, "program": program.name, "url": url, "args": args,
                "stdin": stdin, "repeat": 1, "fuel": false,
            }));
        }
    }
    let plan = json!({"engines": engines, "jobs": jobs, "rounds": options.rounds});
    let rows: Vec<&str> = options.programs.iter().map(|it| it.name).collect();
    for browser in &browsers {
        eprintln!("\n── {}", browser.version);
        let mut results = Results::default();
        browsers::carry_out(layout, browser, &mounts, &plan, |report| {
            results.take(&report)
        })?;
        println!(
            "\n{}, {} rounds; the time with metering, of the time without:\n\n{}\n{}{}",
            browser.version,
            options.rounds,
            results
                .warm
                .markdown(&rows, &[DIRECT, METERED], Ratio::Time),
            results
                .warm
                .markdown(&rows, &[INTERPRETER, INTERPRETER_METERED], Ratio::Time),
            results.differences(),
        );
    }
    Ok(())
}
