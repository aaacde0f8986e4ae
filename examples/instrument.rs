//! Writes the instrumented module of a program to a file, to look at it or to run it elsewhere:
//! `cargo run --example instrument -- PROGRAM.wasm OUT.wasm [exact] [compiler]`.

use std::time::Instant;
use verirun::meter::{Detail, Options, Target, instrument};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, input, output, rest @ ..] = &args[..] else {
        return Err("usage: instrument PROGRAM.wasm OUT.wasm [exact] [compiler]".into());
    };
    let wasm = std::fs::read(input)?;
    let has = |word: &str| rest.iter().any(|given| given == word);
    let options = Options {
        detail: match has("exact") {
            true => Detail::Exact,
            false => Detail::Fast,
        },
        target: match has("compiler") {
            true => Target::Compiler,
            false => Target::Interpreter,
        },
        state: false,
    };
    let started = Instant::now();
    let metered = instrument(&wasm, &options)?;
    eprintln!(
        "{} -> {} bytes in {:.3} s",
        wasm.len(),
        metered.wasm.len(),
        started.elapsed().as_secs_f64()
    );
    std::fs::write(output, metered.wasm)?;
    Ok(())
}
