//! Runs a program natively: `verirun-bench-harness [--fuel] PROGRAM.wasm [ARGS…]`.
//!
//! Standard output gets the program's, standard error the milliseconds it took.

use std::io::{Read, Write};
use std::process::ExitCode;
use verirun_bench_harness::Program;

fn main() -> ExitCode {
    match execute() {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute() -> Result<i32, Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).peekable();
    let fuel = args.next_if_eq("--fuel").is_some();
    let args: Vec<Vec<u8>> = args.map(String::into_bytes).collect();
    let name = args.first().ok_or("name a program")?;
    let wasm = std::fs::read(std::str::from_utf8(name)?)?;
    let mut stdin = Vec::new();
    std::io::stdin().read_to_end(&mut stdin)?;
    let program = Program::new(&wasm, fuel)?;
    let started = std::time::Instant::now();
    let outcome = program.run(&args, &stdin)?;
    eprintln!("{:.3}", started.elapsed().as_secs_f64() * 1000.0);
    std::io::stdout().write_all(&outcome.output)?;
    Ok(outcome.code)
}
