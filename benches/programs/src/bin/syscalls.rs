//! System calls: many that do next to nothing. What they cost beyond the guest's own work.

use std::io::{Write, stdout};
use std::time::{Instant, SystemTime};

fn main() {
    let mut out = stdout().lock();
    for round in 0..bench_programs::rounds() * 100 {
        std::hint::black_box((Instant::now(), SystemTime::now()));
        // A whole line: it is written at once.
        writeln!(out, "{round}").expect("standard output takes all");
    }
}
