//! Pointers that do not lie in memory: EFAULT and no effect. (Some hosts trap: the specification allows that too.)

use guests::abi::{oflags, rights};
use guests::errno::check;
use guests::sys::*;
use guests::{ROOT, Suite, abi};

/// The first address past memory.
fn end() -> usize {
    // Memory never shrinks, and this program never fills 4 GiB.
    core::arch::wasm32::memory_size(0) << 16
}

/// A call with a bad pointer. None of them is unsafe here: that is what is tested.
macro_rules! raw {
    ($name:ident($($arg:expr),*)) => { check(unsafe { abi::$name($($arg),*) }) };
}

fn main() {
    let mut s = Suite::new();
    s.need("put", put("file", "content"));
    s.need("symlink", symlink("file", ROOT, "link"));
    let fd = s.need("open", open(ROOT, "file", 0));
    for (name, bad) in [
        ("at the end", end()),
        ("crossing the end", end() - 1),
        ("largest", usize::MAX),
    ] {
        s.group(name);
        out_pointers(&mut s, fd, bad);
        paths(&mut s, bad);
        vectors(&mut s, fd, bad);
    }
    // All vectors are looked at before anything is read or written.
    s.group("a good vector before a bad one");
    let mut good = *b"...";
    let two = [
        Iovec {
            buf: out(&mut good),
            len: 3,
        },
        Iovec {
            buf: end() - 1,
            len: 2,
        },
    ];
    s.is("fd_write", writev(fd, &two), "EFAULT");
    s.is("fd_pwrite", pwritev(fd, &two, 0), "EFAULT");
    s.is("fd_read", readv(fd, &two), "EFAULT");
    s.is("fd_pread", preadv(fd, &two, 0), "EFAULT");
    s.is("nothing was read", good.as_slice(), "\"...\"");
    s.is("the offset is unchanged", tell(fd), "0");
    s.is("nothing was written", get("file"), "\"content\"");

    s.group("lengths");
    let wraps = [Iovec {
        buf: 16,
        len: usize::MAX,
    }];
    s.is("fd_write, wrapping", writev(fd, &wraps), "EFAULT|EINVAL");
    s.is("fd_read, wrapping", readv(fd, &wraps), "EFAULT|EINVAL");
    let mut n = 0usize;
    s.is(
        "too many vectors",
        raw!(fd_write(fd, 16, usize::MAX, out(&mut n))),
        "EFAULT|EINVAL",
    );
    s.is(
        "a path too long",
        raw!(path_create_directory(ROOT, 16, usize::MAX)),
        "EFAULT|ENAMETOOLONG",
    );
    s.is("random_get", raw!(random_get(16, usize::MAX)), "EFAULT");
    s.is(
        "fd_readdir",
        raw!(fd_readdir(ROOT, 16, usize::MAX, 0, out(&mut n))),
        "EFAULT",
    );
    s.is(
        "path_readlink",
        raw!(path_readlink(
            ROOT,
            at("link"),
            4,
            16,
            usize::MAX,
            out(&mut n)
        )),
        "EFAULT",
    );
    s.is(
        "poll_oneoff",
        raw!(poll_oneoff(16, 16, usize::MAX, out(&mut n))),
        "EFAULT|EINVAL",
    );

    s.group("nothing to access");
    let empty = [Iovec {
        buf: usize::MAX,
        len: 0,
    }];
    s.is(
        "fd_write of an empty vector",
        writev(fd, &empty),
        "0|EFAULT",
    );
    s.is("fd_read of an empty vector", readv(fd, &empty), "0|EFAULT");
    s.is(
        "random_get of nothing",
        raw!(random_get(end(), 0)),
        "ok|EFAULT",
    );
    s.is(
        "the rest is as it was",
        (tell(fd), get("file")),
        "0 \"content\"",
    );
    s.done()
}

fn out_pointers(s: &mut Suite, fd: u32, bad: usize) {
    let mut good = [0u64; 64];
    let good = out(&mut good);
    s.is(
        "args_sizes_get count",
        raw!(args_sizes_get(bad, good)),
        "EFAULT",
    );
    s.is(
        "args_sizes_get size",
        raw!(args_sizes_get(good, bad)),
        "EFAULT",
    );
    s.is("args_get pointers", raw!(args_get(bad, good)), "EFAULT");
    s.is("args_get buffer", raw!(args_get(good, bad)), "EFAULT");
    s.is(
        "environ_sizes_get",
        raw!(environ_sizes_get(bad, good)),
        "EFAULT",
    );
    s.is("clock_res_get", raw!(clock_res_get(0, bad)), "EFAULT");
    s.is("clock_time_get", raw!(clock_time_get(0, 0, bad)), "EFAULT");
    s.is("fd_fdstat_get", raw!(fd_fdstat_get(fd, bad)), "EFAULT");
    s.is("fd_filestat_get", raw!(fd_filestat_get(fd, bad)), "EFAULT");
    s.is("fd_prestat_get", raw!(fd_prestat_get(ROOT, bad)), "EFAULT");
    // The shortest name is one byte, which still fits just before the end.
    let name = if bad == end() - 1 { end() } else { bad };
    s.is(
        "fd_prestat_dir_name",
        raw!(fd_prestat_dir_name(ROOT, name, 1)),
        "EFAULT",
    );
    s.is("fd_tell", raw!(fd_tell(fd, bad)), "EFAULT");
    s.is("fd_seek", raw!(fd_seek(fd, 0, 0, bad)), "EFAULT");
    s.is(
        "fd_readdir buffer",
        raw!(fd_readdir(ROOT, bad, 100, 0, good)),
        "EFAULT",
    );
    s.is(
        "fd_readdir used",
        raw!(fd_readdir(ROOT, good, 100, 0, bad)),
        "EFAULT",
    );
    s.is(
        "path_readlink buffer",
        raw!(path_readlink(ROOT, at("link"), 4, bad, 4, good)),
        "EFAULT",
    );
    s.is(
        "path_readlink used",
        raw!(path_readlink(ROOT, at("link"), 4, good, 4, bad)),
        "EFAULT",
    );
    s.is(
        "path_filestat_get",
        raw!(path_filestat_get(ROOT, 0, at("file"), 4, bad)),
        "EFAULT",
    );
    s.is("random_get", raw!(random_get(bad, 16)), "EFAULT");
    s.is(
        "poll_oneoff in",
        raw!(poll_oneoff(bad, good, 1, good)),
        "EFAULT",
    );
    let clock = [0u64; 7];
    s.is(
        "poll_oneoff out",
        raw!(poll_oneoff(at(&clock), bad, 1, good)),
        "EFAULT",
    );
    s.is(
        "poll_oneoff count",
        raw!(poll_oneoff(at(&clock), good, 1, bad)),
        "EFAULT",
    );
    let opened = raw!(path_open(
        ROOT,
        0,
        at("file"),
        4,
        0,
        rights::FILE,
        0,
        0,
        bad
    ));
    s.is("path_open", opened, "EFAULT");
    let created = raw!(path_open(
        ROOT,
        0,
        at("new"),
        3,
        oflags::CREAT,
        rights::FILE,
        0,
        0,
        bad
    ));
    s.is("path_open creat", created, "EFAULT");
    s.is("no file was made", kind("new"), "ENOENT");
}

fn paths(s: &mut Suite, bad: usize) {
    let mut good = [0u64; 64];
    let good = out(&mut good);
    s.is(
        "path: path_open",
        raw!(path_open(ROOT, 0, bad, 4, 0, 0, 0, 0, good)),
        "EFAULT",
    );
    s.is(
        "path: path_filestat_get",
        raw!(path_filestat_get(ROOT, 0, bad, 4, good)),
        "EFAULT",
    );
    s.is(
        "path: path_filestat_set_times",
        raw!(path_filestat_set_times(ROOT, 0, bad, 4, 1, 1, 1)),
        "EFAULT",
    );
    s.is(
        "path: path_create_directory",
        raw!(path_create_directory(ROOT, bad, 4)),
        "EFAULT",
    );
    s.is(
        "path: path_remove_directory",
        raw!(path_remove_directory(ROOT, bad, 4)),
        "EFAULT",
    );
    s.is(
        "path: path_unlink_file",
        raw!(path_unlink_file(ROOT, bad, 4)),
        "EFAULT",
    );
    s.is(
        "path: path_readlink",
        raw!(path_readlink(ROOT, bad, 4, good, 4, good)),
        "EFAULT",
    );
    s.is(
        "path: path_symlink target",
        raw!(path_symlink(bad, 4, ROOT, at("new"), 3)),
        "EFAULT",
    );
    s.is(
        "path: path_symlink",
        raw!(path_symlink(at("file"), 4, ROOT, bad, 4)),
        "EFAULT",
    );
    s.is(
        "path: path_link old",
        raw!(path_link(ROOT, 0, bad, 4, ROOT, at("new"), 3)),
        "EFAULT",
    );
    s.is(
        "path: path_link new",
        raw!(path_link(ROOT, 0, at("file"), 4, ROOT, bad, 4)),
        "EFAULT",
    );
    s.is(
        "path: path_rename old",
        raw!(path_rename(ROOT, bad, 4, ROOT, at("new"), 3)),
        "EFAULT",
    );
    s.is(
        "path: path_rename new",
        raw!(path_rename(ROOT, at("file"), 4, ROOT, bad, 4)),
        "EFAULT",
    );
    s.is("path: nothing was made", kind("new"), "ENOENT");
}

fn vectors(s: &mut Suite, fd: u32, bad: usize) {
    let mut good = [0u64; 4];
    let good = out(&mut good);
    let iov = [Iovec { buf: bad, len: 2 }];
    s.is("buffer: fd_write", writev(fd, &iov), "EFAULT");
    s.is("buffer: fd_read", readv(fd, &iov), "EFAULT");
    s.is("buffer: fd_pwrite", pwritev(fd, &iov, 0), "EFAULT");
    s.is("buffer: fd_pread", preadv(fd, &iov, 0), "EFAULT");
    s.is(
        "vectors: fd_write",
        raw!(fd_write(fd, bad, 1, good)),
        "EFAULT",
    );
    s.is(
        "vectors: fd_read",
        raw!(fd_read(fd, bad, 1, good)),
        "EFAULT",
    );
    s.is(
        "vectors: fd_pwrite",
        raw!(fd_pwrite(fd, bad, 1, 0, good)),
        "EFAULT",
    );
    s.is(
        "vectors: fd_pread",
        raw!(fd_pread(fd, bad, 1, 0, good)),
        "EFAULT",
    );
    let mut buf = [0u8; 2];
    let iov = [Iovec {
        buf: out(&mut buf),
        len: 2,
    }];
    s.is(
        "count: fd_write",
        raw!(fd_write(fd, at(&iov), 1, bad)),
        "EFAULT",
    );
    s.is(
        "count: fd_read",
        raw!(fd_read(fd, at(&iov), 1, bad)),
        "EFAULT",
    );
    s.is("the offset is unchanged", tell(fd), "0");
    s.is("the content too", get("file"), "\"content\"");
}
