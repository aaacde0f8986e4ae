//! `fd_seek` and `fd_tell`.

use guests::abi::{fdflags, oflags, rights, whence::*};
use guests::sys::*;
use guests::{ROOT, Suite};

fn main() {
    let mut s = Suite::new();
    let fd = s.need("create", open(ROOT, "f", oflags::CREAT));
    s.is("tell at first", tell(fd), "0");
    s.is("write", write(fd, "0123456789"), "10");
    s.is("tell after writing", tell(fd), "10");
    s.is("set", seek(fd, 4, SET), "4");
    s.is("reads there", read(fd, 2), "\"45\"");
    s.is("cur forwards", seek(fd, 1, CUR), "7");
    s.is("cur backwards", seek(fd, -3, CUR), "4");
    s.is("cur zero", seek(fd, 0, CUR), "4");
    s.is("end", seek(fd, 0, END), "10");
    s.is("end backwards", seek(fd, -4, END), "6");
    s.is("end forwards", seek(fd, 5, END), "15");
    s.is("tell past the end", tell(fd), "15");
    s.is("read past the end", read(fd, 4), "\"\"");
    s.is(
        "the size is unchanged",
        fstat(fd).map(|stat| stat.size),
        "10",
    );

    s.group("negative");
    s.is("set", seek(fd, -1, SET), "EINVAL");
    s.is("set to the least", seek(fd, i64::MIN, SET), "EINVAL");
    s.is("cur", seek(fd, -16, CUR), "EINVAL");
    s.is("cur to the least", seek(fd, i64::MIN, CUR), "EINVAL");
    s.is("end", seek(fd, -11, END), "EINVAL");
    s.is("the offset is unchanged", tell(fd), "15");

    s.group("overflow");
    s.is("cur", seek(fd, i64::MAX, CUR), "EINVAL|EOVERFLOW");
    s.is("end", seek(fd, i64::MAX, END), "EINVAL|EOVERFLOW");
    s.is("the offset is unchanged", tell(fd), "15");

    s.group("hole");
    s.is("seek", seek(fd, 20, SET), "20");
    s.is("write", write(fd, "x"), "1");
    s.is("size", fstat(fd).map(|stat| stat.size), "21");
    s.is(
        "content",
        pread(fd, 40, 8),
        r#""89\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x""#,
    );

    s.group("append");
    let append = s.need(
        "open",
        open_with(ROOT, 0, "f", 0, rights::FILE, 0, fdflags::APPEND),
    );
    s.is("tell at first", tell(append), "0");
    s.is("seek", seek(append, 2, SET), "2");
    s.is("read there", read(append, 2), "\"23\"");
    s.is("write goes to the end", write(append, "!"), "1");
    s.is("tell after writing", tell(append), "22");

    s.group("two descriptors");
    s.is("have their own offsets", tell(fd), "21");

    s.group("directory");
    let dir = s.need("open", mkdir(ROOT, "d").and_then(|()| open_dir(ROOT, "d")));
    s.is("set", seek(dir, 0, SET), "EBADF|ENOTCAPABLE|EISDIR");
    s.is("cur", seek(dir, 0, CUR), "EBADF|ENOTCAPABLE|EISDIR");
    s.is("end", seek(dir, 0, END), "EBADF|ENOTCAPABLE|EISDIR");
    s.is("tell", tell(dir), "EBADF|ENOTCAPABLE|EISDIR");
    s.is("preopen", seek(ROOT, 0, SET), "EBADF|ENOTCAPABLE|EISDIR");

    s.group("stream");
    for fd in [0, 1, 2] {
        s.is(&format!("set {fd}"), seek(fd, 0, SET), "ESPIPE");
        s.is(&format!("cur {fd}"), seek(fd, 0, CUR), "ESPIPE");
        s.is(&format!("end {fd}"), seek(fd, 0, END), "ESPIPE");
        s.is(&format!("tell {fd}"), tell(fd), "ESPIPE");
    }
    s.is("pread of stdin", pread(0, 1, 0), "ESPIPE");
    s.is("pwrite to stdout", pwrite(1, "lost", 0), "ESPIPE");
    s.done()
}
