//! `fd_filestat_*`, `path_filestat_*`, `fd_allocate`, `fd_advise`, `fd_sync`, `fd_datasync`.

use guests::abi::{fstflags::*, oflags};
use guests::sys::*;
use guests::{ROOT, Suite};

fn main() {
    let mut s = Suite::new();
    sizes(&mut s);
    allocation(&mut s);
    advice(&mut s);
    syncing(&mut s);
    stats(&mut s);
    fd_times(&mut s);
    path_times(&mut s);
    s.done()
}

fn sizes(s: &mut Suite) {
    s.group("size");
    let fd = s.need("create", open(ROOT, "size", oflags::CREAT));
    s.need("write", write(fd, "0123456789"));
    s.is("shrink", set_size(fd, 4), "ok");
    s.is("content", get("size"), "\"0123\"");
    s.is("the offset is unchanged", tell(fd), "10");
    s.is("grow", set_size(fd, 8), "ok");
    s.is(
        "zeros, not what was there",
        get("size"),
        r#""0123\x00\x00\x00\x00""#,
    );
    s.is("write past the end", write(fd, "x"), "1");
    s.is("size after that", fstat(fd).map(|stat| stat.size), "11");
    s.is("to nothing", set_size(fd, 0), "ok");
    s.is("nothing left", get("size"), "\"\"");
    s.is("same size", set_size(fd, 0), "ok");
    s.is("negative", set_size(fd, u64::MAX), "EINVAL|EFBIG|EOVERFLOW");
    s.is("close", close(fd), "ok");
    s.is(
        "of a directory",
        set_size(ROOT, 0),
        "EBADF|EISDIR|ENOTCAPABLE|EINVAL",
    );
    s.is(
        "of stdout",
        set_size(1, 0),
        "EINVAL|EBADF|ENOTCAPABLE|ENOTSUP|ESPIPE",
    );
}

fn allocation(s: &mut Suite) {
    s.group("allocate");
    let fd = s.need("create", open(ROOT, "allocate", oflags::CREAT));
    s.need("write", write(fd, "abc"));
    // The specification has fd_allocate; hosts have dropped it (wasmtime since version 14), and no host may change the
    // file when it says so.
    s.is("grows", allocate(fd, 0, 10), "ENOTSUP");
    s.is("within", allocate(fd, 0, 2), "ENOTSUP");
    s.is("from an offset", allocate(fd, 8, 8), "ENOTSUP");
    s.is("zero length", allocate(fd, 0, 0), "EINVAL|ENOTSUP");
    s.is(
        "overflow",
        allocate(fd, u64::MAX, 2),
        "EINVAL|EFBIG|EOVERFLOW|ENOTSUP",
    );
    s.is("size at last", fstat(fd).map(|stat| stat.size), "3");
    s.is("content is kept", pread(fd, 3, 0), "\"abc\"");
    s.is("the offset is unchanged", tell(fd), "3");
    s.is("close", close(fd), "ok");
    let fd = s.need("read only", open_read(ROOT, "allocate"));
    s.is(
        "on a read-only one",
        allocate(fd, 0, 100),
        "EBADF|ENOTCAPABLE|ENOTSUP",
    );
    s.is("close read only", close(fd), "ok");
    s.is(
        "on a directory",
        allocate(ROOT, 0, 1),
        "EBADF|EISDIR|ENOTCAPABLE|ENODEV",
    );
}

fn advice(s: &mut Suite) {
    s.group("advise");
    let fd = s.need("create", open(ROOT, "advise", oflags::CREAT));
    s.need("write", write(fd, "content"));
    for (value, name) in [
        "normal",
        "sequential",
        "random",
        "willneed",
        "dontneed",
        "noreuse",
    ]
    .iter()
    .enumerate()
    {
        s.is(name, advise(fd, 0, 7, value as u32), "ok");
    }
    s.is("zero length", advise(fd, 0, 0, 0), "ok");
    s.is("past the end", advise(fd, 100, 100, 0), "ok");
    s.is("content is kept", get("advise"), "\"content\"");
    s.is("close", close(fd), "ok");
    s.is(
        "on a directory",
        advise(ROOT, 0, 0, 0),
        "ok|EBADF|EISDIR|ENOTCAPABLE",
    );
    s.is(
        "on a stream",
        advise(0, 0, 0, 0),
        "ESPIPE|EBADF|ENOTCAPABLE",
    );
}

fn syncing(s: &mut Suite) {
    s.group("sync");
    let fd = s.need("create", open(ROOT, "sync", oflags::CREAT));
    s.need("write", write(fd, "x"));
    s.is("file", sync(fd), "ok");
    s.is("file data", datasync(fd), "ok");
    s.is("close", close(fd), "ok");
    s.is("directory", sync(ROOT), "ok|EBADF|EISDIR|ENOTCAPABLE");
    s.is(
        "directory data",
        datasync(ROOT),
        "ok|EBADF|EISDIR|ENOTCAPABLE",
    );
    s.is("stdout", sync(1), "ok|EINVAL|EBADF|ENOTSUP|ENOTCAPABLE");
}

fn stats(s: &mut Suite) {
    s.group("stat");
    s.need("put", put("stat", "12345"));
    let fd = s.need("open", open(ROOT, "stat", 0));
    let by_fd = s.need("by fd", fstat(fd));
    let by_path = s.need("by path", stat(ROOT, 0, "stat"));
    s.is("kind", by_fd.kind(), "file");
    s.is("size", by_fd.size, "5");
    s.is("links", by_fd.nlink, "1");
    s.yes(
        "same inode",
        by_fd.ino == by_path.ino && by_fd.dev == by_path.dev,
    );
    s.yes("the inode is not zero", by_fd.ino != 0);
    s.is("kind by path", by_path.kind(), "file");
    s.is("size by path", by_path.size, "5");
    s.need("other file", put("stat2", ""));
    let other = s.need("other stat", stat(ROOT, 0, "stat2"));
    s.yes("another inode", other.ino != by_fd.ino);
    let root = s.need("root", fstat(ROOT));
    let dot = s.need("dot", stat(ROOT, FOLLOW, "."));
    s.is("kind of root", root.kind(), "dir");
    s.yes("dot is root", root.ino == dot.ino);
    s.is(
        "write through fd shows by path",
        pwrite(fd, "6", 5)
            .and_then(|_| stat(ROOT, 0, "stat"))
            .map(|stat| stat.size),
        "6",
    );
    s.is("missing", stat(ROOT, 0, "missing").map(|_| ()), "ENOENT");
    s.is(
        "below a file",
        stat(ROOT, 0, "stat/x").map(|_| ()),
        "ENOTDIR",
    );
    s.is(
        "in a file",
        stat(fd, 0, "x").map(|_| ()),
        "ENOTDIR|EBADF|ENOTCAPABLE",
    );
    s.is("close", close(fd), "ok");
    s.need("symlink", symlink("stat", ROOT, "stat-link"));
    s.is(
        "followed",
        stat(ROOT, FOLLOW, "stat-link").map(|stat| stat.kind()),
        "file",
    );
    s.is(
        "not followed",
        stat(ROOT, NOFOLLOW, "stat-link").map(|stat| stat.kind()),
        "symlink",
    );
    s.is(
        "size of a symlink",
        stat(ROOT, NOFOLLOW, "stat-link").map(|stat| stat.size),
        "4",
    );
}

const A: u64 = 1_000_000_000_123_456_789;
const M: u64 = 1_111_111_111_000_000_001;

fn fd_times(s: &mut Suite) {
    s.group("fd times");
    let fd = s.need("create", open(ROOT, "times", oflags::CREAT));
    let both = |fd: u32| fstat(fd).map(|stat| (stat.atim, stat.mtim));
    s.is("set both", set_times(fd, A, M, ATIM | MTIM), "ok");
    s.is("both", both(fd), &format!("{A} {M}"));
    s.is("set atim", set_times(fd, A + 1, 7, ATIM), "ok");
    s.is("only atim", both(fd), &format!("{} {M}", A + 1));
    s.is("set mtim", set_times(fd, 7, M + 1, MTIM), "ok");
    s.is("only mtim", both(fd), &format!("{} {}", A + 1, M + 1));
    s.is("set none", set_times(fd, 7, 7, 0), "ok");
    s.is("none", both(fd), &format!("{} {}", A + 1, M + 1));
    s.is("zero", set_times(fd, 0, 0, ATIM | MTIM), "ok");
    s.is("both zero", both(fd), "0 0");
    s.is("atim now", set_times(fd, 0, 0, ATIM_NOW), "ok");
    s.is(
        "atim is now",
        both(fd).map(|(a, m)| a > 0 && m == 0),
        "true",
    );
    s.is("mtim now", set_times(fd, 0, 0, MTIM_NOW), "ok");
    s.is("mtim is now", both(fd).map(|(_, m)| m > 0), "true");
    s.is("now and mtim", set_times(fd, 0, M, ATIM_NOW | MTIM), "ok");
    s.is("mtim as given", both(fd).map(|(_, m)| m), &M.to_string());
    s.is(
        "atim both ways",
        set_times(fd, A, M, ATIM | ATIM_NOW),
        "EINVAL",
    );
    s.is(
        "mtim both ways",
        set_times(fd, A, M, MTIM | MTIM_NOW),
        "EINVAL",
    );
    s.is("unchanged", both(fd).map(|(_, m)| m), &M.to_string());
    s.need("set", set_times(fd, 1, 1, ATIM | MTIM));
    s.is(
        "writing nothing moves no time",
        writev(fd, &ciovecs(&[b"", b""]))
            .and_then(|_| pwrite(fd, "", 9))
            .and_then(|_| both(fd)),
        "1 1",
    );
    s.is(
        "writing moves mtim",
        write(fd, "x").and_then(|_| both(fd)).map(|(_, m)| m > 1),
        "true",
    );
    s.is("close", close(fd), "ok");
    let dir = s.need(
        "directory",
        mkdir(ROOT, "times-dir").and_then(|()| open_dir(ROOT, "times-dir")),
    );
    s.is("of a directory", set_times(dir, A, M, ATIM | MTIM), "ok");
    s.is(
        "mtim of a directory",
        both(dir).map(|(_, m)| m),
        &M.to_string(),
    );
    s.need(
        "new entry",
        open(dir, "entry", oflags::CREAT).and_then(close),
    );
    s.is(
        "a new entry moves mtim",
        both(dir).map(|(_, m)| m != M),
        "true",
    );
    s.is("close directory", close(dir), "ok");
}

fn path_times(s: &mut Suite) {
    s.group("path times");
    s.need("put", put("ptimes", "x"));
    s.need("symlink", symlink("ptimes", ROOT, "ptimes-link"));
    let both =
        |lookup: u32, path: &str| stat(ROOT, lookup, path).map(|stat| (stat.atim, stat.mtim));
    let set = |lookup, path: &str, a, m, flags| path_set_times(ROOT, lookup, path, a, m, flags);
    s.is("set", set(FOLLOW, "ptimes", A, M, ATIM | MTIM), "ok");
    s.is("times", both(FOLLOW, "ptimes"), &format!("{A} {M}"));
    s.is(
        "through a symlink",
        set(FOLLOW, "ptimes-link", 5, 6, ATIM | MTIM),
        "ok",
    );
    s.is("changed the file", both(FOLLOW, "ptimes"), "5 6");
    s.is(
        "of the symlink",
        set(NOFOLLOW, "ptimes-link", 8, 9, ATIM | MTIM),
        "ok",
    );
    s.is(
        "symlink's time",
        both(NOFOLLOW, "ptimes-link").map(|(_, m)| m),
        "9",
    );
    s.is(
        "the file is unchanged",
        both(FOLLOW, "ptimes").map(|(_, m)| m),
        "6",
    );
    s.is(
        "now",
        set(FOLLOW, "ptimes", 0, 0, ATIM_NOW | MTIM_NOW),
        "ok",
    );
    s.is(
        "is now",
        both(FOLLOW, "ptimes").map(|(a, m)| a > 5 && m > 6),
        "true",
    );
    s.is(
        "both ways",
        set(FOLLOW, "ptimes", A, M, ATIM | ATIM_NOW),
        "EINVAL",
    );
    s.is(
        "both ways, mtim",
        set(FOLLOW, "ptimes", A, M, MTIM | MTIM_NOW),
        "EINVAL",
    );
    s.is("missing", set(FOLLOW, "missing", A, M, ATIM), "ENOENT");
    s.is("of a directory", set(FOLLOW, ".", A, M, ATIM | MTIM), "ok");
    s.is("empty path", set(FOLLOW, "", A, M, ATIM), "ENOENT|EINVAL");
    s.is(
        "in a file",
        open(ROOT, "ptimes", 0).and_then(|fd| path_set_times(fd, 0, "x", A, M, ATIM)),
        "EBADF|ENOTDIR|ENOTCAPABLE",
    );
}
