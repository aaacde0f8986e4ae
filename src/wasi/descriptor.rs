//! The table of file descriptors.

use super::{Errno, Rights, rights};
use crate::fs::{Filesystem, Ino};
use crate::task::{Access, Preopen};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most descriptors that may be open at once; past it opening fails with EMFILE.
pub const MAX_DESCRIPTORS: usize = 16_384;

/// `fdflags` of preview1.
pub mod fdflags {
    #![allow(missing_docs)]
    pub const APPEND: u16 = 1;
    pub const DSYNC: u16 = 2;
    pub const NONBLOCK: u16 = 4;
    pub const RSYNC: u16 = 8;
    pub const SYNC: u16 = 16;
    /// Every flag.
    pub const ALL: u16 = 31;

    /// Those of `raw` flags. EINVAL for bits that are none; ENOTSUP for those that promise that data
    /// is on a disk, as on wasmtime: there is none here.
    pub(crate) fn decode(raw: u32) -> Result<u16, super::Errno> {
        match u16::try_from(raw) {
            Ok(flags) if flags & !ALL == 0 => match flags & (DSYNC | RSYNC | SYNC) {
                0 => Ok(flags),
                _ => Err(super::Errno::Notsup),
            },
            _ => Err(super::Errno::Inval),
        }
    }
}

/// One of the three standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    In,
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A directory as one descriptor lists it: what was there at cookie 0, read as far as the guest
/// has asked. So starting again costs nothing, and cookies stay valid while the directory changes.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The entries so far; a cookie is an index.
    pub(super) read: Vec<(Arc<str>, Ino)>,
    /// The filesystem's count of names at cookie 0: newer names are not listed.
    pub(super) names: u64,
}

/// What a descriptor refers to.
#[derive(Debug, Clone)]
pub enum Object {
    /// A standard stream.
    Stream(Stream),
    /// A regular file, and where the next read or write is.
    File {
        /// The file.
        ino: Ino,
        /// Offset in bytes.
        offset: u64,
    },
    /// A directory.
    Directory {
        /// The directory.
        ino: Ino,
        /// The name of a preopen.
        preopen: Option<Arc<str>>,
        /// What `fd_readdir` is walking through.
        listing: Option<Listing>,
    },
}

/// An open descriptor.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// What it refers to.
    pub object: Object,
    /// What may be done with it.
    pub rights: Rights,
    /// The most that descriptors opened through it may get.
    pub inheriting: Rights,
    /// `fdflags`.
    pub flags: u16,
    /// What the preopen that it was opened through may be used for.
    pub access: Access,
}

impl Descriptor {
    /// A standard stream.
    pub fn stream(stream: Stream) -> Self {
        let rights = match stream {
            Stream::In => rights::STREAM_IN,
            Stream::Out | Stream::Err => rights::STREAM_OUT,
        };
        Self {
            object: Object::Stream(stream),
            rights,
            inheriting: 0,
            flags: 0,
            access: Access::ReadWrite,
        }
    }

    /// A preopened directory with every right: what it may be used for is told by the errno
    /// (EPERM), since a libc asks for the rights that it can get and would not notice.
    pub fn preopen(ino: Ino, preopen: &Preopen) -> Self {
        Self {
            object: Object::Directory {
                ino,
                preopen: Some(preopen.name.as_str().into()),
                listing: None,
            },
            rights: rights::DIRECTORY,
            inheriting: rights::DIRECTORY | rights::FILE,
            flags: 0,
            access: preopen.access,
        }
    }

    /// The inode behind it; a stream has none.
    pub fn ino(&self) -> Option<Ino> {
        match self.object {
            Object::Stream(_) => None,
            Object::File { ino, .. } | Object::Directory { ino, .. } => Some(ino),
        }
    }
}

/// All open descriptors by number. A new one gets the lowest number that is free.
#[derive(Debug, Clone, Default)]
pub struct Descriptors {
    slots: Vec<Option<Descriptor>>,
    free: BTreeSet<u32>,
}

impl Descriptors {
    /// Descriptor `fd`, or EBADF.
    pub fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.slots
            .get(fd as usize)
            .and_then(Option::as_ref)
            .ok_or(Errno::Badf)
    }

    /// Descriptor `fd`, or EBADF.
    pub fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slots
            .get_mut(fd as usize)
            .and_then(Option::as_mut)
            .ok_or(Errno::Badf)
    }

    /// All numbers that were ever used, with what is open under them now.
    pub(super) fn all(&self) -> impl Iterator<Item = Option<&Descriptor>> {
        self.slots.iter().map(Option::as_ref)
    }

    /// Whether one more may be opened.
    pub fn has_room(&self) -> Result<(), Errno> {
        match self.slots.len() - self.free.len() < MAX_DESCRIPTORS {
            true => Ok(()),
            false => Err(Errno::Mfile),
        }
    }

    /// Opens `descriptor` under the lowest free number; EMFILE past [`MAX_DESCRIPTORS`].
    pub fn insert(&mut self, fs: &mut Filesystem, descriptor: Descriptor) -> Result<u32, Errno> {
        self.has_room()?;
        if let Some(ino) = descriptor.ino() {
            fs.retain(ino)?;
        }
        if let Some(fd) = self.free.pop_first() {
            self.slots[fd as usize] = Some(descriptor);
            return Ok(fd);
        }
        self.slots.push(Some(descriptor));
        Ok(self.slots.len() as u32 - 1)
    }

    /// Closes `fd`.
    pub fn close(&mut self, fs: &mut Filesystem, fd: u32) -> Result<(), Errno> {
        let slot = self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let closed = slot.take().ok_or(Errno::Badf)?;
        self.free.insert(fd);
        if let Some(ino) = closed.ino() {
            fs.release(ino);
        }
        Ok(())
    }

    /// Moves `from` onto `to`, which is closed first. Both must be open.
    pub fn renumber(&mut self, fs: &mut Filesystem, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(());
        }
        self.close(fs, to)?;
        self.free.remove(&to);
        self.free.insert(from);
        self.slots[to as usize] = self.slots[from as usize].take();
        Ok(())
    }
}
