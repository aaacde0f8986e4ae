//! `cargo xtask bench`: how Verirun compares with what one would take instead, as a table and as a page
//! in `dist/bench`.

use super::chart::{self, Chart};
use super::results::Results;
use super::table::Ratio;
use super::{DIRECT, LONG, Options, browsers, programs, variants};
use crate::layout::Layout;
use crate::{process, site};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

const COMPILED: &str = "Verirun, browser's engine";
const INTERPRETED: &str = "Verirun, interpreter";
const WASMI: &str = "wasmi alone";
const TINYWASM: &str = "tinywasm";
const COLUMNS: [&str; 5] = [DIRECT, COMPILED, INTERPRETED, WASMI, TINYWASM];

/// What each column is.
const ABOUT: [(&str, &str); 5] = [
    (
        DIRECT,
        "the module as it is on the browser's own engine, with npm's @bjorn3/browser_wasi_shim 0.4.2: no limits, no count, no fixed time",
    ),
    (
        COMPILED,
        "the site's worker, with everything: limits, exact count, pause, cancel",
    ),
    (INTERPRETED, "the same on its interpreter"),
    (
        WASMI,
        "the same interpreter compiled and shaped the same way, without anything of Verirun, unmetered",
    ),
    (
        TINYWASM,
        "another interpreter, tinywasm 0.10, with the same flags and passes of wasm-opt, unmetered; the shaping of wasmi's loop (docs/interpreter-build.md) fits no other",
    ),
];

/// The program that has nothing to do. What it takes is the cost of a run, so it is no part of the mean
/// over what programs take.
const STARTUP: &str = "startup";
const WARM: &str = "warm: a loaded page is given a program, and shows its first output";
const COLD: &str =
    "cold: from the page's address, with nothing in a cache, to the result of its first sample";

/// Runs the benchmark, prints the table, writes the page.
pub fn run(layout: &Layout, options: &Options) -> Result<()> {
    let browsers = browsers::installed(options.browser.as_deref())?;
    programs::build(layout)?;
    let shim = variants::npm(layout, "@bjorn3/browser_wasi_shim", "0.4.2")?;
    let wasmi = variants::shipped().build(layout)?;
    let tinywasm = variants::named(TINYWASM)?.build(layout)?;
    if options.build {
        site::build(layout)?;
    }
    let mut mounts: Vec<(String, PathBuf)> = vec![
        ("/shim/".to_owned(), shim.join("dist")),
        ("/engines/wasmi.wasm".to_owned(), wasmi),
        ("/engines/tinywasm.wasm".to_owned(), tinywasm),
        ("/site/".to_owned(), layout.dist()),
        ("/cold-*/".to_owned(), layout.dist()),
    ];
    let (warm, cold) = ("start", "page");
    let worker = "/site/worker.js";
    let engines = json!([
        {"name": DIRECT, "kind": "direct"},
        {"name": COMPILED, "kind": "verirun", "url": worker, "engine": "browser"},
        {"name": INTERPRETED, "kind": "verirun", "url": worker, "engine": "interpreter"},
        {"name": WASMI, "kind": "harness", "url": "/engines/wasmi.wasm"},
        {"name": TINYWASM, "kind": "harness", "url": "/engines/tinywasm.wasm"},
        {"name": warm, "kind": "verirun", "url": worker, "engine": "auto"},
        {"name": cold, "kind": "cold", "url": "/cold-"},
    ]);
    let programs: Vec<_> = options
        .programs
        .iter()
        // Both browsers' own stacks end there.
        .filter(|program| program.name != "depth")
        .collect();
    let mut jobs = Vec::new();
    for program in &programs {
        let url = format!("/programs/{}.wasm", program.name);
        mounts.push((url.clone(), program.module(layout)));
        let stdin = program.stdin(layout).map(|file| {
            let url = format!("/programs/{}.stdin", program.name);
            mounts.push((url.clone(), file));
            url
        });
        for column in COLUMNS {
            let compiles = column == DIRECT || column == COMPILED;
            let (args, work, repeat) = amount(program, compiles);
            jobs.push(json!({
                "engine": column, "program": program.name, "url": url, "args": args, "work": work,
                "stdin": stdin, "repeat": repeat, "fuel": false,
            }));
        }
    }
    let hello = "/programs/hello.wasm".to_owned();
    let greets = programs::named(STARTUP)?[0];
    mounts.push((hello.clone(), greets.module(layout)));
    jobs.push(json!({
        "engine": warm, "program": WARM, "url": hello, "args": [], "repeat": 1, "first": true,
    }));
    jobs.push(json!({"engine": cold, "program": COLD, "args": []}));

    let plan = json!({"engines": engines, "jobs": jobs, "rounds": options.rounds});
    let (timed, starts): (Vec<&str>, Vec<&str>) = programs
        .iter()
        .map(|program| program.name)
        .partition(|name| *name != STARTUP);
    let mut report = Report::new(layout, options);
    for browser in &browsers {
        eprintln!("\n── {}", browser.version);
        let mut results = Results::default();
        browsers::carry_out(layout, browser, &mounts, &plan, |report| {
            results.take(&report)
        })?;
        report.section(&Measured {
            browser: &browser.version,
            results: &results,
            timed: &timed,
            starts: &starts,
            page: &[(WARM, warm), (COLD, cold)],
        });
    }
    report.finish(layout, &programs)
}

/// The arguments for a program on an engine that compiles or one that interprets, how many times the
/// work of the latter that is, and how often it is run for one measurement. A compiler gets one long
/// run: it takes its time to optimise, and many short ones would measure its first draft.
fn amount(program: &programs::Program, compiles: bool) -> (Vec<String>, u32, u32) {
    let times = if compiles { program.repeat * LONG } else { 1 };
    let (args, times) = program.args_for(times);
    let repeat = match program.name == STARTUP {
        true => program.repeat,
        false => 1,
    };
    (args, times, repeat)
}

/// What was measured in one browser.
struct Measured<'a> {
    browser: &'a str,
    results: &'a Results,
    timed: &'a [&'a str],
    starts: &'a [&'a str],
    /// Rows about the page, and what their columns are called.
    page: &'a [(&'a str, &'a str)],
}

/// The printed report, and the page.
struct Report {
    text: String,
    html: String,
    raw: Vec<Value>,
}

impl Report {
    fn new(layout: &Layout, options: &Options) -> Self {
        let revision = process::version("git", &["rev-parse", "--short", "HEAD"])
            .unwrap_or_else(|| "unknown".to_owned());
        let changed = layout
            .command("git")
            .args(["diff", "--quiet", "HEAD"])
            .status()
            .is_ok_and(|status| !status.success());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let about = format!(
            "Verirun {revision}{}, {} rounds, {cores} cores. Times are the fastest of all rounds, the ratios are to the first column, and in brackets stands how much slower the median was. All cells of a table were measured in turn, so that what else the machine did hit all alike.",
            if changed { " with changes" } else { "" },
            options.rounds,
        );
        Self {
            text: format!("{about}\n"),
            html: format!("<p>{}</p>\n", chart::escape(&about)),
            raw: Vec::new(),
        }
    }

    fn section(&mut self, measured: &Measured<'_>) {
        let Measured {
            browser, results, ..
        } = measured;
        let samples = &results.warm;
        let table = samples.markdown(measured.timed, &COLUMNS, Ratio::Time);
        let starts = match measured.starts {
            [] => String::new(),
            rows => samples.markdown(rows, &COLUMNS, Ratio::Time),
        };
        let mut page = "| from nothing to something | |\n| --- | ---: |\n".to_owned();
        for (row, column) in measured.page {
            let _ = writeln!(page, "| {row} | {} |", samples.milliseconds(row, column));
        }
        let differences = results.differences();
        let _ = write!(
            self.text,
            "\n## {browser}\n\nTimes of {DIRECT}, and how many times as long the others take:\n\n{table}\nA run that has nothing to do:\n\n{starts}\n{page}{differences}",
        );
        let chart = Chart {
            title: &format!("Time of each program, as a multiple of {DIRECT}, in {browser}"),
            rows: measured.timed,
            base: DIRECT,
            columns: &COLUMNS[1..],
            samples,
        };
        let _ = write!(
            self.html,
            "<h2>{}</h2>\n{}\n<h3>Programs</h3>\n{}<h3>A run that has nothing to do</h3>\n{}<h3>The page</h3>\n{}<p>{}</p>\n",
            chart::escape(browser),
            chart.svg(),
            chart::table(&table),
            chart::table(&starts),
            chart::table(&page),
            chart::escape(differences.trim()),
        );
        self.raw
            .push(json!({"browser": browser, "milliseconds": samples.raw()}));
    }

    fn finish(mut self, layout: &Layout, programs: &[&&'static programs::Program]) -> Result<()> {
        let about = ABOUT.iter().map(|&(name, what)| (name, what));
        let programs: Vec<_> = programs.iter().map(|it| (it.name, it.about)).collect();
        for list in [about.collect(), programs] {
            self.text.push('\n');
            self.html += "<dl>\n";
            for (name, what) in list {
                let _ = writeln!(self.text, "- {name}: {what}");
                let _ = writeln!(
                    self.html,
                    "<dt>{}</dt><dd>{}</dd>",
                    chart::escape(name),
                    chart::escape(what)
                );
            }
            self.html += "</dl>\n";
        }
        println!("\n{}", self.text);
        let folder = layout.dist().join("bench");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let write = |name: &str, content: &str| {
            let file = folder.join(name);
            std::fs::write(&file, content)
                .with_context(|| format!("cannot write {}", file.display()))
        };
        write(
            "index.html",
            &chart::page("Verirun: benchmarks", &self.html),
        )?;
        write("results.md", &self.text)?;
        write("results.json", &serde_json::to_string_pretty(&self.raw)?)?;
        eprintln!("The page is {}", folder.join("index.html").display());
        Ok(())
    }
}
