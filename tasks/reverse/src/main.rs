//! A function task: writes the text of `input.txt` to `output.txt`, back to front.

use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("reverse: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let text = fs::read_to_string("input.txt")
        .map_err(|error| format!("cannot read input.txt: {error}"))?;
    // By characters, not bytes: the result is text again.
    let reversed: String = text.chars().rev().collect();
    fs::write("output.txt", reversed).map_err(|error| format!("cannot write output.txt: {error}"))
}
