//! `verirun verify`: runs tasks again and compares with their receipts.

mod many;
pub mod modules;
mod one;
mod streams;

use crate::brought::{BroughtError, BroughtOptions};
use crate::engine::{ChoiceError, EngineOptions};
use clap::Args;
use modules::Modules;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verirun::receipt::{Brought, KeyError, PublicKey};

/// The exit code if something is different.
const MISMATCH: u8 = 1;
/// The exit code if it can't be told.
const CANNOT_TELL: u8 = 2;

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    brought: BroughtOptions,
    /// The output files that came with the receipt. They are checked too, and of one that the second
    /// run makes otherwise the first different byte is told.
    #[arg(long, value_name = "DIR", conflicts_with = "results")]
    outputs: Option<PathBuf>,
    /// The standard output that came with the receipt. It is checked too, and if the second run
    /// writes something else, the first different byte is told.
    #[arg(long, value_name = "FILE", conflicts_with = "results")]
    stdout: Option<PathBuf>,
    /// The same for standard error.
    #[arg(long, value_name = "FILE", conflicts_with = "results")]
    stderr: Option<PathBuf>,
    /// Ask for a signature by this public key too. What is signed is not verified any less.
    #[arg(long = "signer", value_name = "PUBKEY")]
    signers: Vec<String>,
    /// Do not run a task whose receipt says more steps than this.
    #[arg(long, value_name = "STEPS")]
    max_steps: Option<u64>,
    /// Write a line of JSON for each receipt to this file. Receipts that are verified in it already
    /// are not run again, so a long check can be continued.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// How many run at a time [default: one for each core].
    #[arg(long, value_name = "COUNT")]
    jobs: Option<std::num::NonZeroUsize>,
    #[command(flatten)]
    engine: EngineOptions,
    /// Receipts, task packages that hold one (.vtask), or folders of them (*.json, *.vtask).
    #[arg(value_name = "RECEIPT", required = true)]
    receipts: Vec<PathBuf>,
}

/// What keeps all of it from being checked.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("there is no receipt (*.json, *.vtask) in {}", .0.display())]
    NoReceipts(PathBuf),
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(transparent)]
    Brought(#[from] BroughtError),
    #[error(transparent)]
    Engine(#[from] ChoiceError),
    #[error("--signer: {0}")]
    Signer(#[from] KeyError),
}

fn read_error(path: &Path) -> impl FnOnce(io::Error) -> SetupError + '_ {
    move |cause| SetupError::Read {
        path: path.to_owned(),
        cause,
    }
}

/// Verifies all receipts and tells how the process should exit.
pub fn run(arguments: &Arguments) -> ExitCode {
    match prepare(arguments).and_then(|setup| many::run(&setup)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("verirun: {error}");
            ExitCode::from(CANNOT_TELL)
        }
    }
}

/// What all receipts are checked with.
struct Setup<'a> {
    receipts: Vec<PathBuf>,
    modules: Modules,
    brought: Brought,
    /// Who must have signed.
    signers: Vec<PublicKey>,
    arguments: &'a Arguments,
}

fn prepare(arguments: &Arguments) -> Result<Setup<'_>, SetupError> {
    arguments.engine.read()?;
    let keys = arguments.signers.iter().map(|text| PublicKey::parse(text));
    let signers = keys.collect::<Result<_, _>>()?;
    let receipts = list(&arguments.receipts)?;
    let (modules, brought) = arguments.brought.read()?;
    Ok(Setup {
        receipts,
        modules,
        brought,
        signers,
        arguments,
    })
}

/// The receipts: files as they are, of folders all `*.json`, sorted.
fn list(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SetupError> {
    let mut receipts = Vec::new();
    for path in paths {
        if !path.is_dir() {
            receipts.push(path.clone());
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(read_error(path))? {
            let file = entry.map_err(read_error(path))?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "json" || extension == "vtask")
            {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(SetupError::NoReceipts(path.clone()));
        }
        found.sort();
        receipts.append(&mut found);
    }
    Ok(receipts)
}
