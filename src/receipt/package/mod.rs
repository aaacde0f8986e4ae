//! Task packages (`.vtask`): a task with everything it needs, and optionally a receipt, in one file.
//!
//! A zip that is only a store of bytes: `task.json` lists all that is in it by digest, and nothing
//! is taken that is not listed or has another digest. `docs/receipt.md` is the format.

mod read;

use super::digest::Digest;
use super::format::{LimitPart, NoReceipt, Profile, Stdin, TaskPart, canonical};
use super::given::{Event, Given, Text};
use super::parse::{Envelope, ParseError};
use super::tree::{self, InputFile, InputKind};
use super::{Blob, shown};
use crate::task::Input;
use crate::{LoadError, Module, Preopen, Task};
pub use read::{Unpacked, read_linked, read_package, unpack};
use serde::{Deserialize, Serialize};
use std::io::{Cursor, Write};

/// The version of the format.
pub const PACKAGE_VERSION: u64 = 1;
const MANIFEST: &str = "task.json";
const MODULE: &str = "module.wasm";
/// Only in a link, in place of the module.
const URL: &str = "module.url";
const STDIN: &str = "stdin";
const INPUTS: &str = "inputs/";
const RECEIPT: &str = "receipt.json";

/// `task.json`: all of a task but for bytes, which are there as digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`PACKAGE_VERSION`].
    pub version: u64,
    /// The binary.
    pub module: Blob,
    /// What the module's file is called.
    pub name: String,
    /// The deterministic profile.
    pub profile: Profile,
    /// The arguments, the program's name first.
    pub args: Vec<Text>,
    /// The environment, each `NAME=VALUE`.
    pub env: Vec<Text>,
    /// Standard input.
    pub stdin: Stdin,
    /// Events of live input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Vec<Event>>,
    /// All input files.
    pub files: Vec<InputFile>,
    /// The preopened directories.
    pub preopens: Vec<Preopen>,
    /// The limits.
    pub limits: LimitPart,
}

/// A task that was packed.
#[derive(Debug, Clone)]
pub struct Package {
    /// The module.
    pub module: Module,
    /// The task.
    pub task: Task,
    /// A receipt of it, if there is one. It is of this task; whether it is true, a run tells.
    pub receipt: Option<Envelope>,
}

/// Why a file is no package, or one can't be made.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It is no zip, or damaged.
    #[error("the package is damaged: {0}")]
    Zip(String),
    /// Something that must be there is not.
    #[error("the package has no `{0}`")]
    Missing(String),
    /// Something is there that `task.json` does not list.
    #[error("the package holds `{0}`, which its task.json does not list")]
    Unlisted(String),
    /// It unpacks to more than is allowed.
    #[error("the package would unpack to more than {0} bytes")]
    TooBig(u64),
    /// An entry has other bytes than `task.json` says.
    #[error("the package's `{0}` is not what its task.json says: it was changed or damaged")]
    Digest(String),
    /// `task.json` is wrong.
    #[error("the package's task.json is wrong: {0}")]
    Manifest(String),
    /// The receipt can't be read.
    #[error("the package's receipt: {0}")]
    Receipt(#[from] ParseError),
    /// The receipt is of another task.
    #[error("the receipt is of another task: its digest is {said}, that of this one is {found}")]
    OtherTask {
        /// The task's digest in the receipt.
        said: Digest,
        /// That of the task here.
        found: Digest,
    },
    /// The files can't be digested.
    #[error(transparent)]
    Files(#[from] NoReceipt),
    /// The module can't run.
    #[error(transparent)]
    Module(#[from] LoadError),
}

impl PackageError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::OtherTask { .. } => "Pack the task with exactly what it was run with.",
            Self::Module(error) => error.hint(),
            Self::TooBig(_) | Self::Files(_) => "Give it smaller files.",
            _ => "Get the package again from whoever made it (`verirun pack` makes one).",
        }
    }
}

fn damaged(error: impl std::fmt::Display) -> PackageError {
    PackageError::Zip(shown(&error.to_string()))
}

/// Packs a task and, if there is one, its receipt. The same content gives the same bytes, on every
/// machine; so nothing is compressed, since compressors differ.
///
/// # Errors
/// If the files are too large, or the receipt is of another task.
pub fn pack(
    module: &Module,
    task: &Task,
    receipt: Option<&Envelope>,
) -> Result<Vec<u8>, PackageError> {
    write((MODULE, &module.wasm), module, task, receipt)
}

/// As [`pack`], with the address of the module in its place: what a link holds of a large one.
/// [`unpack`] refuses it, since a package is complete.
///
/// # Errors
/// As [`pack`].
pub fn pack_linked(
    module: &Module,
    task: &Task,
    receipt: Option<&Envelope>,
    url: &str,
) -> Result<Vec<u8>, PackageError> {
    write((URL, url.as_bytes()), module, task, receipt)
}

/// Writes a package with `source` for the module: an entry's name and its bytes.
fn write(
    source: (&str, &[u8]),
    module: &Module,
    task: &Task,
    receipt: Option<&Envelope>,
) -> Result<Vec<u8>, PackageError> {
    let files = tree::list_files(&task.files)?;
    let part = TaskPart::new(module, task, &[], &files);
    check_receipt(receipt, &part)?;
    let texts = |items: &[Vec<u8>]| items.iter().cloned().map(Text).collect();
    let manifest = Manifest {
        version: PACKAGE_VERSION,
        module: part.module,
        name: Given::name_of(module).unwrap_or_else(|| MODULE.to_owned()),
        profile: part.profile,
        args: texts(&task.args),
        env: texts(&task.env),
        stdin: part.stdin,
        pushed: match &task.stdin {
            Input::Script { pushed, .. } => Some(pushed.iter().cloned().map(Event::from).collect()),
            _ => None,
        },
        preopens: part.preopens,
        limits: part.limits,
        files,
    };
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, size: u64, write: &mut dyn FnMut(&mut dyn Write)| {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644)
            .large_file(size > u64::from(u32::MAX));
        zip.start_file(name, options).map_err(damaged)?;
        let mut result = Ok(());
        write(&mut Checked(&mut zip, &mut result));
        result.map_err(damaged)
    };
    let mut bytes = |name: &str, bytes: &[u8]| {
        add(name, bytes.len() as u64, &mut |out| {
            let _ = out.write_all(bytes);
        })
    };
    bytes(MANIFEST, &canonical(&manifest))?;
    bytes(source.0, source.1)?;
    if let Input::Bytes(stdin) = &task.stdin
        && !stdin.is_empty()
    {
        bytes(STDIN, stdin)?;
    }
    for file in &manifest.files {
        if file.kind != InputKind::File {
            continue;
        }
        let content = task.files.find(&file.path);
        let content = content.and_then(|ino| task.files.content(ino));
        let content = content.map_err(damaged)?;
        add(
            &format!("{INPUTS}{}", file.path),
            content.len(),
            &mut |out| {
                content.for_each_block(|block| {
                    let _ = out.write_all(block);
                });
            },
        )?;
    }
    if let Some(receipt) = receipt {
        let text = receipt.to_text();
        add(RECEIPT, text.len() as u64, &mut |out| {
            let _ = out.write_all(text.as_bytes());
        })?;
    }
    Ok(zip.finish().map_err(damaged)?.into_inner())
}

/// Keeps the first error of a writer.
struct Checked<'a, W: Write>(&'a mut W, &'a mut std::io::Result<()>);

impl<W: Write> Write for Checked<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.1.is_ok()
            && let Err(error) = self.0.write_all(bytes)
        {
            *self.1 = Err(error);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn check_receipt(receipt: Option<&Envelope>, part: &TaskPart) -> Result<(), PackageError> {
    match receipt {
        Some(envelope) if envelope.receipt.task != *part => Err(PackageError::OtherTask {
            said: envelope.receipt.task.id(),
            found: part.id(),
        }),
        _ => Ok(()),
    }
}

/// Whether `bytes` look like a package (a zip) rather than a module.
pub fn is_package(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}
