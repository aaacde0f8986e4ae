//! `fd_readdir`.

use super::descriptor::Listing;
use super::fd::filetype_of;
use super::*;
use crate::fs::{Filesystem, Ino};
use std::sync::Arc;

/// Size of a `dirent` without its name, in bytes.
const DIRENT: usize = 24;
/// `.` and `..`, with which a listing starts.
const DOTS: usize = 2;

impl System {
    /// Fills the buffer with entries from `cookie` on; what does not fit is cut, which tells the
    /// guest that there is more.
    ///
    /// A cookie is an index into what this descriptor has listed since cookie 0: `.`, `..`, then the
    /// names sorted by bytes. Names that were removed since are passed over, so a program may delete
    /// what it lists; ones that were added show from the next cookie 0 on. A name that another file
    /// was renamed over shows, with what it names now.
    pub(super) fn fd_readdir(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        buffer: (u32, u32),
        cookie: u64,
        result: u32,
    ) -> Result<(), Stop> {
        let (address, len) = buffer;
        if !matches!(self.fds.get(fd)?.object, Object::Directory { .. }) {
            return Err(Errno::Badf.into());
        }
        self.descriptor(fd, rights::FD_READDIR)?;
        memory.check(address, len)?;
        memory.check(result, 4)?;
        let Object::Directory {
            ino: dir, listing, ..
        } = &mut self.fds.get_mut(fd)?.object
        else {
            return Err(Errno::Notdir.into());
        };
        let dir = *dir;
        let listing = match listing {
            Some(listing) if cookie > 0 => listing,
            _ => listing.insert(Listing::start(&self.fs, dir)),
        };
        let mut bytes = Vec::new();
        let mut index = usize::try_from(cookie).unwrap_or(usize::MAX);
        while bytes.len() < len as usize
            && let Some((name, ino)) = listing.entry(&self.fs, dir, index)
        {
            index = index.saturating_add(1);
            let found = match index > DOTS {
                true => self.fs.lookup(dir, name),
                false => Ok(ino),
            };
            let Ok(metadata) = found.and_then(|ino| self.fs.metadata(ino)) else {
                continue;
            };
            let mut dirent = [0; DIRENT];
            dirent[..8].copy_from_slice(&(index as u64).to_le_bytes());
            dirent[8..16].copy_from_slice(&metadata.ino.0.to_le_bytes());
            dirent[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
            dirent[20] = filetype_of(metadata.kind);
            bytes.extend_from_slice(&dirent);
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes.truncate(len as usize);
        memory.write(address, &bytes)?;
        Ok(memory.write_u32(result, bytes.len() as u32)?)
    }
}

impl Listing {
    /// A listing from the start.
    fn start(fs: &Filesystem, dir: Ino) -> Self {
        let mut read: Vec<(Arc<str>, Ino)> = Vec::new();
        // A directory that was removed while it is open is empty, without `.` and `..` too.
        if let Ok(parent) = fs.parent(dir) {
            read.extend([(".".into(), dir), ("..".into(), parent)]);
        }
        let names = fs.names();
        Self { read, names }
    }

    /// The entry that cookie `index` stands for.
    fn entry(&mut self, fs: &Filesystem, dir: Ino, index: usize) -> Option<(&str, Ino)> {
        while self.read.len() <= index {
            let last = self.read.get(DOTS..)?.last().map(|(name, _)| &**name);
            let (name, ino) = fs.next_entry(dir, last, self.names).ok()??;
            let next = (Arc::clone(name), ino);
            self.read.push(next);
        }
        self.read.get(index).map(|(name, ino)| (&**name, *ino))
    }
}
