//! The native command line over the `verirun` library.

mod bisect;
mod brought;
mod commit;
mod engine;
mod host;
mod lint;
mod mounts;
mod options;
mod pack;
mod program;
mod receipt;
mod run;
mod run_task;
mod sign;
mod stats;
mod verify;

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
    Run(Box<run::Arguments>),
    /// Run a Truebit function task: a folder (or a zip of it) with task.wasm, config.json, input.txt
    /// and fs.tar. Prints its output.txt. 0 if there is one, 3 if it is missing or empty, 1 if the
    /// program exited with an error, 134 if it traps or passes a limit, 2 if it never ran.
    RunTask(Box<run_task::Arguments>),
    /// Prove receipts: run each task again and compare. 0 if all are verified, 1 if something is
    /// different, 2 if it can't be told.
    Verify(Box<verify::Arguments>),
    /// Find where two runs of one task part: two receipts that disagree, or one and a run here. 0 if
    /// they are the same, 1 if they part, 2 if it can't be told.
    Bisect(Box<bisect::Arguments>),
    /// Put a task with all that it needs, and a receipt of it if there is one, into one file
    /// (.vtask), for `run` and `verify`.
    Pack(Box<pack::Arguments>),
    /// Commit to a receipt without showing it: prints a salted hash, and keeps the salt in a file.
    Commit(commit::CommitArguments),
    /// Tell whether a commitment was to this receipt. 0 if it was, 1 if it was not.
    Reveal(commit::RevealArguments),
    /// Decide over several receipts of one task: Success (0), Indeterminate (1) or Error (2).
    Adjudicate(commit::AdjudicateArguments),
    /// Make a key to sign receipts with: prints the public key, and keeps the secret one in a file.
    Keygen(sign::KeygenArguments),
    /// Sign a receipt: the signature is added to its file, and the public key is printed.
    Sign(sign::SignArguments),
    /// Tell what a program needs, what the deterministic profile fixes for it, and what keeps it
    /// from running. 0 if it runs, 1 if it is refused, 2 if it can't be read.
    Lint(lint::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::RunTask(arguments) => run_task::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Bisect(arguments) => bisect::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Commit(arguments) => commit::commit(&arguments),
        Command::Reveal(arguments) => commit::reveal(&arguments),
        Command::Adjudicate(arguments) => commit::decide(&arguments),
        Command::Keygen(arguments) => sign::keygen(&arguments),
        Command::Sign(arguments) => sign::sign(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
    }
}
