//! Reading a package: nothing is taken that is not listed or has another digest.

use super::super::given::{Given, Text};
use super::super::parse::{Envelope, MAX_RECEIPT, check_path, read_strictly};
use super::super::rerun::{Brought, Refusal, make_task};
use super::super::tree::{self, InputFile, InputKind};
use super::super::{Blob, Digest, List, StdinKind, TaskPart, shown};
use super::{
    INPUTS, MANIFEST, MODULE, Manifest, PACKAGE_VERSION, Package, PackageError, RECEIPT, STDIN,
    URL, check_receipt, damaged,
};
use crate::fs::{Filesystem, FsError, ROOT};
use crate::wasi::EPOCH;
use crate::{Module, Task};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

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

/// A package that was read: everything in it has the digest that stands in its `task.json`, and all
/// of it together is a task. The module is not looked at yet.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// What it lists.
    pub manifest: Manifest,
    /// The binary; `None` in a link that has only its address.
    pub module: Option<Vec<u8>>,
    /// Where a link says that the binary is.
    pub url: Option<String>,
    /// The task.
    pub task: Task,
    /// A receipt of it, if there is one.
    pub receipt: Option<Envelope>,
}

/// The most bytes of an address.
const MAX_URL: u64 = 4096;

/// Reads and loads a package that unpacks to at most `limit` bytes. Everything in it is listed in
/// its `task.json` and has the digest that stands there.
///
/// # Errors
/// The first thing that is wrong.
pub fn unpack(bytes: &[u8], limit: u64) -> Result<Package, PackageError> {
    let unpacked = read_package(bytes, limit)?;
    let module = unpacked.module.unwrap_or_default();
    let mut task = unpacked.task;
    // A run that is compared with the receipt takes them too.
    let receipt = unpacked.receipt.as_ref();
    task.checkpoints = receipt.is_some_and(|envelope| envelope.receipt.checkpoints.is_some());
    Ok(Package {
        module: Module::load(&unpacked.manifest.name, &module)?,
        task,
        receipt: unpacked.receipt,
    })
}

/// Reads a package as [`unpack`] does, without loading the module.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_package(bytes: &[u8], limit: u64) -> Result<Unpacked, PackageError> {
    read_entries(&mut Entries::open(bytes, limit)?, false)
}

/// Reads what [`pack_linked`](super::pack_linked) or [`pack`](super::pack) made.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_linked(bytes: &[u8], limit: u64) -> Result<Unpacked, PackageError> {
    read_entries(&mut Entries::open(bytes, limit)?, true)
}

fn read_entries(entries: &mut Entries<'_>, by_url: bool) -> Result<Unpacked, PackageError> {
    let text = entries.take(MANIFEST, MAX_RECEIPT as u64)?;
    let text = text.ok_or_else(|| PackageError::Missing(MANIFEST.to_owned()))?;
    let manifest: Manifest = read_strictly(&text, "/version", PACKAGE_VERSION)
        .map_err(|error| PackageError::Manifest(error.to_string()))?;
    let url = match by_url {
        true => entries.take(URL, MAX_URL)?,
        false => None,
    };
    let url = url.map(|url| {
        String::from_utf8(url).map_err(|_| PackageError::Manifest("the address is no text".into()))
    });
    let url = url.transpose()?;
    let module = match url {
        Some(_) => None,
        None => Some(entries.listed(MODULE, manifest.module)?),
    };
    let stdin = match (manifest.stdin.kind, manifest.stdin.size) {
        (StdinKind::Bytes, Some(size)) if size.0 > 0 => {
            let sha256 = manifest.stdin.sha256;
            Some(entries.listed(STDIN, Blob { size, sha256 })?)
        }
        _ => None,
    };
    let files = read_files(&manifest, entries)?;
    let receipt = entries.take(RECEIPT, MAX_RECEIPT as u64)?;
    if let Some(name) = entries.names.keys().next() {
        return Err(PackageError::Unlisted(shown(name)));
    }
    let bytes = |list: &[Text]| list.iter().map(|text| text.0.clone()).collect::<Vec<_>>();
    let (args, env) = (bytes(&manifest.args), bytes(&manifest.env));
    let part = TaskPart {
        module: manifest.module,
        profile: manifest.profile.clone(),
        args: List::of(&args),
        env: List::of(&env),
        stdin: manifest.stdin,
        files: tree::root_of(&manifest.files),
        preopens: manifest.preopens.clone(),
        limits: manifest.limits,
    };
    part.check()?;
    let given = Given {
        pushed: manifest.pushed.clone(),
        files: Some(manifest.files.clone()),
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
    Ok(Unpacked {
        manifest,
        module,
        url,
        task,
        receipt,
    })
}

fn read_files(manifest: &Manifest, entries: &mut Entries<'_>) -> Result<Filesystem, PackageError> {
    let mut files = Filesystem::new(EPOCH);
    for file in &manifest.files {
        place(&mut files, file, entries).map_err(|error| match error {
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
    Ok(files)
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
