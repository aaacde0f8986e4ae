//! How time grows: each kind of work of the guest `growth` with N, 2N and 4N, and what the host does after a run.
//!
//! ```sh
//! cargo xtask bench scale            # all of them
//! cargo xtask bench scale remove     # those whose name holds `remove`
//! ```
//!
//! A ratio of 2 from one column to the next is linear. Small ones vary, so each is the best of three.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};
use verirun::fs::{Filesystem, ROOT, changes};
use verirun::{Module, Outcome, Run, State, Task};

/// Kinds of work, each with its smallest N.
const WORKS: &[(&str, u32)] = &[
    ("create", 25_000),
    ("list", 25_000),
    ("stat", 25_000),
    ("remove-all", 25_000),
    ("remove-batches", 25_000),
    ("remove-first", 25_000),
    ("rename", 25_000),
    ("link", 15_000),
    ("nest", 1_000),
    ("resolve", 500),
    ("hole", 256),
    ("blocks", 10_000),
    ("append", 50_000),
    ("open", 2_500),
    ("poll", 25_000),
    ("print", 50_000),
];

const ROUNDS: usize = 3;

fn main() {
    // Cargo passes `--bench`; the rest are parts of names.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    println!(
        "{:<16} {:>9} {:>10} {:>10} {:>10}   ratios",
        "work", "N", "N: ms", "2N: ms", "4N: ms"
    );
    let path = support::guest("growth");
    let bytes = std::fs::read(&path).expect("the guest can be read");
    let module = Module::load("growth", &bytes).expect("the guest loads");
    for &(work, n) in WORKS.iter().filter(|(work, _)| is_wanted(work)) {
        row(work, n, |n| run(&module, work, n));
    }
    if is_wanted("host: start") {
        row("host: start", 25_000, |n| {
            let task = Task {
                files: files(n),
                ..Task::default()
            };
            time(|| Run::start(&module, &task).expect("it starts"))
        });
    }
    if is_wanted("host: changes") {
        row("host: changes", 25_000, |n| {
            let (before, after) = (Filesystem::new(0), files(n));
            time(|| assert_eq!(changes(&before, &after).len(), n as usize))
        });
    }
}

fn row(name: &str, n: u32, measure: impl Fn(u32) -> Duration) {
    let best = |n: u32| (0..ROUNDS).map(|_| measure(n)).min().unwrap_or_default();
    let times = [n, 2 * n, 4 * n].map(|n| best(n).as_secs_f64() * 1000.0);
    println!(
        "{name:<16} {n:>9} {:>10.1} {:>10.1} {:>10.1}   {:.2} {:.2}",
        times[0],
        times[1],
        times[2],
        times[1] / times[0],
        times[2] / times[1],
    );
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    let result = std::hint::black_box(work());
    let elapsed = started.elapsed();
    drop(result);
    elapsed
}

/// One run of the guest, which says itself whether it did all of it.
fn run(module: &Module, work: &str, n: u32) -> Duration {
    let task = Task {
        args: vec![
            b"growth".to_vec(),
            work.as_bytes().to_vec(),
            n.to_string().into_bytes(),
        ],
        ..Task::default()
    };
    let mut run = Run::start(module, &task).expect("it starts");
    let elapsed = time(|| while run.slice(10_000_000) == State::Running {});
    assert_eq!(
        run.outcome(),
        Some(&Outcome::Exit { code: 0 }),
        "{work} {n}"
    );
    elapsed
}

/// A filesystem with `n` files in one directory.
fn files(n: u32) -> Filesystem {
    let mut files = Filesystem::new(0);
    for i in 0..n {
        files
            .create_file(ROOT, &i.to_string(), 0)
            .expect("names differ");
    }
    files
}
