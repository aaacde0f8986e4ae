//! A function task: reads a number n from `input.txt` and writes the nth Fibonacci number
//! (0 for n = 0, then 1, 1, 2, 3, 5 …) to `output.txt`.

use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("fibonacci: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let input = fs::read_to_string("input.txt")
        .map_err(|error| format!("cannot read input.txt: {error}"))?;
    let input = input.trim();
    let n: u32 = input
        .parse()
        .map_err(|_| format!("input.txt holds {input:?}, which is not a whole number from 0"))?;
    let number =
        fibonacci(n).ok_or_else(|| format!("the result for {n} does not fit in 128 bits"))?;
    fs::write("output.txt", number.to_string())
        .map_err(|error| format!("cannot write output.txt: {error}"))
}

/// Nothing if the number needs more than 128 bits.
fn fibonacci(n: u32) -> Option<u128> {
    if n == 0 {
        return Some(0);
    }
    let (mut previous, mut current) = (0u128, 1u128);
    for _ in 1..n {
        (previous, current) = (current, previous.checked_add(current)?);
    }
    Some(current)
}
