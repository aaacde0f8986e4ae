//! `cargo xtask test` and its fast part, `cargo xtask check`.

use crate::layout::Layout;
use crate::{browser, e2e, guests, node, npm, process, site, spec, task_check, tasks, tools};
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Native code is checked and tested with the second engine; wasmtime is a dependency of the tests
/// anyway, and compiled once for all of it.
const WITH_WASMTIME: &str = "--features=verirun/wasmtime";

/// The steps so far: name, error if it failed, time.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, Option<String>, Duration)>,
}

impl Report {
    /// Runs a step and goes on whatever comes of it, so that one run shows all that is wrong.
    fn step(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) -> bool {
        eprintln!("\n── {name}");
        let started = Instant::now();
        let error = step().err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            eprintln!("error: {error}");
        }
        let passed = error.is_none();
        self.steps.push((name, error, started.elapsed()));
        passed
    }

    fn finish(self) -> Result<()> {
        eprintln!();
        let mut failed = 0;
        for (name, error, time) in &self.steps {
            let seconds = time.as_secs_f64();
            match error {
                None => eprintln!("  ok      {seconds:6.1} s  {name}"),
                Some(error) => {
                    failed += 1;
                    eprintln!("  FAILED  {seconds:6.1} s  {name}: {error}");
                }
            }
        }
        let passed = self.steps.len() - failed;
        eprintln!("\nsteps: {passed} passed, {failed} failed");
        ensure!(failed == 0, "not everything passed");
        Ok(())
    }
}

/// Formatting, lints, types, Rust tests.
pub fn check(layout: &Layout) -> Result<()> {
    let mut report = Report::default();
    static_checks(&mut report, layout);
    rust_tests(&mut report, layout);
    report.finish()
}

/// What `tests/e2e/spec.test.mjs` needs.
pub fn spec(layout: &Layout) -> Result<()> {
    compile_tests(layout)?;
    spec::build(layout, &layout.built("spec"))
}

/// What the Rust tests are built with is used from then on. Cargo would compile most crates again for any other choice of
/// packages, since features would be others, wasmtime's among them.
fn compile_tests(layout: &Layout) -> Result<()> {
    process::run(&mut layout.cargo(&[
        "test",
        "--no-run",
        "--quiet",
        "--workspace",
        WITH_WASMTIME,
        "--locked",
    ]))
}

/// Everything.
pub fn test(layout: &Layout) -> Result<()> {
    // First, so that what cannot be installed is known before the minutes of compiling.
    let browser = browser::ensure()?;
    eprintln!("Browser: {}", browser.display());
    let firefox = browser::ensure_firefox();
    match &firefox {
        Ok(firefox) => eprintln!(
            "For the tests that run in Firefox too: {}",
            firefox.display()
        ),
        // Chromium tests all but how Firefox differs; a test that is left out says so, and why.
        Err(error) => eprintln!("No Firefox: {error:#}"),
    }

    let mut report = Report::default();
    static_checks(&mut report, layout);
    rust_tests(&mut report, layout);
    let built = || -> Result<(PathBuf, PathBuf)> {
        compile_tests(layout)?;
        Ok((layout.built("verirun"), layout.built("spec")))
    };
    report.step("sample tasks", || {
        let tasks = tasks::build(layout)?;
        task_check::check(layout, &tasks, &built()?.0)
    });
    // An older site must not stand in for one that does not build.
    if report.step("site", || site::build(layout))
        && report.step("npm package", || npm::build(layout))
    {
        report.step("the specification's tests, for browsers", || {
            spec::build(layout, &built()?.1)
        });
        report.step("end-to-end tests", || {
            e2e::run(layout, &browser, &firefox, &built()?.0)
        });
    }
    report.finish()
}

fn static_checks(report: &mut Report, layout: &Layout) {
    report.step("formatting", || {
        process::run(&mut layout.cargo(&["fmt", "--all", "--check"]))?;
        // The Python runtime is formatted like the rest; to lint it would mean to compile it once more.
        let runtime = layout.at("tasks/runtimes/python/Cargo.toml");
        for manifest in guest_manifests(layout).into_iter().chain([runtime]) {
            process::run(
                layout
                    .cargo(&["fmt", "--all", "--check", "--manifest-path"])
                    .arg(manifest),
            )?;
        }
        Ok(())
    });
    report.step("clippy, native", || {
        process::run(&mut layout.cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            WITH_WASMTIME,
            "--locked",
            "--",
            "-Dwarnings",
        ]))
    });
    report.step("clippy, wasm32", || {
        tools::ensure_targets(layout)?;
        let mut command = layout.cargo(&[
            "clippy",
            "--package=verirun",
            "--package=verirun-spec",
            "--target=wasm32-unknown-unknown",
            "--lib",
            "--no-default-features",
            "--locked",
            "--",
            "-Dwarnings",
        ]);
        process::run(site::configure(&mut command))?;
        // With the features of the site's build, so that wasmi is checked only once.
        let mut command = layout.cargo(&[
            "clippy",
            "--package=verirun-bench-harness",
            "--target=wasm32-unknown-unknown",
            "--lib",
            "--no-default-features",
            "--features=loop,indirect",
            "--locked",
            "--",
            "-Dwarnings",
        ]);
        process::run(site::configure(&mut command))
    });
    report.step("clippy, guests and tasks", || {
        for manifest in guest_manifests(layout) {
            process::run(
                layout
                    .cargo(&["clippy", "--workspace", "--target=wasm32-wasip1"])
                    .arg("--manifest-path")
                    .arg(manifest)
                    .arg("--target-dir")
                    .arg(layout.target.join("guests-clippy"))
                    .args(["--", "-Dwarnings"]),
            )?;
        }
        Ok(())
    });
    report.step("types", || {
        node::ensure(layout)?;
        for project in ["tsconfig.json", "tsconfig.node.json"] {
            process::run(&mut node::command(
                layout,
                &["node_modules/typescript/bin/tsc", "--project", project],
            ))?;
        }
        Ok(())
    });
}

/// Workspaces of their own: what they hold is compiled for WASI only.
fn guest_manifests(layout: &Layout) -> Vec<PathBuf> {
    let manifests = [
        "benches/programs/Cargo.toml",
        "tasks/Cargo.toml",
        "tests/guests/Cargo.toml",
    ];
    let manifests = manifests.iter().map(|path| layout.at(path));
    manifests.filter(|path| path.is_file()).collect()
}

fn rust_tests(report: &mut Report, layout: &Layout) {
    report.step("guests", || guests::build(layout));
    report.step("Rust tests", || {
        if process::version("cargo", &["nextest", "--version"]).is_none() {
            return process::run(&mut layout.cargo(&[
                "test",
                "--workspace",
                WITH_WASMTIME,
                "--locked",
                "--no-fail-fast",
            ]));
        }
        process::run(&mut layout.cargo(&[
            "nextest",
            "run",
            "--workspace",
            WITH_WASMTIME,
            "--locked",
            "--no-fail-fast",
        ]))?;
        // nextest leaves the examples in the documentation out.
        process::run(&mut layout.cargo(&[
            "test",
            "--doc",
            "--workspace",
            WITH_WASMTIME,
            "--locked",
        ]))
    });
}
