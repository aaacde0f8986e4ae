//! Thin wrappers over [`crate::abi`]: results instead of out pointers, byte slices instead of pointer and length.

use crate::abi::{self, oflags, rights};
use crate::errno::{Errno, check};

/// The result of a call.
pub type R<T> = Result<T, Errno>;

/// `lookupflags::symlink_follow`.
pub const FOLLOW: u32 = 1;
/// No `lookupflags`.
pub const NOFOLLOW: u32 = 0;

/// Address of a value, as the host wants it.
pub fn at<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).cast::<u8>() as usize
}

/// Address of a value that the host writes to.
pub fn out<T: ?Sized>(value: &mut T) -> usize {
    std::ptr::from_mut(value).cast::<u8>() as usize
}

/// One `iovec` or `ciovec`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Iovec {
    /// Address.
    pub buf: usize,
    /// Length in bytes.
    pub len: usize,
}

/// Vectors over the given slices, to write from.
pub fn ciovecs(parts: &[&[u8]]) -> Vec<Iovec> {
    parts
        .iter()
        .map(|part| Iovec {
            buf: at(*part),
            len: part.len(),
        })
        .collect()
}

/// The number of links in a [`Filestat`].
#[cfg(not(feature = "unstable"))]
pub type Linkcount = u64;
/// The number of links in a [`Filestat`].
#[cfg(feature = "unstable")]
pub type Linkcount = u32;

/// `filestat`, 64 bytes in preview1 and 56 in `wasi_unstable`.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Filestat {
    pub dev: u64,
    pub ino: u64,
    pub filetype: u8,
    pub nlink: Linkcount,
    pub size: u64,
    pub atim: u64,
    pub mtim: u64,
    pub ctim: u64,
}

impl Filestat {
    /// The file type's name.
    pub fn kind(&self) -> &'static str {
        abi::FILETYPES
            .get(usize::from(self.filetype))
            .copied()
            .unwrap_or("?")
    }
}

/// `fdstat`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Fdstat {
    pub filetype: u8,
    pub flags: u16,
    pub base: u64,
    pub inheriting: u64,
}

impl Fdstat {
    /// The file type's name.
    pub fn kind(&self) -> &'static str {
        abi::FILETYPES
            .get(usize::from(self.filetype))
            .copied()
            .unwrap_or("?")
    }
}

/// `path_open` with everything spelt out.
pub fn open_with(
    dir: u32,
    lookup: u32,
    path: impl AsRef<[u8]>,
    oflags: u32,
    base: u64,
    inheriting: u64,
    fdflags: u32,
) -> R<u32> {
    let path = path.as_ref();
    let mut fd = u32::MAX;
    // SAFETY: the pointers are to live values of the sizes given; this holds for every call in this module.
    check(unsafe {
        abi::path_open(
            dir,
            lookup,
            at(path),
            path.len(),
            oflags,
            base,
            inheriting,
            fdflags,
            out(&mut fd),
        )
    })?;
    Ok(fd)
}

/// Opens for reading and writing, with the given `oflags`, following symlinks.
pub fn open(dir: u32, path: impl AsRef<[u8]>, oflags: u32) -> R<u32> {
    open_with(dir, FOLLOW, path, oflags, rights::FILE, 0, 0)
}

/// Opens read-only, following symlinks.
pub fn open_read(dir: u32, path: impl AsRef<[u8]>) -> R<u32> {
    open_with(dir, FOLLOW, path, 0, rights::READ_ONLY, 0, 0)
}

/// Opens a directory with all directory rights, and all rights inheriting.
pub fn open_dir(dir: u32, path: impl AsRef<[u8]>) -> R<u32> {
    open_with(
        dir,
        FOLLOW,
        path,
        oflags::DIRECTORY,
        rights::DIRECTORY,
        rights::ALL,
        0,
    )
}

/// `fd_close`.
pub fn close(fd: u32) -> R<()> {
    check(unsafe { abi::fd_close(fd) })
}

/// `fd_renumber`.
pub fn renumber(from: u32, to: u32) -> R<()> {
    check(unsafe { abi::fd_renumber(from, to) })
}

/// `fd_write` of one buffer.
pub fn write(fd: u32, data: impl AsRef<[u8]>) -> R<usize> {
    writev(fd, &ciovecs(&[data.as_ref()]))
}

/// `fd_write`.
pub fn writev(fd: u32, iovs: &[Iovec]) -> R<usize> {
    let mut n = 0usize;
    check(unsafe { abi::fd_write(fd, at(iovs), iovs.len(), out(&mut n)) })?;
    Ok(n)
}

/// `fd_pwrite` of one buffer.
pub fn pwrite(fd: u32, data: impl AsRef<[u8]>, offset: u64) -> R<usize> {
    pwritev(fd, &ciovecs(&[data.as_ref()]), offset)
}

/// `fd_pwrite`.
pub fn pwritev(fd: u32, iovs: &[Iovec], offset: u64) -> R<usize> {
    let mut n = 0usize;
    check(unsafe { abi::fd_pwrite(fd, at(iovs), iovs.len(), offset, out(&mut n)) })?;
    Ok(n)
}

/// `fd_read` into one buffer of `len` bytes: what was read.
pub fn read(fd: u32, len: usize) -> R<Vec<u8>> {
    let mut buf = vec![0u8; len];
    let n = readv(
        fd,
        &[Iovec {
            buf: out(buf.as_mut_slice()),
            len,
        }],
    )?;
    buf.truncate(n);
    Ok(buf)
}

/// `fd_read`.
pub fn readv(fd: u32, iovs: &[Iovec]) -> R<usize> {
    let mut n = 0usize;
    check(unsafe { abi::fd_read(fd, at(iovs), iovs.len(), out(&mut n)) })?;
    Ok(n)
}

/// `fd_pread` into one buffer of `len` bytes: what was read.
pub fn pread(fd: u32, len: usize, offset: u64) -> R<Vec<u8>> {
    let mut buf = vec![0u8; len];
    let n = preadv(
        fd,
        &[Iovec {
            buf: out(buf.as_mut_slice()),
            len,
        }],
        offset,
    )?;
    buf.truncate(n);
    Ok(buf)
}

/// `fd_pread`.
pub fn preadv(fd: u32, iovs: &[Iovec], offset: u64) -> R<usize> {
    let mut n = 0usize;
    check(unsafe { abi::fd_pread(fd, at(iovs), iovs.len(), offset, out(&mut n)) })?;
    Ok(n)
}

/// Reads until the end, from the current offset.
pub fn read_all(fd: u32) -> R<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let part = read(fd, 4096)?;
        if part.is_empty() {
            return Ok(all);
        }
        all.extend(part);
    }
}

/// `fd_seek`, with preview1's numbers for `whence`.
pub fn seek(fd: u32, offset: i64, whence: u32) -> R<u64> {
    let whence = match whence {
        abi::whence::SET if cfg!(feature = "unstable") => 2,
        abi::whence::CUR if cfg!(feature = "unstable") => 0,
        abi::whence::END if cfg!(feature = "unstable") => 1,
        same => same,
    };
    let mut pos = 0u64;
    check(unsafe { abi::fd_seek(fd, offset, whence, out(&mut pos)) })?;
    Ok(pos)
}

/// `fd_tell`.
pub fn tell(fd: u32) -> R<u64> {
    let mut pos = 0u64;
    check(unsafe { abi::fd_tell(fd, out(&mut pos)) })?;
    Ok(pos)
}

/// `fd_fdstat_get`.
pub fn fdstat(fd: u32) -> R<Fdstat> {
    let mut stat = Fdstat::default();
    check(unsafe { abi::fd_fdstat_get(fd, out(&mut stat)) })?;
    Ok(stat)
}

/// `fd_fdstat_set_flags`.
pub fn set_flags(fd: u32, flags: u32) -> R<()> {
    check(unsafe { abi::fd_fdstat_set_flags(fd, flags) })
}

/// `fd_fdstat_set_rights`.
pub fn set_rights(fd: u32, base: u64, inheriting: u64) -> R<()> {
    check(unsafe { abi::fd_fdstat_set_rights(fd, base, inheriting) })
}

/// `fd_filestat_get`.
pub fn fstat(fd: u32) -> R<Filestat> {
    let mut stat = Filestat::default();
    check(unsafe { abi::fd_filestat_get(fd, out(&mut stat)) })?;
    Ok(stat)
}

/// `path_filestat_get`.
pub fn stat(dir: u32, lookup: u32, path: impl AsRef<[u8]>) -> R<Filestat> {
    let path = path.as_ref();
    let mut stat = Filestat::default();
    check(unsafe { abi::path_filestat_get(dir, lookup, at(path), path.len(), out(&mut stat)) })?;
    Ok(stat)
}

/// The kind of what is at `path`, the last symlink not followed.
pub fn kind(path: impl AsRef<[u8]>) -> R<&'static str> {
    stat(crate::ROOT, NOFOLLOW, path).map(|stat| stat.kind())
}

/// `fd_filestat_set_size`.
pub fn set_size(fd: u32, size: u64) -> R<()> {
    check(unsafe { abi::fd_filestat_set_size(fd, size) })
}

/// `fd_filestat_set_times`.
pub fn set_times(fd: u32, atim: u64, mtim: u64, flags: u32) -> R<()> {
    check(unsafe { abi::fd_filestat_set_times(fd, atim, mtim, flags) })
}

/// `path_filestat_set_times`.
pub fn path_set_times(
    dir: u32,
    lookup: u32,
    path: impl AsRef<[u8]>,
    atim: u64,
    mtim: u64,
    flags: u32,
) -> R<()> {
    let path = path.as_ref();
    check(unsafe {
        abi::path_filestat_set_times(dir, lookup, at(path), path.len(), atim, mtim, flags)
    })
}

/// `fd_allocate`.
pub fn allocate(fd: u32, offset: u64, len: u64) -> R<()> {
    check(unsafe { abi::fd_allocate(fd, offset, len) })
}

/// `fd_advise`.
pub fn advise(fd: u32, offset: u64, len: u64, advice: u32) -> R<()> {
    check(unsafe { abi::fd_advise(fd, offset, len, advice) })
}

/// `fd_sync`.
pub fn sync(fd: u32) -> R<()> {
    check(unsafe { abi::fd_sync(fd) })
}

/// `fd_datasync`.
pub fn datasync(fd: u32) -> R<()> {
    check(unsafe { abi::fd_datasync(fd) })
}

/// `path_create_directory`.
pub fn mkdir(dir: u32, path: impl AsRef<[u8]>) -> R<()> {
    let path = path.as_ref();
    check(unsafe { abi::path_create_directory(dir, at(path), path.len()) })
}

/// `path_remove_directory`.
pub fn rmdir(dir: u32, path: impl AsRef<[u8]>) -> R<()> {
    let path = path.as_ref();
    check(unsafe { abi::path_remove_directory(dir, at(path), path.len()) })
}

/// `path_unlink_file`.
pub fn unlink(dir: u32, path: impl AsRef<[u8]>) -> R<()> {
    let path = path.as_ref();
    check(unsafe { abi::path_unlink_file(dir, at(path), path.len()) })
}

/// `path_symlink`: makes `path` point to `target`.
pub fn symlink(target: impl AsRef<[u8]>, dir: u32, path: impl AsRef<[u8]>) -> R<()> {
    let (target, path) = (target.as_ref(), path.as_ref());
    check(unsafe { abi::path_symlink(at(target), target.len(), dir, at(path), path.len()) })
}

/// `path_readlink` into a buffer of `len` bytes: what was written.
pub fn readlink(dir: u32, path: impl AsRef<[u8]>, len: usize) -> R<Vec<u8>> {
    let path = path.as_ref();
    let mut buf = vec![0u8; len];
    let mut n = 0usize;
    check(unsafe {
        abi::path_readlink(
            dir,
            at(path),
            path.len(),
            out(buf.as_mut_slice()),
            len,
            out(&mut n),
        )
    })?;
    buf.truncate(n);
    Ok(buf)
}

/// `path_link`.
pub fn link(
    old_dir: u32,
    lookup: u32,
    old: impl AsRef<[u8]>,
    new_dir: u32,
    new: impl AsRef<[u8]>,
) -> R<()> {
    let (old, new) = (old.as_ref(), new.as_ref());
    check(unsafe {
        abi::path_link(
            old_dir,
            lookup,
            at(old),
            old.len(),
            new_dir,
            at(new),
            new.len(),
        )
    })
}

/// `path_rename`.
pub fn rename(old_dir: u32, old: impl AsRef<[u8]>, new_dir: u32, new: impl AsRef<[u8]>) -> R<()> {
    let (old, new) = (old.as_ref(), new.as_ref());
    check(unsafe { abi::path_rename(old_dir, at(old), old.len(), new_dir, at(new), new.len()) })
}

/// `fd_readdir` into a buffer of `len` bytes: the bytes used.
pub fn readdir(fd: u32, len: usize, cookie: u64) -> R<Vec<u8>> {
    let mut buf = vec![0u8; len];
    let mut n = 0usize;
    check(unsafe { abi::fd_readdir(fd, out(buf.as_mut_slice()), len, cookie, out(&mut n)) })?;
    buf.truncate(n);
    Ok(buf)
}

/// The name of a preopen, through `fd_prestat_get` and `fd_prestat_dir_name`.
pub fn preopen_name(fd: u32) -> R<Vec<u8>> {
    let len = prestat(fd)?;
    let mut name = vec![0u8; len];
    check(unsafe { abi::fd_prestat_dir_name(fd, out(name.as_mut_slice()), len) })?;
    Ok(name)
}

/// `fd_prestat_get`: the length of the name.
pub fn prestat(fd: u32) -> R<usize> {
    let mut prestat = [u32::MAX; 2];
    check(unsafe { abi::fd_prestat_get(fd, out(&mut prestat)) })?;
    // The tag is one byte; what follows it up to the length is padding.
    assert_eq!(prestat[0] & 0xff, 0, "only directories are preopened");
    Ok(prestat[1] as usize)
}

/// Makes (or replaces) the file `path` with `data`.
pub fn put(path: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> R<()> {
    let fd = open(crate::ROOT, path, oflags::CREAT | oflags::TRUNC)?;
    let data = data.as_ref();
    if !data.is_empty() {
        write(fd, data)?;
    }
    close(fd)
}

/// The content of the file `path`.
pub fn get(path: impl AsRef<[u8]>) -> R<Vec<u8>> {
    let fd = open_read(crate::ROOT, path)?;
    let data = read_all(fd);
    close(fd)?;
    data
}

/// `fd_write` until all is written: a host may write only a part, such as the first vector that is not empty.
pub fn writev_all(fd: u32, iovs: &[Iovec]) -> R<usize> {
    repeat(iovs, |left| writev(fd, left))
}

/// `fd_read` until the vectors are full or the file ends: a host may fill only a part.
pub fn readv_all(fd: u32, iovs: &[Iovec]) -> R<usize> {
    repeat(iovs, |left| readv(fd, left))
}

fn repeat(iovs: &[Iovec], mut call: impl FnMut(&[Iovec]) -> R<usize>) -> R<usize> {
    let mut iovs = iovs.to_vec();
    let mut total = 0;
    while iovs.iter().any(|iov| iov.len > 0) {
        let n = call(&iovs)?;
        if n == 0 {
            break;
        }
        total += n;
        let mut left = n;
        for iov in &mut iovs {
            let used = left.min(iov.len);
            iov.buf += used;
            iov.len -= used;
            left -= used;
        }
    }
    Ok(total)
}
