//! Truebit's function tasks: a folder with `task.wasm`, and beside it `config.json`, `input.txt`
//! and `fs.tar`, each of them optional. The program reads `input.txt` and writes `output.txt`.
//!
//! No host access: whoever has the folder gives its files. `docs/tasks.md` is the format.

use super::{Config, ConfigError, LoadError, Module, Preopen, Task};
use crate::fs::{ArchiveError, Filesystem, FsError, ROOT, mount_tar_read_only, mount_zip};
use crate::task::Input;
use crate::wasi::EPOCH;
use std::collections::BTreeMap;

/// The program.
pub const MODULE: &str = "task.wasm";
/// Limits ([`Config`]).
pub const CONFIG: &str = "config.json";
/// What the program reads.
pub const INPUT: &str = "input.txt";
/// What the program writes.
pub const OUTPUT: &str = "output.txt";
/// More files, read-only.
pub const FILES: &str = "fs.tar";

/// The files of a folder that mean something; all others are left alone.
pub const NAMES: [&str; 4] = [MODULE, CONFIG, INPUT, FILES];

/// The files of a folder, by name.
pub type FolderFiles = BTreeMap<String, Vec<u8>>;

/// Why a folder is no task.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no program.
    #[error("there is no {MODULE}")]
    NoModule,
    /// Neither the folder nor the caller has an input.
    #[error("there is no {INPUT}, and no other input is given")]
    NoInput,
    /// The program can't run.
    #[error(transparent)]
    Module(#[from] LoadError),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `fs.tar` can't be unpacked.
    #[error("{FILES}: {0}")]
    Files(ArchiveError),
    /// The zip can't be unpacked.
    #[error(transparent)]
    Zip(ArchiveError),
    /// `fs.tar` has a file that the task itself brings or writes.
    #[error("{FILES} holds {0}, which is the task's own")]
    Reserved(&'static str),
    /// A file could not be put in place.
    #[error("{path}: {cause}")]
    Place {
        /// Which.
        path: &'static str,
        /// Why.
        #[source]
        cause: FsError,
    },
}

impl FolderError {
    /// A short name that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoModule => "no-task-module",
            Self::NoInput => "no-input",
            Self::Module(error) => error.code(),
            Self::Config(_) => "bad-config",
            Self::Files(_) | Self::Place { .. } => "bad-task-files",
            Self::Zip(_) => "bad-archive",
            Self::Reserved(_) => "reserved-file",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoModule => "Put the program there under this name, compiled for wasm32-wasip1.",
            Self::NoInput => {
                "Put an input.txt there, or give the input (which may be empty: --input \"\")."
            }
            Self::Module(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Files(_) => "Make it again, as a plain ustar archive with paths inside of it.",
            Self::Zip(_) => "Make the zip again: it may be damaged.",
            Self::Reserved(_) => "Make fs.tar without it.",
            Self::Place { .. } => "Make fs.tar again.",
        }
    }
}

/// A function task: program, configuration, and the files it finds.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The program.
    pub module: Module,
    /// What `config.json` says; nothing, if there is none.
    pub config: Config,
    /// `input.txt`, if the folder has one.
    pub input: Option<Vec<u8>>,
    files: Filesystem,
}

impl Folder {
    /// Reads a folder from its files. Only those called [`NAMES`] are looked at. `limit` is the
    /// most bytes that `fs.tar` may unpack to.
    ///
    /// # Errors
    /// The first thing that keeps it from being a task.
    pub fn open(files: &FolderFiles, limit: u64) -> Result<Self, FolderError> {
        let wasm = files.get(MODULE).ok_or(FolderError::NoModule)?;
        let config = match files.get(CONFIG) {
            Some(text) => Config::parse(text)?,
            None => Config::default(),
        };
        let module = Module::load(MODULE, wasm)?;
        let mut tree = Filesystem::new(EPOCH);
        if let Some(archive) = files.get(FILES) {
            mount_tar_read_only(&mut tree, ROOT, &archive[..], limit, EPOCH)
                .map_err(FolderError::Files)?;
            for name in [INPUT, OUTPUT] {
                if tree.lookup(ROOT, name).is_ok() {
                    return Err(FolderError::Reserved(name));
                }
            }
        }
        Ok(Self {
            module,
            config,
            input: files.get(INPUT).cloned(),
            files: tree,
        })
    }

    /// The task with this input, or with the folder's own. It has the limits of `config.json`, one
    /// argument (its name), no environment and no standard input. The root directory is
    /// preopened as `preopen`.
    ///
    /// # Errors
    /// If there is no input.
    pub fn task(&self, input: Option<&[u8]>, preopen: &str) -> Result<Task, FolderError> {
        let input = input.or(self.input.as_deref());
        let input = input.ok_or(FolderError::NoInput)?;
        let mut files = self.files.clone();
        let placed = files
            .create_file(ROOT, INPUT, EPOCH)
            .and_then(|file| files.write(file, 0, input, EPOCH));
        placed.map_err(|cause| FolderError::Place { path: INPUT, cause })?;
        Ok(Task {
            args: vec![MODULE.into()],
            stdin: Input::Bytes(Vec::new()),
            files,
            preopens: vec![Preopen::new(preopen, "")],
            limits: self.config.limits,
            ..Task::default()
        })
    }
}

/// The files of a folder in a zip: those beside its `task.wasm`, which lies at the top or in the
/// only folder that has one. `limit` is the most bytes that the zip may unpack to.
///
/// # Errors
/// If the zip can't be unpacked, or has no `task.wasm` there.
pub fn from_zip(zip: &[u8], limit: u64) -> Result<FolderFiles, FolderError> {
    let mut tree = Filesystem::new(EPOCH);
    mount_zip(&mut tree, ROOT, std::io::Cursor::new(zip), limit, EPOCH)
        .map_err(FolderError::Zip)?;
    let mut folders = vec![ROOT];
    if tree.lookup(ROOT, MODULE).is_err() {
        let list = tree.list(ROOT).map_err(|_| FolderError::NoModule)?;
        folders = list
            .map(|(_, ino)| ino)
            .filter(|&ino| tree.lookup(ino, MODULE).is_ok())
            .collect();
    }
    let [folder] = folders[..] else {
        return Err(FolderError::NoModule);
    };
    let mut files = FolderFiles::new();
    for name in NAMES {
        if let Ok(content) = tree.lookup(folder, name).and_then(|ino| tree.content(ino)) {
            files.insert(name.to_owned(), read(content));
        }
    }
    match files.contains_key(MODULE) {
        true => Ok(files),
        false => Err(FolderError::NoModule),
    }
}

fn read(content: &crate::fs::Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    content.for_each_block(|block| bytes.extend_from_slice(block));
    bytes
}

/// Why a run gave no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoOutput {
    /// It is not there, or is no file.
    #[error("it wrote no {OUTPUT}")]
    Missing,
    /// It is empty.
    #[error("its {OUTPUT} is empty")]
    Empty,
    /// It is larger than can be taken out: a sparse file, say.
    #[error("its {OUTPUT} has {0} bytes, which is more than can be printed")]
    TooBig(u64),
}

/// What a run left in `output.txt`: the result of a function task. One that is missing or empty
/// means that the task failed. A symbolic link is not followed.
///
/// # Errors
/// If there is none, or it has more than `limit` bytes.
pub fn output(files: &Filesystem, limit: u64) -> Result<Vec<u8>, NoOutput> {
    let content = files
        .lookup(ROOT, OUTPUT)
        .and_then(|ino| files.content(ino));
    match content {
        Err(_) => Err(NoOutput::Missing),
        Ok(content) if content.is_empty() => Err(NoOutput::Empty),
        Ok(content) if content.len() > limit => Err(NoOutput::TooBig(content.len())),
        Ok(content) => Ok(read(content)),
    }
}
