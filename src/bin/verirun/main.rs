//! The native command line over the `verirun` library.

mod host;
mod options;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Runs WebAssembly tasks deterministically: in memory, without network or clock, always the same.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a WASI program (.wasm or .wat). Its exit code is ours; 134 if it traps or passes a
    /// limit, 2 if it never ran.
    Run(run::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
    }
}
