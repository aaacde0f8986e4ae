//! The end-to-end tests: `tests/e2e/*.test.mjs`, in real browsers.

use crate::layout::Layout;
use crate::{node, process};
use anyhow::{Context, Result, bail, ensure};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Files that run at once. A browser that is driven waits a third of the time, for its disk, its start and its test; with
/// more of them than processors they only wait for each other.
const MOST: usize = 2;

/// Milliseconds after which a test has failed: the longest, of a browser that runs the specification's tests, takes a tenth.
const TIMEOUT: &str = "--test-timeout=900000";

/// Files that take longest come first, so that none is left alone at the end.
const FIRST: [&str; 6] = [
    "spec.test.mjs",
    "engines.test.mjs",
    "api.test.mjs",
    "npm.test.mjs",
    "real.test.mjs",
    "offline.test.mjs",
];

/// Runs all files, each in a process of its own, and shows what each printed when it has ended.
///
/// # Errors
/// If one fails, with all that did.
pub fn run(
    layout: &Layout,
    browser: &Path,
    firefox: &Result<PathBuf>,
    command_line: &Path,
) -> Result<()> {
    let queue = Mutex::new(files(layout)?);
    let failed = Mutex::new(Vec::new());
    let next = || lock(&queue).pop_front();
    let lane = || {
        while let Some(file) = next() {
            let mut command = node::command(layout, &["--test", TIMEOUT]);
            command.arg(&file).env("CHROMIUM", browser);
            command.env("VERIRUN_CLI", command_line);
            match firefox {
                Ok(program) => command.env("FIREFOX", program),
                Err(error) => command.env("VERIRUN_NO_FIREFOX", format!("{error:#}")),
            };
            // What a file prints comes at its end; one that hangs is known by this.
            eprintln!("$ node --test {}", file.display());
            let started = Instant::now();
            let ended = process::collect(command.stdin(Stdio::null()));
            // Held while it is shown, so that no two are mixed.
            let mut failed = lock(&failed);
            let (printed, result) = match ended {
                Ok((printed, result)) => (printed, result),
                Err(error) => (String::new(), Err(error)),
            };
            let seconds = started.elapsed().as_secs_f64();
            eprintln!("\n{} ({seconds:.1} s)", file.display());
            println!("{printed}");
            if let Err(error) = result {
                eprintln!("error: {error:#}");
                failed.push(format!("{error:#}"));
            }
        }
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors.min(MOST) {
            scope.spawn(lane);
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// A lane that panicked has left nothing half done.
fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files, in the order in which they are begun.
fn files(layout: &Layout) -> Result<VecDeque<PathBuf>> {
    let folder = layout.at("tests/e2e");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    if files.is_empty() {
        bail!("there are no tests in {}", folder.display());
    }
    files.sort_by_key(|file| {
        let name = file.file_name().unwrap_or_default().to_os_string();
        let place = FIRST.iter().position(|first| name == *first);
        (place.unwrap_or(FIRST.len()), name)
    });
    Ok(files.into())
}
