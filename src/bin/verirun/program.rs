//! The options that say what to run, shared by `run` and `pack`.

use crate::host::{self, HostError};
use crate::mounts::{Mount, MountError, inside, split};
use crate::options::{LimitOptions, OptionError, ProfileOptions};
use clap::Args;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use verirun::receipt::{PackageError, is_package, unpack};
use verirun::{Input, Module, StartError, Task};

/// The most bytes that a package may unpack to.
pub const LIMIT: u64 = 8 << 30;

/// What to run.
#[derive(Args)]
pub struct ProgramOptions {
    /// Copy a host folder in, and preopen it (as GUEST, or under its own name). With `::ro` behind
    /// GUEST the program can't change it; with `::ro-files` it can't change the files in it.
    /// Nothing is written back without --write-back.
    #[arg(long = "dir", value_name = "HOST[::GUEST[::ro]]")]
    dirs: Vec<String>,
    /// Set an environment variable of the guest; it sees no others.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<OsString>,
    /// Standard input from a file instead of ours.
    #[arg(long, value_name = "FILE")]
    stdin: Option<PathBuf>,
    /// Unpack a tar file at GUEST (default /).
    #[arg(long, value_name = "FILE[::GUEST]")]
    mount_tar: Vec<String>,
    /// The program (a WebAssembly module, binary or text) and its arguments; or a task package
    /// (.vtask), which has its own. Options behind the
    /// program are the program's, so the two are one list here.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_names = ["MODULE", "ARGS"])]
    command: Vec<OsString>,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    profile: ProfileOptions,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A file can't be read.
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// An option that does not exist.
    #[error("`{0}` is no option here; --help lists them")]
    Option(String),
    /// A bad environment variable.
    #[error("--env {0}: give it as NAME=VALUE")]
    Env(String),
    /// A bad mount.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// Host files can't be copied in.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A bad limit or choice.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// It can't run.
    #[error("{0}\n{hint}", hint = .0.hint())]
    Start(#[from] StartError),
    /// A bad package.
    #[error("{}: {cause}\n{hint}", .path.display(), hint = .cause.hint())]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: PackageError,
    },
    /// Something is given that a package has.
    #[error(
        "{} is a task package: arguments, files, input, limits and the profile's choices are in it, so leave out those options", .0.display()
    )]
    Twice(PathBuf),
    /// Standard input can't be read.
    #[error("can't read standard input: {0}")]
    Stdin(io::Error),
}

/// What standard input is if no file is given for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdinChoice {
    /// Ours, read when the program asks for it.
    Live,
    /// Ours, read to its end first, unless it is a terminal.
    Whole,
    /// Empty.
    Empty,
}

/// A module and a task.
pub struct Program {
    /// The module.
    pub module: Module,
    /// The task.
    pub task: Task,
    /// Where host folders are in it.
    pub mounts: Vec<Mount>,
}

fn read(path: &Path) -> Result<Vec<u8>, ProgramError> {
    std::fs::read(path).map_err(|cause| ProgramError::Read {
        path: path.to_owned(),
        cause,
    })
}

impl ProgramOptions {
    /// Whether a file is given for standard input.
    pub fn has_stdin(&self) -> bool {
        self.stdin.is_some()
    }

    /// Reads all that the options name.
    pub fn read(&self, choice: StdinChoice) -> Result<Program, ProgramError> {
        // clap requires at least one; an empty name is reported as a file that can't be read.
        let path = self.command.first().map(PathBuf::from).unwrap_or_default();
        // Options behind the program are the program's, so clap takes an unknown one for the program.
        let name = path.to_string_lossy();
        if name.starts_with('-') && !path.exists() {
            return Err(ProgramError::Option(name.into_owned()));
        }
        let bytes = read(&path)?;
        if is_package(&bytes) {
            return self.unpack(path, &bytes);
        }
        let module = Module::load(&path.to_string_lossy(), &bytes).map_err(StartError::from)?;
        let mut task = Task::default();
        let program = path.file_name().unwrap_or(path.as_os_str());
        task.args.push(program.as_encoded_bytes().to_vec());
        task.args.extend(
            self.command
                .iter()
                .skip(1)
                .map(|arg| arg.as_encoded_bytes().to_vec()),
        );
        for variable in &self.env {
            // Bytes, as the program's arguments: what an operating system passes need not be UTF-8.
            let bytes = variable.as_encoded_bytes();
            match bytes.iter().position(|&byte| byte == b'=') {
                None | Some(0) => {
                    return Err(ProgramError::Env(variable.to_string_lossy().into_owned()));
                }
                Some(_) => task.env.push(bytes.to_vec()),
            }
        }
        let terminal = io::stdin().is_terminal();
        task.stdin = match &self.stdin {
            Some(path) => Input::Bytes(read(path)?),
            // In which pieces a pipe delivers is chance, and a receipt is of what can be repeated.
            None if choice == StdinChoice::Whole && !terminal => {
                let mut bytes = Vec::new();
                let all = io::stdin().read_to_end(&mut bytes);
                all.map_err(ProgramError::Stdin)?;
                Input::Bytes(bytes)
            }
            None if choice == StdinChoice::Empty => Input::Bytes(Vec::new()),
            None => Input::Live { terminal },
        };
        task.limits = self.limits.read()?;
        self.profile.apply(&mut task)?;
        let mut mounts = Vec::new();
        for value in &self.dirs {
            let mount = Mount::parse(value)?;
            host::copy_in(&mut task.files, &mount.host, &mount.preopen.path)?;
            mounts.push(mount);
        }
        for value in &self.mount_tar {
            let (file, guest) = split(value);
            host::mount_tar(&mut task.files, &file, &inside(guest.unwrap_or("/")))?;
        }
        if !mounts.is_empty() {
            task.preopens = mounts.iter().map(|mount| mount.preopen.clone()).collect();
        }
        Ok(Program {
            module,
            task,
            mounts,
        })
    }

    fn unpack(&self, path: PathBuf, bytes: &[u8]) -> Result<Program, ProgramError> {
        let own = self.command.len() == 1
            && self.dirs.is_empty()
            && self.mount_tar.is_empty()
            && self.env.is_empty()
            && self.stdin.is_none()
            && self.limits.is_empty()
            && self.profile.is_default();
        if !own {
            return Err(ProgramError::Twice(path));
        }
        let package =
            unpack(bytes, LIMIT).map_err(|cause| ProgramError::Package { path, cause })?;
        Ok(Program {
            module: package.module,
            task: package.task,
            mounts: Vec::new(),
        })
    }
}
