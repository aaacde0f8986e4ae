//! The in-memory filesystem: inodes, paths, archives in and out, and what a run changed.
//!
//! It knows nothing of WASI, of engines or of the host. It is deterministic: listings are sorted by
//! the bytes of the names, inode numbers follow the order of creation, and every time comes from
//! the caller (the profile's clock). Cloning is cheap (file blocks are shared copy-on-write), which
//! is how a run starts from the task's inputs without changing them.

mod archive;
mod content;
mod error;
mod path;
mod tree;
mod view;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

pub use archive::{ArchiveError, MAX_EXPORT, mount_tar, mount_tar_read_only, mount_zip, write_zip};
pub use content::{BLOCK, Content, MAX_FILE_SIZE};
pub use error::FsError;
pub use path::{MAX_NAME, MAX_PATH, MAX_SYMLINKS, Place};
pub use tree::{Change, Entry, changes, entries};
pub use view::InodeView;

/// The most inodes that a filesystem holds. Past it, creating fails with ENOSPC: empty files cost
/// no file bytes, but they cost memory, and the bound must be the same on every machine.
pub const MAX_INODES: usize = 1 << 20;

/// The most names one inode may have (as ext4).
pub const MAX_LINKS: u64 = 65_000;

/// An inode number. Numbers follow the order of creation and are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(pub u64);

/// The three times of an inode, in nanoseconds of the profile's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Last access; set at creation and by `*_filestat_set_times` only (as a `noatime` mount does).
    pub accessed: u64,
    /// Last change of the content.
    pub modified: u64,
    /// Last change of the inode.
    pub changed: u64,
}

/// What kind of object an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
}

/// What `stat` tells of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The inode's number.
    pub ino: Ino,
    /// The inode's kind.
    pub kind: Kind,
    /// Names that refer to it; for a directory 2 plus its subdirectories, as on Unix.
    pub links: u64,
    /// Bytes of a file, or of a symlink's target; 0 for a directory.
    pub size: u64,
    /// Access, modification and change times.
    pub times: Times,
}

#[derive(Debug, Clone)]
struct Inode {
    node: Node,
    links: u64,
    /// Descriptors that refer to it: an inode lives while it has a link or is open.
    open: u64,
    times: Times,
    /// Neither it nor its names change any more.
    read_only: bool,
    /// [`Filesystem::version`] when it changed last.
    version: u64,
}

#[derive(Debug, Clone)]
enum Node {
    File(Content),
    Directory(Directory),
    Symlink(Arc<str>),
}

/// A name in a directory.
#[derive(Debug, Clone, Copy)]
struct Name {
    ino: Ino,
    /// How many names were made before it, in the whole filesystem.
    serial: u64,
}

#[derive(Debug, Clone)]
struct Directory {
    entries: BTreeMap<Arc<str>, Name>,
    /// The directory that holds this one; itself for the root, `None` once it is removed.
    parent: Option<Ino>,
}

/// A whole filesystem.
#[derive(Debug, Clone)]
pub struct Filesystem {
    inodes: BTreeMap<Ino, Inode>,
    next: u64,
    /// Names made so far.
    names: u64,
    /// Bytes stored in all files (see [`Content::stored`]).
    stored: u64,
    /// Changes so far.
    version: u64,
}

/// The root directory's inode number.
pub const ROOT: Ino = Ino(1);

impl Filesystem {
    /// An empty filesystem: a root directory made at `now` nanoseconds.
    pub fn new(now: u64) -> Self {
        let root = Inode {
            node: Node::Directory(Directory {
                entries: BTreeMap::new(),
                parent: Some(ROOT),
            }),
            links: 2,
            open: 0,
            times: Times::at(now),
            read_only: false,
            version: 0,
        };
        Self {
            inodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT.0 + 1,
            names: 0,
            stored: 0,
            version: 0,
        }
    }

    /// Bytes stored in all files: what a limit on file bytes counts.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    fn inode(&self, ino: Ino) -> Result<&Inode, FsError> {
        self.inodes.get(&ino).ok_or(FsError::NotFound)
    }

    /// Every change of an inode goes through here, but for what a task is set up with.
    fn inode_mut(&mut self, ino: Ino) -> Result<&mut Inode, FsError> {
        let inode = self.inodes.get_mut(&ino).ok_or(FsError::NotFound)?;
        self.version += 1;
        inode.version = self.version;
        Ok(inode)
    }

    fn directory(&self, ino: Ino) -> Result<&Directory, FsError> {
        match &self.inode(ino)?.node {
            Node::Directory(directory) => Ok(directory),
            _ => Err(FsError::NotDirectory),
        }
    }

    fn directory_mut(&mut self, ino: Ino) -> Result<&mut Directory, FsError> {
        match &mut self.inode_mut(ino)?.node {
            Node::Directory(directory) => Ok(directory),
            _ => Err(FsError::NotDirectory),
        }
    }

    /// The number that the next inode gets.
    fn next_ino(&self) -> Ino {
        Ino(self.next)
    }

    /// Makes every inode from number `first` on read-only: EROFS for whoever changes it, its names
    /// or its times.
    fn make_read_only(&mut self, first: Ino) {
        for (_, inode) in self.inodes.range_mut(first..) {
            inode.read_only = true;
        }
    }

    /// Makes `ino` read-only: EROFS for whoever changes it, its names or its times.
    pub fn set_read_only(&mut self, ino: Ino) {
        if let Some(inode) = self.inodes.get_mut(&ino) {
            inode.read_only = true;
        }
    }

    /// EROFS if `ino` is read-only.
    pub fn check_writable(&self, ino: Ino) -> Result<(), FsError> {
        match self.inode(ino)?.read_only {
            true => Err(FsError::ReadOnly),
            false => Ok(()),
        }
    }

    /// What `stat` tells of `ino`.
    pub fn metadata(&self, ino: Ino) -> Result<Metadata, FsError> {
        let inode = self.inode(ino)?;
        let (kind, size) = match &inode.node {
            Node::File(content) => (Kind::File, content.len()),
            Node::Directory(_) => (Kind::Directory, 0),
            Node::Symlink(target) => (Kind::Symlink, target.len() as u64),
        };
        Ok(Metadata {
            ino,
            kind,
            links: inode.links,
            size,
            times: inode.times,
        })
    }

    /// The inode called `name` in directory `dir`.
    pub fn lookup(&self, dir: Ino, name: &str) -> Result<Ino, FsError> {
        let found = self.directory(dir)?.entries.get(name);
        found.map(|found| found.ino).ok_or(FsError::NotFound)
    }

    /// The entries of directory `dir`, sorted by the bytes of their names, without `.` and `..`.
    pub fn list(&self, dir: Ino) -> Result<impl Iterator<Item = (&Arc<str>, Ino)>, FsError> {
        Ok(self
            .directory(dir)?
            .entries
            .iter()
            .map(|(name, found)| (name, found.ino)))
    }

    /// The first entry of directory `dir` whose name sorts behind `after` (the first of all for
    /// `None`) and is one of the first `names` that were made: see [`Filesystem::names`].
    pub fn next_entry(
        &self,
        dir: Ino,
        after: Option<&str>,
        names: u64,
    ) -> Result<Option<(&Arc<str>, Ino)>, FsError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = (self.directory(dir)?.entries).range::<str, _>((start, Bound::Unbounded));
        let mut old = rest.filter(|(_, found)| found.serial < names);
        Ok(old.next().map(|(name, found)| (name, found.ino)))
    }

    /// How many names were made so far, in all directories. Who remembers the number can tell the
    /// names of that time from newer ones.
    pub fn names(&self) -> u64 {
        self.names
    }

    /// Adds or replaces an entry of directory `dir`.
    fn set_entry(&mut self, dir: Ino, name: &str, ino: Ino) -> Result<(), FsError> {
        let serial = self.names;
        let entries = &mut self.directory_mut(dir)?.entries;
        entries.insert(name.into(), Name { ino, serial });
        self.names += 1;
        Ok(())
    }

    /// The directory that holds directory `dir`; the root holds itself.
    pub fn parent(&self, dir: Ino) -> Result<Ino, FsError> {
        self.directory(dir)?.parent.ok_or(FsError::NotFound)
    }

    /// The content of a regular file.
    pub fn content(&self, file: Ino) -> Result<&Content, FsError> {
        match &self.inode(file)?.node {
            Node::File(content) => Ok(content),
            Node::Directory(_) => Err(FsError::IsDirectory),
            Node::Symlink(_) => Err(FsError::Loop),
        }
    }

    /// The target of a symbolic link (EINVAL for anything else).
    pub fn symlink_target(&self, link: Ino) -> Result<&str, FsError> {
        match &self.inode(link)?.node {
            Node::Symlink(target) => Ok(target),
            _ => Err(FsError::Invalid),
        }
    }

    fn change_content<T>(
        &mut self,
        file: Ino,
        now: u64,
        change: impl FnOnce(&mut Content) -> T,
    ) -> Result<T, FsError> {
        self.check_writable(file)?;
        let inode = self.inode_mut(file)?;
        let Node::File(content) = &mut inode.node else {
            return Err(FsError::IsDirectory);
        };
        let before = content.stored();
        let result = change(content);
        let after = content.stored();
        inode.times.modified = now;
        inode.times.changed = now;
        self.stored = self.stored - before + after;
        Ok(result)
    }

    /// Writes `bytes` at `offset` of a regular file. EFBIG past 2^63 - 1.
    pub fn write(&mut self, file: Ino, offset: u64, bytes: &[u8], now: u64) -> Result<(), FsError> {
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > MAX_FILE_SIZE) {
            return Err(FsError::TooBig);
        }
        self.change_content(file, now, |content| content.write_at(offset, bytes))
    }

    /// Sets the size of a regular file. EFBIG past 2^63 - 1.
    pub fn set_size(&mut self, file: Ino, size: u64, now: u64) -> Result<(), FsError> {
        if size > MAX_FILE_SIZE {
            return Err(FsError::TooBig);
        }
        self.change_content(file, now, |content| content.set_len(size))
    }

    /// Sets the access and modification times that are given; the change time becomes `now`.
    pub fn set_times(
        &mut self,
        ino: Ino,
        accessed: Option<u64>,
        modified: Option<u64>,
        now: u64,
    ) -> Result<(), FsError> {
        self.check_writable(ino)?;
        let times = &mut self.inode_mut(ino)?.times;
        times.accessed = accessed.unwrap_or(times.accessed);
        times.modified = modified.unwrap_or(times.modified);
        times.changed = now;
        Ok(())
    }

    /// Notes that a descriptor refers to `ino`: it outlives its last name until [`Filesystem::release`].
    pub fn retain(&mut self, ino: Ino) -> Result<(), FsError> {
        self.inode_mut(ino)?.open += 1;
        Ok(())
    }

    /// Takes back one [`Filesystem::retain`].
    pub fn release(&mut self, ino: Ino) {
        if let Ok(inode) = self.inode_mut(ino) {
            inode.open = inode.open.saturating_sub(1);
        }
        self.reap(ino);
    }

    /// Frees an inode with neither a name nor a descriptor.
    fn reap(&mut self, ino: Ino) {
        let dead = |inode: &&Inode| inode.links == 0 && inode.open == 0;
        if self.inodes.get(&ino).filter(dead).is_some()
            && let Some(Inode {
                node: Node::File(content),
                ..
            }) = self.inodes.remove(&ino)
        {
            self.stored -= content.stored();
        }
    }

    fn add(&mut self, dir: Ino, name: &str, node: Node, now: u64) -> Result<Ino, FsError> {
        path::check_name(name)?;
        let parent = self.directory(dir)?;
        // A directory that was removed while it is open takes no new entries.
        if parent.parent.is_none() {
            return Err(FsError::NotFound);
        }
        if parent.entries.contains_key(name) {
            return Err(FsError::Exists);
        }
        self.check_writable(dir)?;
        if self.inodes.len() >= MAX_INODES {
            return Err(FsError::NoSpace);
        }
        let ino = Ino(self.next);
        self.next += 1;
        let is_directory = matches!(node, Node::Directory(_));
        self.version += 1;
        self.inodes.insert(
            ino,
            Inode {
                node,
                links: if is_directory { 2 } else { 1 },
                open: 0,
                times: Times::at(now),
                read_only: false,
                version: self.version,
            },
        );
        self.set_entry(dir, name, ino)?;
        self.touch_directory(dir, i64::from(is_directory), now)?;
        Ok(ino)
    }

    /// Notes a change of a directory's entries; `links` is what subdirectories add or take.
    fn touch_directory(&mut self, dir: Ino, links: i64, now: u64) -> Result<(), FsError> {
        let inode = self.inode_mut(dir)?;
        inode.links = inode.links.saturating_add_signed(links);
        inode.times.modified = now;
        inode.times.changed = now;
        Ok(())
    }

    /// Creates an empty regular file `name` in `dir`.
    pub fn create_file(&mut self, dir: Ino, name: &str, now: u64) -> Result<Ino, FsError> {
        self.add(dir, name, Node::File(Content::default()), now)
    }

    /// Creates an empty directory `name` in `dir`.
    pub fn create_directory(&mut self, dir: Ino, name: &str, now: u64) -> Result<Ino, FsError> {
        let node = Directory {
            entries: BTreeMap::new(),
            parent: Some(dir),
        };
        self.add(dir, name, Node::Directory(node), now)
    }

    /// Creates a symbolic link `name` in `dir` that points to `target`.
    pub fn create_symlink(
        &mut self,
        dir: Ino,
        name: &str,
        target: &str,
        now: u64,
    ) -> Result<Ino, FsError> {
        if target.len() > MAX_PATH {
            return Err(FsError::NameTooLong);
        }
        self.add(dir, name, Node::Symlink(target.into()), now)
    }

    /// Gives `ino`, which is no directory, one more name. EPERM for a directory.
    pub fn link(&mut self, ino: Ino, dir: Ino, name: &str, now: u64) -> Result<(), FsError> {
        path::check_name(name)?;
        let inode = self.inode(ino)?;
        if matches!(inode.node, Node::Directory(_)) {
            return Err(FsError::NotPermitted);
        }
        if inode.links >= MAX_LINKS {
            return Err(FsError::TooManyLinks);
        }
        let parent = self.directory(dir)?;
        if parent.parent.is_none() {
            return Err(FsError::NotFound);
        }
        if parent.entries.contains_key(name) {
            return Err(FsError::Exists);
        }
        self.check_writable(dir)?;
        self.check_writable(ino)?;
        self.set_entry(dir, name, ino)?;
        self.touch_directory(dir, 0, now)?;
        let inode = self.inode_mut(ino)?;
        inode.links += 1;
        inode.times.changed = now;
        Ok(())
    }

    /// Removes the name of a file or symbolic link. EISDIR for a directory.
    pub fn unlink(&mut self, dir: Ino, name: &str, now: u64) -> Result<(), FsError> {
        let ino = self.lookup(dir, name)?;
        if self.directory(ino).is_ok() {
            return Err(FsError::IsDirectory);
        }
        self.check_writable(dir)?;
        self.check_writable(ino)?;
        self.directory_mut(dir)?.entries.remove(name);
        self.touch_directory(dir, 0, now)?;
        let inode = self.inode_mut(ino)?;
        inode.links -= 1;
        inode.times.changed = now;
        self.reap(ino);
        Ok(())
    }

    /// Removes an empty directory. ENOTDIR for anything else, ENOTEMPTY if it has entries.
    pub fn remove_directory(&mut self, dir: Ino, name: &str, now: u64) -> Result<(), FsError> {
        let ino = self.lookup(dir, name)?;
        if !self.directory(ino)?.entries.is_empty() {
            return Err(FsError::NotEmpty);
        }
        self.check_writable(dir)?;
        self.check_writable(ino)?;
        self.directory_mut(dir)?.entries.remove(name);
        self.touch_directory(dir, -1, now)?;
        self.directory_mut(ino)?.parent = None;
        let inode = self.inode_mut(ino)?;
        inode.links = 0;
        inode.times.changed = now;
        self.reap(ino);
        Ok(())
    }

    /// Renames as POSIX `rename` does: replaces a file by a file or an empty directory by a
    /// directory, does nothing if both names are the same inode, and refuses (EINVAL) to move a
    /// directory into itself.
    pub fn rename(
        &mut self,
        (from_dir, from): (Ino, &str),
        (to_dir, to): (Ino, &str),
        now: u64,
    ) -> Result<(), FsError> {
        path::check_name(to)?;
        let moved = self.lookup(from_dir, from)?;
        let moves_directory = self.directory(moved).is_ok();
        if self.directory(to_dir)?.parent.is_none() {
            return Err(FsError::NotFound);
        }
        if moves_directory && self.is_within(to_dir, moved) {
            return Err(FsError::Invalid);
        }
        let replaced = self.lookup(to_dir, to);
        if replaced == Ok(moved) {
            return Ok(());
        }
        self.check_writable(from_dir)?;
        self.check_writable(to_dir)?;
        self.check_writable(moved)?;
        // A name that is replaced stays the name that it was, for who is listing the directory.
        let serial = self
            .directory(to_dir)?
            .entries
            .get(to)
            .map(|name| name.serial);
        match replaced {
            Ok(replaced) => match (moves_directory, self.directory(replaced).is_ok()) {
                (true, false) => return Err(FsError::NotDirectory),
                (false, true) => return Err(FsError::IsDirectory),
                (true, true) => self.remove_directory(to_dir, to, now)?,
                (false, false) => self.unlink(to_dir, to, now)?,
            },
            Err(FsError::NotFound) => {}
            Err(error) => return Err(error),
        }
        let links = i64::from(moves_directory);
        self.directory_mut(from_dir)?.entries.remove(from);
        self.touch_directory(from_dir, -links, now)?;
        self.set_entry(to_dir, to, moved)?;
        if let (Some(serial), Some(name)) =
            (serial, self.directory_mut(to_dir)?.entries.get_mut(to))
        {
            name.serial = serial;
        }
        self.touch_directory(to_dir, links, now)?;
        if moves_directory {
            self.directory_mut(moved)?.parent = Some(to_dir);
        }
        self.inode_mut(moved)?.times.changed = now;
        Ok(())
    }

    /// Whether directory `dir` is `ancestor` or lies below it.
    fn is_within(&self, dir: Ino, ancestor: Ino) -> bool {
        let mut current = dir;
        loop {
            if current == ancestor {
                return true;
            }
            match self.parent(current) {
                Ok(parent) if parent != current => current = parent,
                _ => return false,
            }
        }
    }
}

impl Times {
    /// All three times at `now` nanoseconds.
    pub fn at(now: u64) -> Self {
        Self {
            accessed: now,
            modified: now,
            changed: now,
        }
    }
}

#[cfg(test)]
mod tests;
