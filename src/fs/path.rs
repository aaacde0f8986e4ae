//! Path resolution, confined to the directory a path starts from.
//!
//! It follows what POSIX says of pathname resolution, within the sandbox that WASI asks for: `..`
//! never leaves the starting directory, absolute paths and links to absolute paths are refused.
//! There is no recursion: a path of thousands of components or links costs no stack.

use super::{Filesystem, FsError, Ino, Node};
use std::sync::Arc;

/// The longest name of a directory entry, in bytes.
pub const MAX_NAME: usize = 255;
/// The longest path, in bytes.
pub const MAX_PATH: usize = 4095;
/// How many symbolic links one resolution may follow before ELOOP.
pub const MAX_SYMLINKS: usize = 40;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory that holds the last component.
    pub dir: Ino,
    /// The last component; `None` if the path ends in `.` or `..` and so names `dir` itself.
    pub name: Option<Arc<str>>,
    /// What is there, if anything.
    pub node: Option<Ino>,
    /// The path ends in a slash: what it names must be (or become) a directory.
    pub must_be_directory: bool,
}

impl Place {
    /// What is there, or ENOENT.
    pub fn existing(&self) -> Result<Ino, FsError> {
        self.node.ok_or(FsError::NotFound)
    }
}

/// Checks the name of a new entry.
pub(super) fn check_name(name: &str) -> Result<(), FsError> {
    if name.len() > MAX_NAME {
        return Err(FsError::NameTooLong);
    }
    match name {
        "" | "." | ".." => Err(FsError::Invalid),
        _ if name.contains(['/', '\0']) => Err(FsError::IllegalName),
        _ => Ok(()),
    }
}

/// Splits into components, last first, so that the next one is popped off the end.
fn push_components(pending: &mut Vec<Arc<str>>, path: &str) {
    let components = path.rsplit('/').filter(|component| !component.is_empty());
    pending.extend(components.map(Arc::from));
}

impl Filesystem {
    /// Resolves `path` from directory `base`. A symbolic link in the last place is followed if
    /// `follow` is set or the path ends in a slash.
    ///
    /// # Errors
    /// ENOENT for an empty path or a missing directory on the way, EPERM for an absolute path or
    /// one that leaves `base`, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL for a NUL.
    pub fn resolve(&self, base: Ino, path: &str, follow: bool) -> Result<Place, FsError> {
        check_path(path)?;
        let mut must_be_directory = path.ends_with('/');
        let mut pending = Vec::new();
        push_components(&mut pending, path);
        // The directories walked through: `..` goes back along them and never above `base`.
        let mut walked = vec![base];
        let mut links = 0;
        loop {
            let current = *walked.last().unwrap_or(&base);
            let Some(name) = pending.pop() else {
                // The path ended in `.`, `..`, or a link to such a path.
                self.directory(current)?;
                return Ok(Place {
                    dir: current,
                    name: None,
                    node: Some(current),
                    must_be_directory,
                });
            };
            let last = pending.is_empty();
            match &*name {
                "." => continue,
                ".." if walked.len() == 1 => return Err(FsError::Escape),
                ".." => {
                    walked.pop();
                    continue;
                }
                _ if name.len() > MAX_NAME => return Err(FsError::NameTooLong),
                _ => {}
            }
            let node = match self.lookup(current, &name) {
                Ok(node) => node,
                Err(FsError::NotFound) if last => {
                    return Ok(Place {
                        dir: current,
                        name: Some(name),
                        node: None,
                        must_be_directory,
                    });
                }
                Err(error) => return Err(error),
            };
            match &self.inode(node)?.node {
                Node::Symlink(target) if !last || follow || must_be_directory => {
                    links += 1;
                    if links > MAX_SYMLINKS {
                        return Err(FsError::Loop);
                    }
                    check_path(target)?;
                    must_be_directory |= last && target.ends_with('/');
                    push_components(&mut pending, target);
                }
                Node::Directory(_) if !last => walked.push(node),
                Node::File(_) if !last || must_be_directory => return Err(FsError::NotDirectory),
                _ => {
                    return Ok(Place {
                        dir: current,
                        name: Some(name),
                        node: Some(node),
                        must_be_directory,
                    });
                }
            }
        }
    }
}

fn check_path(path: &str) -> Result<(), FsError> {
    match path.as_bytes() {
        [] => Err(FsError::NotFound),
        _ if path.len() > MAX_PATH => Err(FsError::NameTooLong),
        _ if path.contains('\0') => Err(FsError::IllegalName),
        [b'/', ..] => Err(FsError::Escape),
        _ => Ok(()),
    }
}
