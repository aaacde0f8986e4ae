//! `fd_readdir`.

use super::descriptor::Listing;
use super::fd::filetype_of;
use super::*;
use crate::fs::Ino;
use std::sync::Arc;

/// Size of a `dirent` without its name, in bytes.
const DIRENT: usize = 24;

impl System {
    /// Fills the buffer with entries from `cookie` on; what does not fit is cut, which tells the
    /// guest that there is more.
    ///
    /// A cookie is an index into the listing that this descriptor took at cookie 0: `.`, `..`, then
    /// the names sorted by bytes. Names that were removed since are passed over, so a program may
    /// delete what it lists; ones that were added show from the next cookie 0 on. A name that
    /// another file was renamed over shows, with what it names now.
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
        let (dir, listing) = self.listing(fd, cookie)?;
        let mut bytes = Vec::new();
        let first = usize::try_from(cookie).unwrap_or(usize::MAX);
        for (index, (name, ino)) in listing.iter().enumerate().skip(first) {
            if bytes.len() >= len as usize {
                break;
            }
            let found = match index {
                0 | 1 => Ok(*ino),
                _ => self.fs.lookup(dir, name),
            };
            let Ok(metadata) = found.and_then(|ino| self.fs.metadata(ino)) else {
                continue;
            };
            let mut dirent = [0; DIRENT];
            dirent[..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
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

    fn listing(&mut self, fd: u32, cookie: u64) -> Result<(Ino, Arc<Listing>), Errno> {
        let Object::Directory { ino, listing, .. } = &mut self.fds.get_mut(fd)?.object else {
            return Err(Errno::Notdir);
        };
        let kept = listing.as_ref().filter(|_| cookie > 0);
        if let Some(kept) = kept {
            return Ok((*ino, Arc::clone(kept)));
        }
        let dir = *ino;
        let mut taken: Listing = Vec::new();
        // A directory that was removed while it is open is empty, without `.` and `..` too.
        if let Ok(parent) = self.fs.parent(dir) {
            taken.push((".".into(), dir));
            taken.push(("..".into(), parent));
            taken.extend(
                self.fs
                    .list(dir)?
                    .map(|(name, ino)| (Arc::clone(name), ino)),
            );
        }
        let taken = Arc::new(taken);
        *listing = Some(Arc::clone(&taken));
        Ok((dir, taken))
    }
}
