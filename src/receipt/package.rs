//! Task packages (`.vtask`): a task with everything it needs, and optionally a receipt, in one file.
//!
//! A zip that is only a store of bytes: `task.json` lists all that is in it by digest, and nothing
//! is taken that is not listed or has another digest. `docs/receipt.md` is the format.

use super::digest::Digest;
use super::format::{LimitPart, NoReceipt, Profile, Stdin, StdinKind, TaskPart, canonical};
use super::given::{Event, Given, Text};
use super::parse::{Envelope, MAX_RECEIPT, ParseError, check_path, read_strictly};
use super::rerun::{Brought, Refusal, make_task};
use super::tree::{self, InputFile, InputKind};
use super::{Blob, shown};
use crate::fs::{Filesystem, FsError, ROOT};
use crate::task::Input;
use crate::wasi::{EPOCH, Pushed};
use crate::{LoadError, Module, Preopen, Task};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

/// The version of the format.
pub const PACKAGE_VERSION: u64 = 1;
const MANIFEST: &str = "task.json";
const MODULE: &str = "module.wasm";
const STDIN: &str = "stdin";
const INPUTS: &str = "inputs/";
const RECEIPT: &str = "receipt.json";

/// `task.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u64,
    module: Blob,
    name: String,
    profile: Profile,
    args: Vec<Text>,
    env: Vec<Text>,
    stdin: Stdin,
    /// Events of live input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pushed: Option<Vec<Event>>,
    files: Vec<InputFile>,
    preopens: Vec<Preopen>,
    limits: LimitPart,
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
    bytes(MODULE, &module.wasm)?;
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

/// The entries of a zip, read one by one, within a budget.
struct Entries<'a> {
    zip: zip::ZipArchive<Cursor<&'a [u8]>>,
    /// Names not read yet.
    names: BTreeMap<String, usize>,
    limit: u64,
    left: u64,
}

impl<'a> Entries<'a> {
    fn open(bytes: &'a [u8], limit: u64) -> Result<Self, PackageError> {
        let zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        let mut names = BTreeMap::new();
        for index in 0..zip.len() {
            let name = zip.name_for_index(index).unwrap_or_default().to_owned();
            if names.insert(name.clone(), index).is_some() {
                let name = shown(&name);
                return Err(damaged(format_args!("`{name}` is in it twice")));
            }
        }
        Ok(Self {
            zip,
            names,
            limit,
            left: limit,
        })
    }

    /// The bytes of an entry: not more than `most`, and not more than the budget has left.
    fn take(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, PackageError> {
        let Some(index) = self.names.remove(name) else {
            return Ok(None);
        };
        let most = most.min(self.left);
        let entry = self.zip.by_index(index).map_err(damaged)?;
        let mut bytes = Vec::new();
        let read = entry.take(most.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| damaged(format_args!("`{}`: {error}", shown(name))))?;
        match bytes.len() as u64 {
            len if len <= most => {
                self.left -= len;
                Ok(Some(bytes))
            }
            _ if most == self.left => Err(PackageError::TooBig(self.limit)),
            _ => Err(PackageError::Digest(shown(name))),
        }
    }

    /// As [`Entries::take`], of an entry that is there and has this size and digest.
    fn listed(&mut self, name: &str, blob: Blob) -> Result<Vec<u8>, PackageError> {
        if blob.size.0 > self.left {
            return Err(PackageError::TooBig(self.limit));
        }
        let bytes = self.take(name, blob.size.0)?;
        let bytes = bytes.ok_or_else(|| PackageError::Missing(shown(name)))?;
        match bytes.len() as u64 == blob.size.0 && Digest::of(&bytes) == blob.sha256 {
            true => Ok(bytes),
            false => Err(PackageError::Digest(shown(name))),
        }
    }
}

/// Reads a package that unpacks to at most `limit` bytes. Everything in it is listed in its
/// `task.json` and has the digest that stands there.
///
/// # Errors
/// The first thing that is wrong.
pub fn unpack(bytes: &[u8], limit: u64) -> Result<Package, PackageError> {
    let mut entries = Entries::open(bytes, limit)?;
    let text = entries.take(MANIFEST, MAX_RECEIPT as u64)?;
    let text = text.ok_or_else(|| PackageError::Missing(MANIFEST.to_owned()))?;
    let manifest: Manifest = read_strictly(&text, "/version", PACKAGE_VERSION)
        .map_err(|error| PackageError::Manifest(error.to_string()))?;
    let module = entries.listed(MODULE, manifest.module)?;
    let stdin = match (manifest.stdin.kind, manifest.stdin.size) {
        (StdinKind::Bytes, Some(size)) if size.0 > 0 => {
            let sha256 = manifest.stdin.sha256;
            Some(entries.listed(STDIN, Blob { size, sha256 })?)
        }
        _ => None,
    };
    let mut files = Filesystem::new(EPOCH);
    for file in &manifest.files {
        place(&mut files, file, &mut entries).map_err(|error| match error {
            Placed::Package(error) => error,
            Placed::Fs(cause) => PackageError::Manifest(format!("{}: {cause}", shown(&file.path))),
        })?;
    }
    for file in manifest.files.iter().filter(|file| file.read_only) {
        // It was just made.
        if let Ok(ino) = files.find(&file.path) {
            files.set_read_only(ino);
        }
    }
    let receipt = entries.take(RECEIPT, MAX_RECEIPT as u64)?;
    if let Some(name) = entries.names.keys().next() {
        return Err(PackageError::Unlisted(shown(name)));
    }
    let module = Module::load(&manifest.name, &module)?;
    let args: Vec<_> = manifest.args.into_iter().map(|text| text.0).collect();
    let env: Vec<_> = manifest.env.into_iter().map(|text| text.0).collect();
    let pushed = manifest.pushed.map(|events| {
        let pushed: Vec<Pushed> = events.iter().map(Pushed::from).collect();
        pushed
    });
    let part = TaskPart {
        module: manifest.module,
        profile: manifest.profile,
        args: super::List::of(&args),
        env: super::List::of(&env),
        stdin: manifest.stdin,
        files: tree::root_of(&manifest.files),
        preopens: manifest.preopens,
        limits: manifest.limits,
    };
    part.check()?;
    let given = Given {
        pushed: pushed.map(|events| events.into_iter().map(Event::from).collect()),
        files: Some(manifest.files),
        ..Given::default()
    };
    let brought = Brought {
        args: Some(args),
        env: Some(env),
        stdin,
        files: Some(files),
    };
    let task = make_task(&part, given, brought).map_err(|refusal| match refusal {
        Refusal::Different(difference) => PackageError::Manifest(difference.to_string()),
        Refusal::Missing(what) => PackageError::Manifest(what),
    })?;
    let receipt = receipt.map(|text| Envelope::parse(&text)).transpose()?;
    check_receipt(receipt.as_ref(), &part)?;
    Ok(Package {
        module,
        task,
        receipt,
    })
}

enum Placed {
    Fs(FsError),
    Package(PackageError),
}

impl From<FsError> for Placed {
    fn from(error: FsError) -> Self {
        Self::Fs(error)
    }
}

/// Makes one of the input files. Whether the whole tree is what the list says is checked later, by
/// its digest.
fn place(
    files: &mut Filesystem,
    file: &InputFile,
    entries: &mut Entries<'_>,
) -> Result<(), Placed> {
    check_path("files", &file.path)
        .map_err(|error| Placed::Package(PackageError::Manifest(error.to_string())))?;
    let (parent, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let parent = match parent {
        "" => ROOT,
        parent => files.find(parent)?,
    };
    let target = file.target.as_deref().unwrap_or_default();
    match file.kind {
        InputKind::Directory => drop(files.create_directory(parent, name, EPOCH)?),
        InputKind::Symlink => drop(files.create_symlink(parent, name, target, EPOCH)?),
        InputKind::Hardlink => {
            let ino = files.find(target)?;
            files.link(ino, parent, name, EPOCH)?;
        }
        InputKind::File => {
            let (Some(size), Some(sha256)) = (file.size, file.sha256) else {
                return Err(Placed::Fs(FsError::Invalid));
            };
            let bytes = entries
                .listed(&format!("{INPUTS}{}", file.path), Blob { size, sha256 })
                .map_err(Placed::Package)?;
            let ino = files.create_file(parent, name, EPOCH)?;
            files.write(ino, 0, &bytes, EPOCH)?;
        }
    }
    Ok(())
}
