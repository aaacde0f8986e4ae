//! A function task: writes the SHA-256 digest of `input.txt`, in hexadecimal, to `output.txt`.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("sha256: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let unreadable = |error| format!("cannot read input.txt: {error}");
    let mut file = File::open("input.txt").map_err(unreadable)?;
    let mut digest = Sha256::new();
    // Piece by piece, so that the input may be larger than the memory.
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        digest.update(&buffer[..length]);
    }
    let mut hex = String::new();
    for byte in digest.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    fs::write("output.txt", hex).map_err(|error| format!("cannot write output.txt: {error}"))
}
