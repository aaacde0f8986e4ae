//! Reading and writing, files and streams.

use super::*;
use crate::fs::{Ino, MAX_FILE_SIZE};

/// Where an iovec array is: address, and number of elements.
type Iovecs = (u32, u32);

impl System {
    pub(super) fn fd_read(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        iovecs: Iovecs,
        result: u32,
    ) -> Result<(), Stop> {
        let descriptor = self.no_directory(fd, rights::FD_READ)?;
        let (object, flags) = (descriptor.object.clone(), descriptor.flags);
        let ranges = memory.read_iovecs(iovecs.0, iovecs.1)?;
        memory.check(result, 4)?;
        let read = match object {
            Object::File { ino, offset } => {
                let read = self.read_file(memory, ino, offset, &ranges)?;
                self.set_offset(fd, offset + u64::from(read));
                read
            }
            Object::Stream(Stream::In) => self.read_stdin(memory, &ranges, flags)?,
            Object::Stream(_) => return Err(Errno::Badf.into()),
            Object::Directory { .. } => return Err(Errno::Badf.into()),
        };
        Ok(memory.write_u32(result, read)?)
    }

    pub(super) fn fd_pread(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        iovecs: Iovecs,
        offset: u64,
        result: u32,
    ) -> Result<(), Stop> {
        let file = self.positioned(fd, rights::FD_READ | rights::FD_SEEK)?;
        let ranges = memory.read_iovecs(iovecs.0, iovecs.1)?;
        memory.check(result, 4)?;
        if offset > MAX_FILE_SIZE {
            return Err(Errno::Inval.into());
        }
        let read = self.read_file(memory, file, offset, &ranges)?;
        Ok(memory.write_u32(result, read)?)
    }

    pub(super) fn fd_write(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        iovecs: Iovecs,
        result: u32,
    ) -> Result<(), Stop> {
        let descriptor = self.no_directory(fd, rights::FD_WRITE)?;
        let (object, flags) = (descriptor.object.clone(), descriptor.flags);
        let ranges = memory.read_iovecs(iovecs.0, iovecs.1)?;
        memory.check(result, 4)?;
        let written = match object {
            Object::File { ino, offset } => {
                let offset = match flags & fdflags::APPEND {
                    0 => offset,
                    _ => self.fs.content(ino)?.len(),
                };
                let written = self.write_file(memory, ino, offset, &ranges)?;
                self.set_offset(fd, offset + u64::from(written));
                written
            }
            Object::Stream(Stream::Out) => self.write_stream(memory, 1, &ranges)?,
            Object::Stream(Stream::Err) => self.write_stream(memory, 2, &ranges)?,
            Object::Stream(Stream::In) => return Err(Errno::Badf.into()),
            Object::Directory { .. } => return Err(Errno::Badf.into()),
        };
        Ok(memory.write_u32(result, written)?)
    }

    pub(super) fn fd_pwrite(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        iovecs: Iovecs,
        offset: u64,
        result: u32,
    ) -> Result<(), Stop> {
        let file = self.positioned(fd, rights::FD_WRITE | rights::FD_SEEK)?;
        let ranges = memory.read_iovecs(iovecs.0, iovecs.1)?;
        memory.check(result, 4)?;
        if offset > MAX_FILE_SIZE {
            return Err(Errno::Inval.into());
        }
        // POSIX has the offset win over append mode; Linux, and with it wasmtime, appends.
        let offset = match self.fds.get(fd)?.flags & fdflags::APPEND {
            0 => offset,
            _ => self.fs.content(file)?.len(),
        };
        let written = self.write_file(memory, file, offset, &ranges)?;
        Ok(memory.write_u32(result, written)?)
    }

    /// The file behind `fd` for a read or write at an offset, which a stream does not have.
    fn positioned(&self, fd: u32, rights: Rights) -> Result<Ino, Errno> {
        match self.fds.get(fd)?.object {
            Object::Stream(_) => Err(Errno::Spipe),
            _ => self.file(fd, rights),
        }
    }

    fn read_file(
        &self,
        memory: &mut Memory<'_>,
        file: Ino,
        offset: u64,
        ranges: &[(u32, u32)],
    ) -> Result<u32, Stop> {
        let content = self.fs.content(file)?;
        let mut total = 0;
        for &(address, len) in ranges {
            // Only what there is to read is touched: a huge buffer for a small file costs nothing.
            let left = content.len().saturating_sub(offset + u64::from(total));
            let len = u64::from(len).min(left) as u32;
            let read = memory.fill(address, len, &mut |buffer| {
                content.read_at(offset + u64::from(total), buffer)
            })?;
            total += read as u32;
        }
        Ok(total)
    }

    fn read_stdin(
        &mut self,
        memory: &mut Memory<'_>,
        ranges: &[(u32, u32)],
        flags: u16,
    ) -> Result<u32, Stop> {
        let wanted = ranges.iter().any(|&(_, len)| len > 0);
        if wanted && self.stdin.would_block() {
            return match flags & fdflags::NONBLOCK {
                0 => Err(Stop::Block),
                _ => Err(Errno::Again.into()),
            };
        }
        let mut total = 0;
        for &(address, len) in ranges {
            let len = self.stdin.available().min(u64::from(len)) as u32;
            let stdin = &mut self.stdin;
            total += memory.fill(address, len, &mut |buffer| stdin.read(buffer))? as u32;
        }
        Ok(total)
    }

    fn write_file(
        &mut self,
        memory: &mut Memory<'_>,
        file: Ino,
        offset: u64,
        ranges: &[(u32, u32)],
    ) -> Result<u32, Stop> {
        let now = self.now();
        let total: u64 = ranges.iter().map(|&(_, len)| u64::from(len)).sum();
        if offset
            .checked_add(total)
            .is_none_or(|end| end > MAX_FILE_SIZE)
        {
            return Err(Errno::Fbig.into());
        }
        self.check_growth(self.fs.content(file)?.growth(offset, total))?;
        let mut position = offset;
        // Writing nothing changes nothing, the times included.
        for &(address, len) in ranges.iter().filter(|(_, len)| *len > 0) {
            let bytes = memory.view(address, len)?;
            self.fs.write(file, position, &bytes, now)?;
            position += u64::from(len);
        }
        Ok(total as u32)
    }

    fn write_stream(
        &mut self,
        memory: &Memory<'_>,
        fd: u8,
        ranges: &[(u32, u32)],
    ) -> Result<u32, Stop> {
        let mut total = 0;
        for &(address, len) in ranges {
            if !self.output.write(fd, &memory.view(address, len)?) {
                return Err(Stop::Exceeded(Exceeded::Output));
            }
            total += len;
        }
        Ok(total)
    }
}
