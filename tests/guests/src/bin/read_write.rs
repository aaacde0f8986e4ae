//! `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`: vectors, offsets, append mode, access.

use guests::abi::{fdflags, oflags, rights};
use guests::sys::*;
use guests::{ROOT, Suite};

fn main() {
    let mut s = Suite::new();
    plain(&mut s);
    vectors(&mut s);
    positioned(&mut s);
    append(&mut s);
    access(&mut s);
    directories(&mut s);
    large(&mut s);
    s.done()
}

fn plain(s: &mut Suite) {
    s.group("plain");
    let fd = s.need("create", open(ROOT, "plain", oflags::CREAT));
    s.is("read of an empty file", read(fd, 10), "\"\"");
    s.is("write", write(fd, "hello"), "5");
    s.is("read at the end", read(fd, 10), "\"\"");
    s.is("rewind", seek(fd, 0, 0), "0");
    s.is("short read", read(fd, 2), "\"he\"");
    s.is("the rest", read(fd, 100), "\"llo\"");
    s.is(
        "overwrite",
        seek(fd, 1, 0).and_then(|_| write(fd, "EL")),
        "2",
    );
    s.is("content", get("plain"), "\"hELlo\"");
    s.is(
        "binary",
        seek(fd, 0, 0).and_then(|_| write(fd, [0, 255, 10, 13, 128])),
        "5",
    );
    s.is("binary content", get("plain"), r#""\x00\xff\n\r\x80""#);
    s.is("close", close(fd), "ok");
}

fn vectors(s: &mut Suite) {
    s.group("vectors");
    let fd = s.need("create", open(ROOT, "vectors", oflags::CREAT));
    s.is("write of none", writev(fd, &[]), "0");
    s.is(
        "write of empty ones",
        writev(fd, &ciovecs(&[b"", b"", b""])),
        "0",
    );
    s.is("nothing written", fstat(fd).map(|stat| stat.size), "0");
    s.is(
        "write of several",
        writev_all(fd, &ciovecs(&[b"ab", b"", b"cde", b"f"])),
        "6",
    );
    s.is("content", get("vectors"), "\"abcdef\"");
    let same = *b"xyz";
    let overlapping = [
        Iovec {
            buf: at(&same),
            len: 3,
        },
        Iovec {
            buf: at(&same) + 1,
            len: 2,
        },
        Iovec {
            buf: at(&same),
            len: 1,
        },
    ];
    s.is(
        "write of overlapping ones",
        writev_all(fd, &overlapping),
        "6",
    );
    s.is(
        "content of overlapping ones",
        get("vectors"),
        "\"abcdefxyzyzx\"",
    );
    let many: Vec<Iovec> = (0..500)
        .map(|_| Iovec {
            buf: at(&same),
            len: 3,
        })
        .collect();
    s.is("write of 500", writev_all(fd, &many), "1500");
    s.is("size", fstat(fd).map(|stat| stat.size), "1512");

    s.need("rewind", seek(fd, 0, 0));
    s.is("read of none", readv(fd, &[]), "0");
    let mut buf = [b'.'; 12];
    let base = out(&mut buf);
    let parts = [
        Iovec { buf: base, len: 0 },
        Iovec { buf: base, len: 2 },
        Iovec {
            buf: base + 3,
            len: 3,
        },
        Iovec {
            buf: base + 8,
            len: 4,
        },
    ];
    s.is("read into several", readv_all(fd, &parts), "9");
    s.is("scattered", buf.as_slice(), "\"ab.cde..fxyz\"");
    s.is("tell", tell(fd), "9");
    let mut tail = [0u8; 4];
    let one = [Iovec {
        buf: out(&mut tail),
        len: 4,
    }];
    s.is("pread into one", preadv(fd, &one, 1510), "2");
    s.is("pread content", tail.as_slice(), r#""yz\x00\x00""#);
    s.is(
        "empty buffer at the end",
        seek(fd, 0, 2).and_then(|_| read(fd, 0)),
        "\"\"",
    );
    s.is("close", close(fd), "ok");
}

fn positioned(s: &mut Suite) {
    s.group("positioned");
    let fd = s.need("create", open(ROOT, "positioned", oflags::CREAT));
    s.is("pwrite past the end", pwrite(fd, "end", 5), "3");
    s.is(
        "a hole of zeros",
        get("positioned"),
        r#""\x00\x00\x00\x00\x00end""#,
    );
    s.is("the offset is unchanged", tell(fd), "0");
    s.is("pwrite over", pwrite(fd, "AB", 4), "2");
    s.is("pread", pread(fd, 100, 3), r#""\x00ABnd""#);
    s.is("pread at the end", pread(fd, 10, 8), "\"\"");
    s.is("pread past the end", pread(fd, 10, 1 << 40), "\"\"");
    s.is("the offset is still unchanged", tell(fd), "0");
    s.is("pwrite of nothing far out", pwritev(fd, &[], 1 << 30), "0");
    s.is(
        "the size is unchanged",
        fstat(fd).map(|stat| stat.size),
        "8",
    );
    s.is("pread of nothing", preadv(fd, &[], 0), "0");
    s.is(
        "pread at a negative offset",
        pread(fd, 1, u64::MAX),
        "EINVAL|EOVERFLOW",
    );
    s.is(
        "pwrite at a negative offset",
        pwrite(fd, "x", u64::MAX),
        "EINVAL|EOVERFLOW|EFBIG",
    );
    s.is(
        "pwrite at the largest offset",
        pwrite(fd, "x", i64::MAX as u64),
        "EINVAL|EOVERFLOW|EFBIG",
    );
    s.is(
        "the size is unchanged after that",
        fstat(fd).map(|stat| stat.size),
        "8",
    );
    s.is("close", close(fd), "ok");
}

fn append(s: &mut Suite) {
    s.group("append");
    s.need("put", put("append", "start"));
    let fd = s.need(
        "open",
        open_with(ROOT, 0, "append", 0, rights::FILE, 0, fdflags::APPEND),
    );
    s.is("reads from the start", read(fd, 2), "\"st\"");
    s.is("writes at the end", write(fd, "-1"), "2");
    s.is("the offset is the end", tell(fd), "7");
    let other = s.need("open another", open(ROOT, "append", 0));
    s.is("the file grows elsewhere", pwrite(other, "-2", 7), "2");
    s.is("writes at the new end", write(fd, "-3"), "2");
    s.is("content", get("append"), "\"start-1-2-3\"");
    // POSIX leaves the given offset of pwrite in force; Linux appends all the same, and so do hosts as on it.
    s.is("pwrite", pwrite(fd, "S", 0), "1");
    s.is("content after pwrite", get("append"), "\"start-1-2-3S\"");
    s.is("pwrite moves no offset", tell(fd), "11");
    s.is("pwrite past the end", pwrite(fd, "P", 100), "1");
    s.is("pwrite of nothing", pwrite(fd, "", 200), "0");
    s.is("size after that", fstat(fd).map(|stat| stat.size), "13");
    s.is("append off", set_flags(fd, 0), "ok");
    s.is(
        "writes where it is",
        seek(fd, 1, 0).and_then(|_| write(fd, "T")),
        "1",
    );
    s.is("content after that", get("append"), "\"sTart-1-2-3SP\"");
    s.is("append on", set_flags(fd, fdflags::APPEND), "ok");
    s.is("writes at the end again", write(fd, "."), "1");
    s.is("content at last", get("append"), "\"sTart-1-2-3SP.\"");
    s.is("close", close(fd), "ok");
    s.is("close another", close(other), "ok");
}

fn access(s: &mut Suite) {
    s.group("access");
    s.need("put", put("access", "data"));
    let fd = s.need("read only", open_read(ROOT, "access"));
    s.is("write", write(fd, "x"), "EBADF|ENOTCAPABLE");
    s.is("pwrite", pwrite(fd, "x", 0), "EBADF|ENOTCAPABLE");
    s.is("set_size", set_size(fd, 0), "EINVAL");
    s.is("read", read(fd, 9), "\"data\"");
    s.is("close", close(fd), "ok");
    let write_only = rights::FILE & !rights::FD_READ;
    let fd = s.need(
        "write only",
        open_with(ROOT, 0, "access", 0, write_only, 0, 0),
    );
    s.is("read of it", read(fd, 1), "EBADF|ENOTCAPABLE");
    s.is("pread of it", pread(fd, 1, 0), "EBADF|ENOTCAPABLE");
    s.is("write to it", write(fd, "D"), "1");
    s.is("close it", close(fd), "ok");
    s.is("content", get("access"), "\"Data\"");
}

fn directories(s: &mut Suite) {
    s.group("directory");
    let dir = s.need(
        "open",
        mkdir(ROOT, "dir").and_then(|()| open_dir(ROOT, "dir")),
    );
    s.is("read", read(dir, 1), "EBADF|EISDIR|ENOTCAPABLE");
    s.is("pread", pread(dir, 1, 0), "EBADF|EISDIR|ENOTCAPABLE");
    s.is("write", write(dir, "x"), "EBADF|EISDIR|ENOTCAPABLE");
    s.is("pwrite", pwrite(dir, "x", 0), "EBADF|EISDIR|ENOTCAPABLE");
    s.is("close", close(dir), "ok");
}

fn large(s: &mut Suite) {
    s.group("large");
    let fd = s.need("create", open(ROOT, "large", oflags::CREAT));
    let block: Vec<u8> = (0..100_003u32).map(|i| (i % 251) as u8).collect();
    let mut written = 0;
    for _ in 0..10 {
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let n = s.need("write", write(fd, rest));
            written += n;
            rest = &rest[n..];
        }
    }
    s.is("written", written, "1000030");
    s.is("size", fstat(fd).map(|stat| stat.size), "1000030");
    s.need("rewind", seek(fd, 0, 0));
    let all = s.need("read", read_all(fd));
    s.yes(
        "the same comes back",
        all.len() == 1_000_030 && all.chunks(100_003).all(|chunk| chunk == block),
    );
    s.is(
        "across blocks",
        pread(fd, 4, 100_001),
        &format!(
            "\"{}\"",
            [block[100_001], block[100_002], 0, 1].escape_ascii()
        ),
    );
    s.is("sparse: far away", pwrite(fd, "!", (1 << 30) - 1), "1");
    s.is(
        "sparse: size",
        fstat(fd).map(|stat| stat.size),
        "1073741824",
    );
    s.is("sparse: hole", pread(fd, 3, 1 << 29), r#""\x00\x00\x00""#);
    s.is("sparse: the end", pread(fd, 3, (1 << 30) - 2), r#""\x00!""#);
    s.is("close", close(fd), "ok");
    s.is("remove", unlink(ROOT, "large"), "ok");
}
