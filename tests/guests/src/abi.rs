//! `wasi_snapshot_preview1` as the core WebAssembly functions that hosts export, one declaration for each of the 46.
//! With the feature `unstable` it is `wasi_unstable`, whose functions are the same but for `sock_accept`, which came later.
//!
//! Pointers are `usize` so that a guest can pass any number at all.

#[cfg_attr(
    not(feature = "unstable"),
    link(wasm_import_module = "wasi_snapshot_preview1")
)]
#[cfg_attr(feature = "unstable", link(wasm_import_module = "wasi_unstable"))]
#[allow(missing_docs)]
unsafe extern "C" {
    pub fn args_get(argv: usize, buf: usize) -> i32;
    pub fn args_sizes_get(count: usize, size: usize) -> i32;
    pub fn environ_get(environ: usize, buf: usize) -> i32;
    pub fn environ_sizes_get(count: usize, size: usize) -> i32;
    pub fn clock_res_get(id: u32, out: usize) -> i32;
    pub fn clock_time_get(id: u32, precision: u64, out: usize) -> i32;
    pub fn fd_advise(fd: u32, offset: u64, len: u64, advice: u32) -> i32;
    pub fn fd_allocate(fd: u32, offset: u64, len: u64) -> i32;
    pub fn fd_close(fd: u32) -> i32;
    pub fn fd_datasync(fd: u32) -> i32;
    pub fn fd_fdstat_get(fd: u32, out: usize) -> i32;
    pub fn fd_fdstat_set_flags(fd: u32, flags: u32) -> i32;
    pub fn fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64) -> i32;
    pub fn fd_filestat_get(fd: u32, out: usize) -> i32;
    pub fn fd_filestat_set_size(fd: u32, size: u64) -> i32;
    pub fn fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, flags: u32) -> i32;
    pub fn fd_pread(fd: u32, iovs: usize, count: usize, offset: u64, out: usize) -> i32;
    pub fn fd_prestat_get(fd: u32, out: usize) -> i32;
    pub fn fd_prestat_dir_name(fd: u32, path: usize, len: usize) -> i32;
    pub fn fd_pwrite(fd: u32, iovs: usize, count: usize, offset: u64, out: usize) -> i32;
    pub fn fd_read(fd: u32, iovs: usize, count: usize, out: usize) -> i32;
    pub fn fd_readdir(fd: u32, buf: usize, len: usize, cookie: u64, out: usize) -> i32;
    pub fn fd_renumber(fd: u32, to: u32) -> i32;
    pub fn fd_seek(fd: u32, offset: i64, whence: u32, out: usize) -> i32;
    pub fn fd_sync(fd: u32) -> i32;
    pub fn fd_tell(fd: u32, out: usize) -> i32;
    pub fn fd_write(fd: u32, iovs: usize, count: usize, out: usize) -> i32;
    pub fn path_create_directory(fd: u32, path: usize, len: usize) -> i32;
    pub fn path_filestat_get(fd: u32, flags: u32, path: usize, len: usize, out: usize) -> i32;
    pub fn path_filestat_set_times(
        fd: u32,
        flags: u32,
        path: usize,
        len: usize,
        atim: u64,
        mtim: u64,
        fst_flags: u32,
    ) -> i32;
    pub fn path_link(
        old_fd: u32,
        flags: u32,
        old: usize,
        old_len: usize,
        new_fd: u32,
        new: usize,
        new_len: usize,
    ) -> i32;
    pub fn path_open(
        fd: u32,
        dirflags: u32,
        path: usize,
        len: usize,
        oflags: u32,
        base: u64,
        inheriting: u64,
        fdflags: u32,
        out: usize,
    ) -> i32;
    pub fn path_readlink(
        fd: u32,
        path: usize,
        len: usize,
        buf: usize,
        buf_len: usize,
        out: usize,
    ) -> i32;
    pub fn path_remove_directory(fd: u32, path: usize, len: usize) -> i32;
    pub fn path_rename(
        old_fd: u32,
        old: usize,
        old_len: usize,
        new_fd: u32,
        new: usize,
        new_len: usize,
    ) -> i32;
    pub fn path_symlink(target: usize, target_len: usize, fd: u32, path: usize, len: usize) -> i32;
    pub fn path_unlink_file(fd: u32, path: usize, len: usize) -> i32;
    pub fn poll_oneoff(subscriptions: usize, events: usize, count: usize, out: usize) -> i32;
    pub fn proc_exit(status: u32) -> !;
    pub fn proc_raise(signal: u32) -> i32;
    pub fn random_get(buf: usize, len: usize) -> i32;
    pub fn sched_yield() -> i32;
    pub fn sock_recv(
        fd: u32,
        iovs: usize,
        count: usize,
        flags: u32,
        out: usize,
        roflags: usize,
    ) -> i32;
    pub fn sock_send(fd: u32, iovs: usize, count: usize, flags: u32, out: usize) -> i32;
    pub fn sock_shutdown(fd: u32, how: u32) -> i32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
#[allow(missing_docs)]
unsafe extern "C" {
    pub fn sock_accept(fd: u32, flags: u32, out: usize) -> i32;
}

/// `oflags`.
pub mod oflags {
    pub const CREAT: u32 = 1;
    pub const DIRECTORY: u32 = 2;
    pub const EXCL: u32 = 4;
    pub const TRUNC: u32 = 8;
}

/// `fdflags`.
pub mod fdflags {
    pub const APPEND: u32 = 1;
    pub const DSYNC: u32 = 2;
    pub const NONBLOCK: u32 = 4;
    pub const RSYNC: u32 = 8;
    pub const SYNC: u32 = 16;
}

/// `fstflags`.
pub mod fstflags {
    pub const ATIM: u32 = 1;
    pub const ATIM_NOW: u32 = 2;
    pub const MTIM: u32 = 4;
    pub const MTIM_NOW: u32 = 8;
}

/// `whence` of preview1; [`crate::sys::seek`] gives `wasi_unstable` its own numbers.
pub mod whence {
    pub const SET: u32 = 0;
    pub const CUR: u32 = 1;
    pub const END: u32 = 2;
}

/// `filetype`, as the names that checks print.
pub const FILETYPES: [&str; 8] = [
    "unknown", "block", "char", "dir", "file", "dgram", "stream", "symlink",
];

/// `rights`, bit by bit.
pub mod rights {
    pub const FD_DATASYNC: u64 = 1 << 0;
    pub const FD_READ: u64 = 1 << 1;
    pub const FD_SEEK: u64 = 1 << 2;
    pub const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub const FD_SYNC: u64 = 1 << 4;
    pub const FD_TELL: u64 = 1 << 5;
    pub const FD_WRITE: u64 = 1 << 6;
    pub const FD_ADVISE: u64 = 1 << 7;
    pub const FD_ALLOCATE: u64 = 1 << 8;
    pub const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    pub const PATH_CREATE_FILE: u64 = 1 << 10;
    pub const PATH_LINK_SOURCE: u64 = 1 << 11;
    pub const PATH_LINK_TARGET: u64 = 1 << 12;
    pub const PATH_OPEN: u64 = 1 << 13;
    pub const FD_READDIR: u64 = 1 << 14;
    pub const PATH_READLINK: u64 = 1 << 15;
    pub const PATH_RENAME_SOURCE: u64 = 1 << 16;
    pub const PATH_RENAME_TARGET: u64 = 1 << 17;
    pub const PATH_FILESTAT_GET: u64 = 1 << 18;
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    pub const PATH_SYMLINK: u64 = 1 << 24;
    pub const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    pub const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub const POLL_FD_READWRITE: u64 = 1 << 27;
    pub const SOCK_SHUTDOWN: u64 = 1 << 28;
    pub const SOCK_ACCEPT: u64 = 1 << 29;

    /// Everything that can be done to a regular file.
    pub const FILE: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | POLL_FD_READWRITE;
    /// What a read-only opener asks for, as wasi-libc does for `O_RDONLY`: everything but the writing rights.
    pub const READ_ONLY: u64 =
        FILE & !(FD_DATASYNC | FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE);
    /// Everything that can be done to a directory.
    pub const DIRECTORY: u64 = FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_ADVISE
        | PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | FD_READDIR
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE
        | POLL_FD_READWRITE;
    /// Every right of files and directories.
    pub const ALL: u64 = FILE | DIRECTORY;
}
