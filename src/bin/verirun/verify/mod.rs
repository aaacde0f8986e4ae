//! `verirun verify`: runs tasks again and compares with their receipts.

mod many;
mod modules;
mod one;

use crate::engine::{ChoiceError, EngineOptions};
use crate::host::{self, HostError};
use crate::mounts::{Mount, MountError, inside, split};
use crate::run_task::{self, InputOptions, TaskError};
use clap::Args;
use modules::{ModuleError, Modules};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verirun::Task;
use verirun::receipt::{Brought, KeyError, PublicKey};

/// The exit code if something is different.
const MISMATCH: u8 = 1;
/// The exit code if it can't be told.
const CANNOT_TELL: u8 = 2;

#[derive(Args)]
pub struct Arguments {
    /// The module, or a folder in which it is looked for by its digest. Without this option: the
    /// file of the module's name beside the receipt, or here.
    #[arg(long = "module", value_name = "FILE|DIR")]
    modules: Vec<PathBuf>,
    /// The input files: this host folder is the guest's root.
    #[arg(long, value_name = "DIR", conflicts_with = "task")]
    inputs: Option<PathBuf>,
    /// Input files as `verirun run --dir` takes them.
    #[arg(
        long = "dir",
        value_name = "HOST[::GUEST[::ro]]",
        conflicts_with = "task"
    )]
    dirs: Vec<String>,
    /// Unpack a tar file at GUEST (default /).
    #[arg(long, value_name = "FILE[::GUEST]", conflicts_with = "task")]
    mount_tar: Vec<String>,
    /// Module and input files of this function task (a folder, or a zip of it).
    #[arg(long, value_name = "DIR|ZIP")]
    task: Option<PathBuf>,
    #[command(flatten)]
    input: InputOptions,
    /// Standard input; by default what stands beside the receipt.
    #[arg(long, value_name = "FILE")]
    stdin: Option<PathBuf>,
    /// An argument of the program, its name being the first; by default those beside the receipt.
    #[arg(long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    args: Vec<OsString>,
    /// An environment variable; by default those beside the receipt.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<OsString>,
    /// The output files that came with the receipt. They are checked too, and of one that the second
    /// run makes otherwise the first different byte is told.
    #[arg(long, value_name = "DIR", conflicts_with = "results")]
    outputs: Option<PathBuf>,
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
    #[error("--input and its like are the input of a function task; give it with --task")]
    NoTask,
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(transparent)]
    Module(#[from] ModuleError),
    #[error(transparent)]
    Mount(#[from] MountError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Task(#[from] TaskError),
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
    let mut modules = Modules::read(&arguments.modules)?;
    let bytes = |items: &[OsString]| {
        let list = items.iter().map(|item| item.as_encoded_bytes().to_vec());
        (!items.is_empty()).then(|| list.collect())
    };
    let mut brought = Brought {
        args: bytes(&arguments.args),
        env: bytes(&arguments.env),
        stdin: match &arguments.stdin {
            Some(path) => Some(std::fs::read(path).map_err(read_error(path))?),
            None => None,
        },
        files: None,
    };
    if let Some(path) = &arguments.task {
        let (module, task) = run_task::open(path, &arguments.input, "/")?;
        modules.add(module);
        brought.files = Some(task.files);
    } else if arguments.input.is_given() {
        return Err(SetupError::NoTask);
    } else {
        brought.files = files(arguments)?;
    }
    Ok(Setup {
        receipts,
        modules,
        brought,
        signers,
        arguments,
    })
}

/// The input files; `None` if none are given.
fn files(arguments: &Arguments) -> Result<Option<verirun::fs::Filesystem>, SetupError> {
    if arguments.inputs.is_none() && arguments.dirs.is_empty() && arguments.mount_tar.is_empty() {
        return Ok(None);
    }
    let mut files = Task::default().files;
    if let Some(dir) = &arguments.inputs {
        host::copy_in(&mut files, dir, "")?;
    }
    for value in &arguments.dirs {
        let mount = Mount::parse(value)?;
        host::copy_in(&mut files, &mount.host, &mount.preopen.path)?;
    }
    for value in &arguments.mount_tar {
        let (file, guest) = split(value);
        host::mount_tar(&mut files, &file, &inside(guest.unwrap_or("/")))?;
    }
    Ok(Some(files))
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
