//! The digest of a task's input files.

use super::compare::Difference;
use super::digest::{Digest, merkle_root, of_content};
use super::format::{Blob, FileRoot, NoReceipt, Quantity, canonical};
use super::shown;
use crate::fs::{Entry, Filesystem, Ino, Kind, ROOT, entries};
use crate::wasi::EPOCH;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bytes of files that a receipt digests, holes included: a program can make a file of
/// 2^63 - 1 bytes that holds nothing, which no one can hash.
pub const MAX_HASHED: u64 = 16 << 30;

/// One path of the input files, as it is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputFile {
    /// From the root, without a leading slash.
    pub path: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: InputKind,
    /// Bytes of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// The digest of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Where a symbolic link points; of a hard link, the first path of the same inode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether it can't be changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// What a path of the input files is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of an inode whose first path came before.
    Hardlink,
}

/// Refuses files that are together larger than [`MAX_HASHED`].
pub(super) fn check_size<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<(), NoReceipt> {
    let mut total = 0u64;
    for entry in entries {
        total = total.saturating_add(entry.size);
        if total > MAX_HASHED {
            return Err(NoReceipt::TooBig {
                path: entry.path.clone(),
                size: entry.size,
            });
        }
    }
    Ok(())
}

/// All paths of `files`, sorted by bytes, with what a guest can see of them: kind, content, target,
/// hard links, and whether they are read-only.
///
/// # Errors
/// If they are too large.
pub fn list_files(files: &Filesystem) -> Result<Vec<InputFile>, NoReceipt> {
    let all = entries(files);
    check_size(all.iter())?;
    let mut first: BTreeMap<Ino, String> = BTreeMap::new();
    let mut list = Vec::with_capacity(all.len());
    for entry in all {
        let Ok(ino) = files.find(&entry.path) else {
            continue;
        };
        let earlier = first.get(&ino);
        let content = files.content(ino).ok().filter(|_| earlier.is_none());
        list.push(InputFile {
            kind: match entry.kind {
                _ if earlier.is_some() => InputKind::Hardlink,
                Kind::File => InputKind::File,
                Kind::Directory => InputKind::Directory,
                Kind::Symlink => InputKind::Symlink,
            },
            size: content.map(|content| Quantity(content.len())),
            sha256: content.map(of_content),
            target: earlier.cloned().or(entry.target),
            read_only: files.check_writable(ino).is_err(),
            path: entry.path.clone(),
        });
        first.entry(ino).or_insert(entry.path);
    }
    Ok(list)
}

/// The digest of input files: a Merkle root over what [`list_files`] gives.
pub fn root_of(list: &[InputFile]) -> FileRoot {
    FileRoot {
        count: Quantity(list.len() as u64),
        root: merkle_root(list.iter().map(canonical)),
    }
}

/// Adds to `files`, in which the regular files of `list` lie, what else it has: directories, links,
/// and what is read-only. What can't be made is left out: the digest of the whole tells.
pub(super) fn complete(files: &mut Filesystem, list: &[InputFile]) {
    for file in list {
        let target = file.target.as_deref().unwrap_or_default();
        let (parent, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let parent = match parent {
            "" => Ok(ROOT),
            parent => files.create_directories(ROOT, parent, EPOCH),
        };
        let made = parent.and_then(|parent| match file.kind {
            InputKind::File => Ok(()),
            InputKind::Directory => files.create_directories(ROOT, &file.path, EPOCH).map(drop),
            InputKind::Symlink => files.create_symlink(parent, name, target, EPOCH).map(drop),
            InputKind::Hardlink => {
                let ino = files.find(target)?;
                files.link(ino, parent, name, EPOCH)
            }
        });
        let _ = made;
    }
    for file in list.iter().filter(|file| file.read_only) {
        if let Ok(ino) = files.find(&file.path) {
            files.set_read_only(ino);
        }
    }
}

/// The first path in which `found` is different from `said`, with what either has.
pub(super) fn first_difference(said: &[InputFile], found: &[InputFile]) -> Option<Difference> {
    let index = (0..said.len().max(found.len())).find(|&i| said.get(i) != found.get(i))?;
    let describe = |file: &InputFile| {
        let read_only = if file.read_only { ", read-only" } else { "" };
        let what = match (file.kind, file.size, file.sha256, &file.target) {
            (_, Some(size), Some(sha256), _) => Blob { size, sha256 }.to_string(),
            (InputKind::Symlink, .., Some(target)) => format!("a symbolic link to `{target}`"),
            (InputKind::Hardlink, .., Some(target)) => format!("a hard link to `{target}`"),
            _ => "a directory".to_owned(),
        };
        shown(&format!("{what}{read_only}"))
    };
    let none = || "no such path".to_owned();
    let (a, b) = (said.get(index), found.get(index));
    // Both are sorted: the lesser path is what one of them lacks.
    let (path, a, b) = match (a, b) {
        (Some(a), Some(b)) if a.path == b.path => (&a.path, describe(a), describe(b)),
        (Some(a), b) if b.is_none_or(|b| a.path < b.path) => (&a.path, describe(a), none()),
        (_, Some(b)) => (&b.path, none(), describe(b)),
        (_, None) => return None,
    };
    let found = format!("what is given has {b}");
    let what = format!("input file {}", shown(path));
    Some(Difference::new(what, a, found))
}
