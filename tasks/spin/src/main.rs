//! Counts for ever and says so now and then: something to pause, resume and cancel.
//!
//! With a number as its argument it stops after that many lines.

use std::env;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;

/// Rounds between two lines.
const ROUNDS: u64 = 1 << 20;

fn main() -> ExitCode {
    let lines = match env::args().nth(1).map(|argument| argument.parse::<u64>()) {
        None => u64::MAX,
        Some(Ok(lines)) => lines,
        Some(Err(error)) => {
            eprintln!("spin: the argument is no number of lines: {error}");
            return ExitCode::from(2);
        }
    };
    let mut stdout = io::stdout().lock();
    let mut state = 1u64;
    for line in 1..=lines {
        for _ in 0..ROUNDS {
            // A xorshift generator: real work that no optimiser can foresee.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state = black_box(state);
        }
        let rounds = line.saturating_mul(ROUNDS);
        if writeln!(stdout, "{rounds:>12} rounds, state {state:016x}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
