//! `verirun pack`.

use crate::program::{ProgramError, ProgramOptions, StdinChoice};
use crate::receipt::{self, ReadError};
use crate::run::NEVER_RAN;
use clap::Args;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use verirun::receipt::{Brought, PackageError, pack};

#[derive(Args)]
pub struct Arguments {
    /// The package to write.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Put this receipt into it, which must be of this task. Without --stdin, standard input is what
    /// stands beside the receipt.
    #[arg(long, value_name = "FILE")]
    with_receipt: Option<PathBuf>,
    #[command(flatten)]
    program: ProgramOptions,
}

#[derive(Debug, thiserror::Error)]
enum PackError {
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Receipt(#[from] ReadError),
    #[error("{0}\n{hint}", hint = .0.hint())]
    Package(#[from] PackageError),
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Writes the package.
pub fn run(arguments: &Arguments) -> ExitCode {
    match write(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("verirun: {error}");
            ExitCode::from(NEVER_RAN)
        }
    }
}

fn write(arguments: &Arguments) -> Result<(), PackError> {
    let mut program = arguments.program.read(StdinChoice::Empty)?;
    let receipt = match &arguments.with_receipt {
        None => None,
        Some(path) => {
            let receipt = receipt::read(path)?;
            let brought = Brought {
                files: Some(program.task.files.clone()),
                ..Brought::default()
            };
            // If it can't be had, packing tells that the receipt is of another task.
            if !arguments.program.has_stdin()
                && let Ok(task) = receipt.task(brought)
            {
                program.task.stdin = task.stdin;
            }
            Some(receipt)
        }
    };
    let package = pack(&program.module, &program.task, receipt.as_ref())?;
    std::fs::write(&arguments.output, package).map_err(|cause| PackError::Write {
        path: arguments.output.clone(),
        cause,
    })
}
