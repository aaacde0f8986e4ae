//! `verirun run`.

use crate::engine::{ChoiceError, EngineOptions};
use crate::host::{self, HostError};
use crate::mounts::Mount;
use crate::program::{ProgramError, ProgramOptions, StdinChoice};
use crate::receipt::{self, ReceiptError};
use crate::stats;
use clap::Args;
use serde::Serialize;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use verirun::checkpoint::Fault;
use verirun::fs::Entry;
use verirun::receipt::Streams;
use verirun::run::Engines;
use verirun::{Limits, Module, Outcome, Run, State, Stats};

/// The exit code for a run that never started.
pub const NEVER_RAN: u8 = 2;
/// The exit code for a trap or a passed limit: 128 + SIGABRT, as shells show an abort.
pub const ABORTED: u8 = 134;
/// Units of work between two looks at the output; some milliseconds.
pub const SLICE: u64 = 2_000_000;

#[derive(Args)]
pub struct Arguments {
    /// Write all files that the run added or changed to this folder.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Write what changed in a --dir back to its host folder, removals too.
    #[arg(long)]
    write_back: bool,
    /// Write outcome, figures and changed files to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a receipt to this file, with which anyone can prove the result (docs/receipt.md).
    /// Standard input is then read to its end first, unless it is a terminal.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Take checkpoints, digests of the program's state at fixed steps, and put a commitment to them
    /// into the receipt: `verirun bisect` finds with them where two runs part.
    #[arg(long, requires = "receipt")]
    checkpoints: bool,
    /// Make a fault on purpose, for tests and to see `verirun bisect` find it: one bit of memory,
    /// or of a mutable global (STEP:global:INDEX:BIT), flips after so many steps. The result is wrong
    /// then, and the receipt says so beside its id.
    #[arg(long, value_name = "STEP[:ADDRESS[:BIT]]")]
    inject_fault: Option<Fault>,
    /// Print figures to standard error at the end.
    #[arg(long)]
    stats: bool,
    /// Print a SHA-256 over all system calls and their results to standard error at the end, and
    /// put it into the report of --json. Runs with the same digest went the same way.
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    engine: EngineOptions,
    #[command(flatten)]
    program: ProgramOptions,
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Engine(#[from] ChoiceError),
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error("can't read standard input: {0}")]
    Stdin(io::Error),
    #[error("can't write the program's output: {0}")]
    Output(io::Error),
}

#[derive(Serialize)]
struct Report<'a> {
    module: &'a verirun::task::ModuleInfo,
    outcome: Option<&'a Outcome>,
    stats: Stats,
    engines: Engines,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    files: Vec<Entry>,
}

/// Runs the program and tells how the process should exit.
pub fn run(arguments: &Arguments) -> ExitCode {
    match prepare(arguments) {
        Ok((module, run, mounts, limits)) => match drive(arguments, &module, run, &mounts, &limits)
        {
            Ok(code) => code,
            Err(RunError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::from(ABORTED)
            }
            Err(error) => fail(&error, ABORTED),
        },
        Err(error) => fail(&error, NEVER_RAN),
    }
}

fn fail(error: &RunError, code: u8) -> ExitCode {
    eprintln!("verirun: {error}");
    ExitCode::from(code)
}

fn prepare(arguments: &Arguments) -> Result<(Module, Run, Vec<Mount>, Limits), RunError> {
    let stdin = match &arguments.receipt {
        Some(_) => StdinChoice::Whole,
        None => StdinChoice::Live,
    };
    let mut driving = arguments.engine.read()?;
    let mut program = arguments.program.read(stdin)?;
    program.task.trace = arguments.trace;
    program.task.checkpoints = arguments.checkpoints;
    driving.fault.clone_from(&arguments.inject_fault);
    let run = Run::start_with(&program.module, &program.task, driving);
    let run = run.map_err(ProgramError::from)?;
    Ok((program.module, run, program.mounts, program.task.limits))
}

fn drive(
    arguments: &Arguments,
    module: &Module,
    mut run: Run,
    mounts: &[Mount],
    limits: &Limits,
) -> Result<ExitCode, RunError> {
    let mut streams = Streams::default();
    loop {
        let state = run.slice(SLICE);
        write_output(&mut run, &mut streams)?;
        match state {
            State::Running => {}
            State::Blocked => feed(&mut run)?,
            State::Done => break,
        }
    }
    arguments.engine.explain(&run);
    let changes = run.changes();
    if arguments.write_back {
        for mount in mounts {
            host::copy_out(
                run.files(),
                &changes,
                &mount.preopen.path,
                &mount.host,
                true,
            )?;
        }
    }
    if let Some(dir) = &arguments.out_dir {
        host::copy_out(run.files(), &changes, "", dir, false)?;
    }
    let stats = run.stats();
    if let Some(path) = &arguments.json {
        let report = Report {
            module: &module.info,
            outcome: run.outcome(),
            stats,
            engines: run.engines(),
            trace: run.trace(),
            files: changes,
        };
        let written = serde_json::to_vec_pretty(&report).map_err(io::Error::from);
        written
            .and_then(|json| std::fs::write(path, json))
            .map_err(|cause| RunError::Write {
                path: path.clone(),
                cause,
            })?;
    }
    if arguments.stats {
        stats::print(&run, limits);
    }
    if let Some(trace) = run.trace() {
        eprintln!("verirun: trace   {trace}");
    }
    if let Some(fault) = run.fault() {
        match fault.made {
            Some(step) => {
                let place = match fault.global {
                    Some(global) => format!("global {global}"),
                    None => format!("the byte at {:#x}", fault.address.unwrap_or_default()),
                };
                eprintln!(
                    "verirun: a fault was made on purpose at step {step}: bit {} of {place} flipped",
                    fault.bit
                );
            }
            None => eprintln!("verirun: the run ended before the fault was to be made"),
        }
    }
    if let Some(path) = &arguments.receipt {
        receipt::write(path, &run, &streams)?;
    }
    let code = exit_code(run.outcome());
    print_place(&run);
    Ok(code)
}

/// Says on standard error where a run was that did not end by itself, as far as the module tells.
fn print_place(run: &Run) {
    let Some(place) = run.whereabouts() else {
        return;
    };
    match (&place.source, place.offset) {
        (Some(source), Some(offset)) => eprintln!("verirun: at {source} (byte {offset:#x})"),
        (None, Some(offset)) => eprintln!(
            "verirun: at byte {offset:#x}; build with debug information (line tables) to see the line"
        ),
        _ => {}
    }
}

fn write_output(run: &mut Run, streams: &mut Streams) -> Result<(), RunError> {
    for chunk in run.take_output() {
        streams.write(&chunk);
        let result = match chunk.fd {
            1 => io::stdout()
                .write_all(&chunk.bytes)
                .and_then(|()| io::stdout().flush()),
            _ => io::stderr().write_all(&chunk.bytes),
        };
        result.map_err(RunError::Output)?;
    }
    Ok(())
}

/// Reads some of our standard input for a guest that waits for it.
fn feed(run: &mut Run) -> Result<(), RunError> {
    let mut buffer = [0; 1 << 16];
    match io::stdin().read(&mut buffer) {
        Ok(0) => run.close_stdin(),
        Ok(read) => run.push_stdin(&buffer[..read]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(RunError::Stdin(error)),
    }
    Ok(())
}

/// The exit code that shows how a run ended; says on standard error what no exit code can.
pub fn exit_code(outcome: Option<&Outcome>) -> ExitCode {
    let message = match outcome {
        Some(Outcome::Exit { code }) => {
            // An operating system keeps 8 bits; a failure must not become a success by that.
            let low = (code & 0xff) as u8;
            return ExitCode::from(if low == 0 && *code != 0 { 1 } else { low });
        }
        Some(Outcome::Trap { trap, message }) => format!("trap ({trap}): {message}"),
        Some(
            Outcome::OutOfGas { message }
            | Outcome::CallDepthExceeded { message }
            | Outcome::FrameExceeded { message }
            | Outcome::Failed { message }
            | Outcome::MemoryExceeded { message }
            | Outcome::OutputLimitExceeded { message }
            | Outcome::FileLimitExceeded { message }
            | Outcome::Cancelled { message },
        ) => message.clone(),
        None => "it did not end".to_owned(),
    };
    eprintln!("verirun: {message}");
    ExitCode::from(ABORTED)
}
