//! All of a filesystem's state, for who digests it.

use super::{Content, Filesystem, Ino, Node, Times};
use std::sync::Arc;

/// An inode with all that is known of it.
#[derive(Debug)]
pub struct InodeView<'a> {
    /// Its number.
    pub ino: Ino,
    /// [`Filesystem::version`] when it changed last.
    pub version: u64,
    /// Names that refer to it.
    pub links: u64,
    /// Descriptors that refer to it.
    pub open: u64,
    /// Its times.
    pub times: Times,
    /// Whether it can't be changed.
    pub read_only: bool,
    /// What a file holds.
    pub content: Option<&'a Content>,
    /// Where a symbolic link points.
    pub target: Option<&'a str>,
    /// What a directory holds, sorted: the name, the inode, and how many names were made before it.
    pub entries: Vec<(&'a Arc<str>, Ino, u64)>,
    /// The directory that holds a directory.
    pub parent: Option<Ino>,
}

impl Filesystem {
    /// A number that is another one after every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many inodes there are.
    pub fn count(&self) -> usize {
        self.inodes.len()
    }

    /// The number of the next inode, and how many names were made.
    pub fn counters(&self) -> (u64, u64) {
        (self.next, self.names)
    }

    /// All inodes, in the order of their numbers.
    pub fn inodes(&self) -> impl Iterator<Item = InodeView<'_>> {
        self.inodes.iter().map(|(&ino, inode)| {
            let mut view = InodeView {
                ino,
                version: inode.version,
                links: inode.links,
                open: inode.open,
                times: inode.times,
                read_only: inode.read_only,
                content: None,
                target: None,
                entries: Vec::new(),
                parent: None,
            };
            match &inode.node {
                Node::File(content) => view.content = Some(content),
                Node::Symlink(target) => view.target = Some(target),
                Node::Directory(directory) => {
                    let entries = directory.entries.iter();
                    view.entries = entries
                        .map(|(name, found)| (name, found.ino, found.serial))
                        .collect();
                    view.parent = directory.parent;
                }
            }
            view
        })
    }
}
