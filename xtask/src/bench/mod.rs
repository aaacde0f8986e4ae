//! `cargo xtask bench`: measurements in real browsers.

mod browsers;
mod chart;
mod meter;
mod overview;
mod programs;
mod results;
mod table;
mod variants;

use crate::layout::Layout;
use crate::site;
use anyhow::{Context, Result, bail};
use results::Results;
use serde_json::{Value, json};
use std::path::PathBuf;
use table::Ratio;
use variants::Variant;

/// What the browser's own engine is called in tables.
const DIRECT: &str = "direct";

/// How much more a compiler has to do than what takes it as long as one run takes the interpreter.
const LONG: u32 = 4;

/// What `bench` was asked for.
struct Options {
    browser: Option<String>,
    rounds: u32,
    columns: Vec<Column>,
    programs: Vec<&'static programs::Program>,
    fuel: bool,
    /// Whether to build the site first.
    build: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            browser: None,
            rounds: 5,
            columns: Column::usual(),
            programs: programs::ALL.iter().collect(),
            fuel: false,
            build: true,
        };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let mut value = || args.next().with_context(|| format!("{name} needs a value"));
            match name.as_str() {
                "--browser" => options.browser = Some(value()?.clone()),
                "--rounds" => {
                    let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                    options.rounds = rounds.context("--rounds takes a number from 1 on")?;
                }
                "--variants" => {
                    let names = value()?.split(',');
                    options.columns = names.map(Column::named).collect::<Result<_>>()?;
                }
                "--programs" => options.programs = programs::named(value()?)?,
                "--fuel" => options.fuel = true,
                "--no-build" => options.build = false,
                _ => bail!("`bench` has no option `{name}`; see `cargo xtask help`"),
            }
        }
        Ok(options)
    }
}

/// What `bench interpreter` measures in one column.
struct Column {
    /// What the column is called.
    name: String,
    /// The interpreter alone; without one it is the one of the site, with everything.
    variant: Option<&'static Variant>,
    /// Whether each measurement has a worker of its own and is one run with much more to do.
    once: bool,
}

/// The column of the site's own worker.
const SITE: &str = "site";
/// What stands behind a name for measurements in workers of their own.
const ONCE: &str = "@once";
/// How much more there is to do then: seconds.
const ONCE_WORK: u32 = 10;

impl Column {
    fn of(name: &str, variant: Option<&'static Variant>, once: bool) -> Self {
        Self {
            name: name.to_owned(),
            variant,
            once,
        }
    }

    /// What is measured if nothing is named.
    fn usual() -> Vec<Self> {
        let usual = variants::ALL.iter().filter(|it| it.usual);
        usual.map(|it| Self::of(it.name, Some(it), false)).collect()
    }

    fn named(name: &str) -> Result<Self> {
        let (of, once) = match name.strip_suffix(ONCE) {
            Some(of) => (of, true),
            None => (name, false),
        };
        let variant = match of {
            SITE => None,
            _ => Some(variants::named(of)?),
        };
        Ok(Self::of(name, variant, once))
    }

    /// What the page is to do for this column and a program.
    fn job(
        &self,
        program: &programs::Program,
        url: &str,
        stdin: Option<&str>,
        fuel: bool,
    ) -> Value {
        let times = if self.once { ONCE_WORK } else { 1 };
        let (args, work) = program.args_for(times);
        json!({
            "engine": self.name, "program": program.name, "url": url, "args": args, "stdin": stdin,
            "repeat": 1, "work": work, "fuel": fuel, "fresh": self.once,
        })
    }
}

/// Runs the benchmark that the arguments name.
pub fn run(layout: &Layout, args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((what, rest)) if what == "interpreter" => interpreter(layout, &Options::parse(rest)?),
        Some((what, rest)) if what == "meter" => meter::run(layout, &Options::parse(rest)?),
        Some((what, _)) if !what.starts_with('-') => {
            bail!(
                "`bench {what}`: there are interpreter, meter and scale; without any, all engines are compared"
            )
        }
        _ => overview::run(layout, &Options::parse(args)?),
    }
}

/// Compares builds of the interpreter.
fn interpreter(layout: &Layout, options: &Options) -> Result<()> {
    let browsers = browsers::installed(options.browser.as_deref())?;
    programs::build(layout)?;
    let shim = variants::npm(layout, "@bjorn3/browser_wasi_shim", "0.4.2")?;

    let mut mounts: Vec<(String, PathBuf)> = vec![("/shim/".to_owned(), shim.join("dist"))];
    let mut engines = Vec::new();
    let mut sizes = Vec::new();
    if options.build && options.columns.iter().any(|it| it.variant.is_none()) {
        site::build(layout)?;
    }
    for column in &options.columns {
        let Some(variant) = column.variant else {
            mounts.push(("/site/".to_owned(), layout.dist()));
            engines.push(json!({
                "name": column.name, "kind": "verirun", "url": "/site/worker.js", "engine": "interpreter",
            }));
            continue;
        };
        let module = variant.build(layout)?;
        let url = format!("/engines/{}.wasm", variant.name);
        engines.push(json!({"name": column.name, "kind": "harness", "url": url}));
        let size = module.metadata()?.len() as f64 / 1e6;
        sizes.push(format!("{}: {} ({size:.2} MB)", column.name, variant.about));
        mounts.push((url, module));
    }
    engines.push(json!({"name": DIRECT, "kind": "direct"}));
    // In no table: what is given more to do prints other things, which nothing else could be compared with.
    let direct_once = format!("{DIRECT}{ONCE}");
    engines.push(json!({"name": direct_once, "kind": "direct"}));
    let names = options.columns.iter().map(|it| it.name.as_str());
    let columns: Vec<&str> = names.chain([DIRECT]).collect();

    let mut jobs = Vec::new();
    for program in &options.programs {
        let url = format!("/programs/{}.wasm", program.name);
        mounts.push((url.clone(), program.module(layout)));
        let stdin = program.stdin(layout).map(|file| {
            let url = format!("/programs/{}.stdin", program.name);
            mounts.push((url.clone(), file));
            url
        });
        for column in &options.columns {
            jobs.push(column.job(program, &url, stdin.as_deref(), options.fuel));
        }
        jobs.push(json!({
            "engine": DIRECT, "program": program.name, "url": url, "args": program.args, "stdin": stdin,
            "repeat": program.repeat,
        }));
        let (args, work) = program.args_for(ONCE_WORK);
        if work > 1 && options.columns.iter().any(|it| it.once) {
            jobs.push(json!({
                "engine": direct_once, "program": program.name, "url": url, "args": args, "stdin": stdin,
                "repeat": 1, "work": work,
            }));
        }
    }
    let plan = json!({"engines": engines, "jobs": jobs, "rounds": options.rounds});

    let rows: Vec<&str> = options.programs.iter().map(|it| it.name).collect();
    let mut tables = String::new();
    for browser in &browsers {
        eprintln!("\n── {}", browser.version);
        let mut results = Results::default();
        browsers::carry_out(layout, browser, &mounts, &plan, |report| {
            results.take(&report)
        })?;
        tables += &format!(
            "\n{}, {} rounds, {} fuel:\n\n{}\nThe very first run of each, which is not in the table above:\n\n{}{}",
            browser.version,
            options.rounds,
            if options.fuel { "with" } else { "without" },
            results.warm.markdown(&rows, &columns, Ratio::Speed),
            results.cold.markdown(&rows, &columns, Ratio::Speed),
            results.differences(),
        );
    }
    let about = |it: &&programs::Program| format!("{}: {}", it.name, it.about);
    let programs: Vec<String> = options.programs.iter().map(about).collect();
    println!(
        "\n{}\n\n{}\n{tables}",
        sizes.join("\n"),
        programs.join("\n")
    );
    Ok(())
}
