//! The filesystem as a person sees it: paths, what a run changed, and filling it from outside.

use super::{Directory, Filesystem, FsError, Ino, Inode, Kind, Name, Node, ROOT, Times};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an entry differs from the run's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is as it was.
    Same,
    /// It was not there before.
    Added,
    /// Its kind, content or target is another.
    Modified,
    /// It is gone.
    Removed,
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Path from the root, without a leading slash.
    pub path: String,
    /// What it is (before the run, for what the run removed).
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Size in bytes; 0 for directories.
    pub size: u64,
    /// How it differs from the inputs.
    pub change: Change,
    /// Where a symbolic link points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// All paths of `fs` below the root, sorted by bytes.
fn walk(fs: &Filesystem) -> BTreeMap<String, Ino> {
    let mut paths = BTreeMap::new();
    // A list of directories still to visit rather than recursion: depth is the guest's choice.
    let mut pending = vec![(String::new(), ROOT)];
    while let Some((prefix, dir)) = pending.pop() {
        let Ok(list) = fs.list(dir) else { continue };
        for (name, ino) in list {
            let path = match &*prefix {
                "" => name.to_string(),
                prefix => format!("{prefix}/{name}"),
            };
            if fs.directory(ino).is_ok() {
                pending.push((path.clone(), ino));
            }
            paths.insert(path, ino);
        }
    }
    paths
}

fn entry(fs: &Filesystem, path: String, ino: Ino, change: Change) -> Option<Entry> {
    let metadata = fs.metadata(ino).ok()?;
    Some(Entry {
        path,
        kind: metadata.kind,
        size: metadata.size,
        change,
        target: fs.symlink_target(ino).ok().map(str::to_owned),
    })
}

/// All entries of `fs`, sorted by path, each marked [`Change::Same`].
pub fn entries(fs: &Filesystem) -> Vec<Entry> {
    let paths = walk(fs).into_iter();
    paths
        .filter_map(|(path, ino)| entry(fs, path, ino, Change::Same))
        .collect()
}

/// All entries of `after`, and those that only `before` has, each with how it changed.
pub fn changes(before: &Filesystem, after: &Filesystem) -> Vec<Entry> {
    let mut old = walk(before);
    let mut all: Vec<Entry> = walk(after)
        .into_iter()
        .filter_map(|(path, ino)| {
            let change = match old.remove(&path) {
                None => Change::Added,
                Some(previous) if same(before, previous, after, ino) => Change::Same,
                Some(_) => Change::Modified,
            };
            entry(after, path, ino, change)
        })
        .collect();
    let gone = old.into_iter();
    all.extend(gone.filter_map(|(path, ino)| entry(before, path, ino, Change::Removed)));
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

fn same(before: &Filesystem, old: Ino, after: &Filesystem, new: Ino) -> bool {
    match (before.content(old), after.content(new)) {
        (Ok(a), Ok(b)) => a.same_bytes(b),
        (Err(_), Err(_)) => match (before.symlink_target(old), after.symlink_target(new)) {
            (Ok(a), Ok(b)) => a == b,
            (a, b) => a.is_err() && b.is_err(),
        },
        _ => false,
    }
}

/// Splits a path given from outside the run into components: `.` and empty ones are dropped (so a
/// leading slash means the root), `..` and NUL are refused.
fn components(path: &str) -> Result<Vec<&str>, FsError> {
    let parts: Vec<_> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err(FsError::Escape);
    }
    Ok(parts)
}

impl Filesystem {
    /// The inode at `path` from the root, symbolic links not followed.
    pub fn find(&self, path: &str) -> Result<Ino, FsError> {
        let mut current = ROOT;
        for name in components(path)? {
            current = self.lookup(current, name)?;
        }
        Ok(current)
    }

    /// The same tree, as if it had been made at `now` in the order of its paths (sorted by bytes):
    /// inode numbers, which a guest can see, then follow from the paths alone, not from the order in
    /// which an archive or a folder was read. Hard links and what is read-only stay; what has no
    /// name any more is left out.
    #[must_use]
    pub fn canonical(&self, now: u64) -> Self {
        let mut numbers = BTreeMap::from([(ROOT, ROOT)]);
        for ino in walk(self).into_values() {
            let next = Ino(ROOT.0 + numbers.len() as u64);
            numbers.entry(ino).or_insert(next);
        }
        let mut names = 0;
        let mut stored = 0;
        let mut inodes = BTreeMap::new();
        let number = |old: &Ino| numbers.get(old).copied();
        for (old, &new) in &numbers {
            let Ok(inode) = self.inode(*old) else {
                continue;
            };
            let node = match &inode.node {
                Node::File(content) => {
                    stored += content.stored();
                    Node::File(content.clone())
                }
                Node::Symlink(target) => Node::Symlink(target.clone()),
                Node::Directory(directory) => {
                    let mut entries = BTreeMap::new();
                    for (name, found) in &directory.entries {
                        let Some(ino) = number(&found.ino) else {
                            continue;
                        };
                        entries.insert(name.clone(), Name { ino, serial: names });
                        names += 1;
                    }
                    Node::Directory(Directory {
                        entries,
                        parent: directory.parent.as_ref().and_then(number),
                    })
                }
            };
            let inode = Inode {
                node,
                links: inode.links,
                open: 0,
                times: Times::at(now),
                read_only: inode.read_only,
                version: 0,
            };
            inodes.insert(new, inode);
        }
        Self {
            next: ROOT.0 + numbers.len() as u64,
            inodes,
            names,
            stored,
            version: 0,
        }
    }

    /// Makes directory `path` below `base` with all its parents; returns the last one.
    ///
    /// # Errors
    /// ENOTDIR if something else, a symbolic link too, stands in the way.
    pub fn create_directories(&mut self, base: Ino, path: &str, now: u64) -> Result<Ino, FsError> {
        let mut current = base;
        for name in components(path)? {
            current = match self.lookup(current, name) {
                Ok(found) => self.directory(found).map(|_| found)?,
                Err(FsError::NotFound) => self.create_directory(current, name, now)?,
                Err(error) => return Err(error),
            };
        }
        Ok(current)
    }

    /// Makes the directories that hold `path`; returns the last of them and the last component.
    pub(super) fn create_parents<'a>(
        &mut self,
        base: Ino,
        path: &'a str,
        now: u64,
    ) -> Result<(Ino, &'a str), FsError> {
        let parts = components(path)?;
        let (name, parents) = parts.split_last().ok_or(FsError::IsDirectory)?;
        Ok((
            self.create_directories(base, &parents.join("/"), now)?,
            name,
        ))
    }

    /// Makes an empty file at `path` below `base`, with its parents, in place of a file or symbolic
    /// link of that name.
    pub fn replace_file(&mut self, base: Ino, path: &str, now: u64) -> Result<Ino, FsError> {
        let (dir, name) = self.create_parents(base, path, now)?;
        match self.unlink(dir, name, now) {
            Ok(()) | Err(FsError::NotFound) => self.create_file(dir, name, now),
            Err(error) => Err(error),
        }
    }

    /// Removes what is at `path` below the root, a directory with all it holds.
    pub fn remove_all(&mut self, path: &str, now: u64) -> Result<(), FsError> {
        let parts = components(path)?;
        let (name, parents) = parts.split_last().ok_or(FsError::Busy)?;
        let parent = self.find(&parents.join("/"))?;
        let mut pending = vec![(parent, (*name).to_owned())];
        // A directory stays on the list until its entries, pushed behind it, are gone.
        while let Some((dir, name)) = pending.last().cloned() {
            let ino = self.lookup(dir, &name)?;
            match self.remove_directory(dir, &name, now) {
                Err(FsError::NotDirectory) => self.unlink(dir, &name, now)?,
                Err(FsError::NotEmpty) => {
                    let names: Vec<_> = self
                        .list(ino)?
                        .map(|(name, _)| (ino, name.to_string()))
                        .collect();
                    pending.extend(names);
                    continue;
                }
                result => result?,
            }
            pending.pop();
        }
        Ok(())
    }
}
