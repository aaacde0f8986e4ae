//! The options that say what a receipt is checked with, shared by `verify` and `bisect`.

use crate::host::{self, HostError};
use crate::mounts::{Mount, MountError, inside, split};
use crate::run_task::{self, InputOptions, TaskError};
use crate::verify::modules::{ModuleError, Modules};
use clap::Args;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use verirun::Task;
use verirun::receipt::Brought;

/// What a receipt is checked with.
#[derive(Args)]
pub struct BroughtOptions {
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
}

/// What is given can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BroughtError {
    /// A file can't be read.
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The input of a function task without the task.
    #[error("--input and its like are the input of a function task; give it with --task")]
    NoTask,
    /// A bad module.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// A bad mount.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// Host files can't be copied in.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A bad function task.
    #[error(transparent)]
    Task(#[from] TaskError),
}

impl BroughtOptions {
    /// Reads all that the options name.
    pub fn read(&self) -> Result<(Modules, Brought), BroughtError> {
        let mut modules = Modules::read(&self.modules)?;
        let bytes = |items: &[OsString]| {
            let list = items.iter().map(|item| item.as_encoded_bytes().to_vec());
            (!items.is_empty()).then(|| list.collect())
        };
        let stdin = self.stdin.as_ref().map(|path| {
            std::fs::read(path).map_err(|cause| BroughtError::Read {
                path: path.clone(),
                cause,
            })
        });
        let mut brought = Brought {
            args: bytes(&self.args),
            env: bytes(&self.env),
            stdin: stdin.transpose()?,
            files: None,
        };
        if let Some(path) = &self.task {
            let (module, task) = run_task::open(path, &self.input, "/")?;
            modules.add(module);
            brought.files = Some(task.files);
        } else if self.input.is_given() {
            return Err(BroughtError::NoTask);
        } else {
            brought.files = self.files()?;
        }
        Ok((modules, brought))
    }

    /// The input files; `None` if none are given.
    fn files(&self) -> Result<Option<verirun::fs::Filesystem>, BroughtError> {
        if self.inputs.is_none() && self.dirs.is_empty() && self.mount_tar.is_empty() {
            return Ok(None);
        }
        let mut files = Task::default().files;
        if let Some(dir) = &self.inputs {
            host::copy_in(&mut files, dir, "")?;
        }
        for value in &self.dirs {
            let mount = Mount::parse(value)?;
            host::copy_in(&mut files, &mount.host, &mount.preopen.path)?;
        }
        for value in &self.mount_tar {
            let (file, guest) = split(value);
            host::mount_tar(&mut files, &file, &inside(guest.unwrap_or("/")))?;
        }
        Ok(Some(files))
    }
}
