//! Descriptors: status, metadata, preopens, position, size.

use super::*;
use crate::fs::{Ino, Kind, Metadata};

/// `filetype` of preview1.
pub(super) mod filetype {
    pub const UNKNOWN: u8 = 0;
    pub const CHARACTER_DEVICE: u8 = 2;
    pub const DIRECTORY: u8 = 3;
    pub const REGULAR_FILE: u8 = 4;
    pub const SYMBOLIC_LINK: u8 = 7;
}

/// `fstflags` of preview1.
mod fstflags {
    pub const ATIM: u32 = 1;
    pub const ATIM_NOW: u32 = 2;
    pub const MTIM: u32 = 4;
    pub const MTIM_NOW: u32 = 8;
    pub const ALL: u32 = 15;
}

/// `whence` of preview1.
#[derive(Clone, Copy)]
enum Whence {
    Set,
    Current,
    End,
}

impl Whence {
    /// The two generations number them differently.
    fn decode(abi: Abi, raw: u32) -> Result<Self, Errno> {
        match (abi, raw) {
            (Abi::Preview1, 0) | (Abi::Unstable, 2) => Ok(Self::Set),
            (Abi::Preview1, 1) | (Abi::Unstable, 0) => Ok(Self::Current),
            (Abi::Preview1, 2) | (Abi::Unstable, 1) => Ok(Self::End),
            _ => Err(Errno::Inval),
        }
    }
}

/// The device number of every file; streams have 0.
const DEVICE: u64 = 1;

pub(super) fn filetype_of(kind: Kind) -> u8 {
    match kind {
        Kind::File => filetype::REGULAR_FILE,
        Kind::Directory => filetype::DIRECTORY,
        Kind::Symlink => filetype::SYMBOLIC_LINK,
    }
}

/// What the guest asks `*_filestat_set_times` to set; `None` leaves a time as it is.
pub(super) fn decode_times(
    now: u64,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(Option<u64>, Option<u64>), Errno> {
    let pick = |explicit: u32, current: u32, value: u64| match (flags & explicit, flags & current) {
        (0, 0) => Ok(None),
        (_, 0) => Ok(Some(value)),
        (0, _) => Ok(Some(now)),
        _ => Err(Errno::Inval),
    };
    if flags & !fstflags::ALL != 0 {
        return Err(Errno::Inval);
    }
    Ok((
        pick(fstflags::ATIM, fstflags::ATIM_NOW, accessed)?,
        pick(fstflags::MTIM, fstflags::MTIM_NOW, modified)?,
    ))
}

/// Writes a `filestat`. In `wasi_unstable` the link count has 32 bits, and all behind it moves up.
pub(super) fn write_filestat(
    memory: &mut Memory<'_>,
    abi: Abi,
    address: u32,
    filetype: u8,
    metadata: &Metadata,
) -> Result<(), Stop> {
    let mut stat = Vec::with_capacity(64);
    let device = if metadata.ino.0 == 0 { 0 } else { DEVICE };
    stat.extend_from_slice(&device.to_le_bytes());
    stat.extend_from_slice(&metadata.ino.0.to_le_bytes());
    stat.extend_from_slice(&[filetype, 0, 0, 0]);
    match abi {
        Abi::Unstable => stat.extend_from_slice(&(metadata.links as u32).to_le_bytes()),
        Abi::Preview1 => {
            stat.extend_from_slice(&[0; 4]);
            stat.extend_from_slice(&metadata.links.to_le_bytes());
        }
    }
    let times = metadata.times;
    for value in [metadata.size, times.accessed, times.modified, times.changed] {
        stat.extend_from_slice(&value.to_le_bytes());
    }
    Ok(memory.write(address, &stat)?)
}

impl System {
    /// The regular file behind `fd`, which must have `rights`.
    pub(super) fn file(&self, fd: u32, rights: Rights) -> Result<Ino, Errno> {
        match self.no_directory(fd, rights)?.object {
            Object::File { ino, .. } => Ok(ino),
            _ => Err(Errno::Inval),
        }
    }

    pub(super) fn stream_filetype(&self) -> u8 {
        match self.terminal {
            true => filetype::CHARACTER_DEVICE,
            false => filetype::UNKNOWN,
        }
    }

    pub(super) fn fd_close(&mut self, fd: u32) -> Result<(), Stop> {
        Ok(self.fds.close(&mut self.fs, fd)?)
    }

    pub(super) fn fd_fdstat_get(
        &self,
        memory: &mut Memory<'_>,
        fd: u32,
        result: u32,
    ) -> Result<(), Stop> {
        let descriptor = self.fds.get(fd)?;
        let filetype = match descriptor.object {
            Object::Stream(_) => self.stream_filetype(),
            Object::File { .. } => filetype::REGULAR_FILE,
            Object::Directory { .. } => filetype::DIRECTORY,
        };
        let mut stat = [0; 24];
        stat[0] = filetype;
        stat[2..4].copy_from_slice(&descriptor.flags.to_le_bytes());
        stat[8..16].copy_from_slice(&descriptor.rights.to_le_bytes());
        stat[16..24].copy_from_slice(&descriptor.inheriting.to_le_bytes());
        Ok(memory.write(result, &stat)?)
    }

    pub(super) fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Result<(), Stop> {
        self.no_directory(fd, rights::FD_FDSTAT_SET_FLAGS)?;
        // What can't be asked for when opening can't be set either, and hosts say EINVAL here.
        let flags = fdflags::decode(flags).map_err(|_| Errno::Inval)?;
        self.fds.get_mut(fd)?.flags = flags;
        Ok(())
    }

    /// Rights can be given up, never gained.
    pub(super) fn fd_fdstat_set_rights(
        &mut self,
        fd: u32,
        base: Rights,
        inheriting: Rights,
    ) -> Result<(), Stop> {
        let descriptor = self.fds.get_mut(fd)?;
        if base & !descriptor.rights != 0 || inheriting & !descriptor.inheriting != 0 {
            return Err(Errno::Notcapable.into());
        }
        descriptor.rights = base;
        descriptor.inheriting = inheriting;
        Ok(())
    }

    pub(super) fn fd_filestat_get(
        &self,
        memory: &mut Memory<'_>,
        abi: Abi,
        fd: u32,
        result: u32,
    ) -> Result<(), Stop> {
        let descriptor = self.descriptor(fd, rights::FD_FILESTAT_GET)?;
        let (filetype, metadata) = match descriptor.ino() {
            Some(ino) => {
                let metadata = self.fs.metadata(ino)?;
                (filetype_of(metadata.kind), metadata)
            }
            None => {
                let metadata = Metadata {
                    ino: Ino(0),
                    kind: Kind::File,
                    links: 0,
                    size: 0,
                    // A stream has no times, which is 0 in WASI as on wasmtime.
                    times: crate::fs::Times::default(),
                };
                (self.stream_filetype(), metadata)
            }
        };
        write_filestat(memory, abi, result, filetype, &metadata)
    }

    pub(super) fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Result<(), Stop> {
        // As `ftruncate`: EINVAL for a file that is not open for writing. A missing right is for
        // those that are.
        let needed = rights::FD_FILESTAT_SET_SIZE;
        let held = self.no_directory(fd, 0)?.rights;
        if held & (needed | rights::FD_WRITE) == 0 {
            return Err(Errno::Inval.into());
        }
        let file = self.file(fd, needed)?;
        if size > i64::MAX as u64 {
            return Err(Errno::Inval.into());
        }
        Ok(self.fs.set_size(file, size, self.now())?)
    }

    pub(super) fn fd_filestat_set_times(
        &mut self,
        fd: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Result<(), Stop> {
        let descriptor = self.descriptor(fd, rights::FD_FILESTAT_SET_TIMES)?;
        let ino = descriptor.ino().ok_or(Errno::Inval)?;
        let now = self.now();
        let (accessed, modified) = decode_times(now, accessed, modified, flags)?;
        self.may_set_times(ino, descriptor.access)?;
        Ok(self.fs.set_times(ino, accessed, modified, now)?)
    }

    fn preopen_name(&self, fd: u32) -> Result<&str, Errno> {
        match &self.fds.get(fd)?.object {
            Object::Directory {
                preopen: Some(name),
                ..
            } => Ok(name),
            // wasi-libc walks up from descriptor 3 until EBADF to find the preopens.
            _ => Err(Errno::Badf),
        }
    }

    pub(super) fn fd_prestat_get(
        &self,
        memory: &mut Memory<'_>,
        fd: u32,
        result: u32,
    ) -> Result<(), Stop> {
        let len = self.preopen_name(fd)?.len() as u32;
        let mut prestat = [0; 8]; // tag 0: a directory
        prestat[4..].copy_from_slice(&len.to_le_bytes());
        Ok(memory.write(result, &prestat)?)
    }

    pub(super) fn fd_prestat_dir_name(
        &self,
        memory: &mut Memory<'_>,
        fd: u32,
        address: u32,
        len: u32,
    ) -> Result<(), Stop> {
        let name = self.preopen_name(fd)?;
        if name.len() > len as usize {
            return Err(Errno::Nametoolong.into());
        }
        Ok(memory.write(address, name.as_bytes())?)
    }

    pub(super) fn fd_seek(
        &mut self,
        memory: &mut Memory<'_>,
        abi: Abi,
        fd: u32,
        delta: i64,
        whence: u32,
        result: u32,
    ) -> Result<(), Stop> {
        let whence = Whence::decode(abi, whence)?;
        // Asking where one is needs less than going elsewhere.
        let needed = match (whence, delta) {
            (Whence::Current, 0) => rights::FD_TELL,
            _ => rights::FD_SEEK,
        };
        let (ino, offset) = self.position(fd, needed)?;
        let base = match whence {
            Whence::Set => 0,
            Whence::Current => offset,
            Whence::End => self.fs.content(ino)?.len(),
        };
        let target = i64::try_from(base)
            .ok()
            .and_then(|base| base.checked_add(delta));
        let target = target
            .and_then(|target| u64::try_from(target).ok())
            .ok_or(Errno::Inval)?;
        memory.write_u64(result, target)?;
        self.set_offset(fd, target);
        Ok(())
    }

    pub(super) fn fd_tell(
        &self,
        memory: &mut Memory<'_>,
        fd: u32,
        result: u32,
    ) -> Result<(), Stop> {
        let (_, offset) = self.position(fd, rights::FD_TELL)?;
        Ok(memory.write_u64(result, offset)?)
    }

    /// The file behind `fd` and the offset in it. A stream has no position: ESPIPE.
    fn position(&self, fd: u32, needed: Rights) -> Result<(Ino, u64), Errno> {
        match self.fds.get(fd)?.object {
            Object::Stream(_) => Err(Errno::Spipe),
            Object::Directory { .. } => Err(Errno::Badf),
            Object::File { ino, offset } => {
                // The right to seek implies the right to tell.
                let implied = self.descriptor(fd, rights::FD_SEEK);
                implied.or_else(|_| self.descriptor(fd, needed))?;
                Ok((ino, offset))
            }
        }
    }

    pub(super) fn set_offset(&mut self, fd: u32, target: u64) {
        if let Ok(descriptor) = self.fds.get_mut(fd)
            && let Object::File { offset, .. } = &mut descriptor.object
        {
            *offset = target;
        }
    }

    /// Nothing is buffered, so there is nothing to do.
    pub(super) fn fd_sync(&self, fd: u32) -> Result<(), Stop> {
        Ok(self.no_directory(fd, rights::FD_SYNC).map(drop)?)
    }

    pub(super) fn fd_datasync(&self, fd: u32) -> Result<(), Stop> {
        // The right to sync all implies the right to sync the data.
        let implied = self.no_directory(fd, rights::FD_SYNC);
        Ok(implied
            .or_else(|_| self.no_directory(fd, rights::FD_DATASYNC))
            .map(drop)?)
    }

    /// Advice changes nothing here; it is checked.
    pub(super) fn fd_advise(
        &self,
        fd: u32,
        offset: u64,
        len: u64,
        advice: u32,
    ) -> Result<(), Stop> {
        const LAST_ADVICE: u32 = 5;
        self.file(fd, rights::FD_ADVISE)?;
        let bound = i64::MAX as u64;
        if advice > LAST_ADVICE || offset > bound || len > bound {
            return Err(Errno::Inval.into());
        }
        Ok(())
    }

    /// Nothing can be reserved in memory, and hosts no longer do it (wasmtime since version 14): a
    /// libc's `posix_fallocate` gets ENOTSUP, and programs go on without.
    pub(super) fn fd_allocate(&self, fd: u32) -> Result<(), Stop> {
        self.file(fd, rights::FD_ALLOCATE)?;
        Err(Errno::Notsup.into())
    }
}
