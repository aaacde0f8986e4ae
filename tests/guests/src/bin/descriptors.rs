//! Descriptors: `fd_prestat_*`, `fd_fdstat_get`, `fd_close`, `fd_renumber`, reuse of numbers.

use guests::abi::{fdflags, oflags, rights};
use guests::sys::*;
use guests::{ROOT, Suite, UNUSED_FD, abi};

fn main() {
    let mut s = Suite::new();
    preopen(&mut s);
    stdio(&mut s);
    fdstat_of_files(&mut s);
    closing(&mut s);
    renumbering(&mut s);
    numbers(&mut s);
    preopen_moves(&mut s);
    s.done()
}

fn preopen(s: &mut Suite) {
    s.group("preopen");
    s.is("prestat", prestat(ROOT).map(|len| len > 0), "true");
    s.is("name", preopen_name(ROOT), "\"/\"|\".\"");
    let mut long = [b'#'; 16];
    let len = prestat(ROOT).unwrap_or(0);
    // SAFETY: the buffer is longer than the name.
    let named =
        guests::errno::check(unsafe { abi::fd_prestat_dir_name(ROOT, out(&mut long), long.len()) });
    s.is("name into a longer buffer", named, "ok");
    s.yes(
        "nothing after the name",
        long[len..].iter().all(|byte| *byte == b'#'),
    );
    // SAFETY: no byte may be written.
    let short = guests::errno::check(unsafe { abi::fd_prestat_dir_name(ROOT, out(&mut long), 0) });
    s.is("name into a buffer too short", short, "ENAMETOOLONG");
    for fd in [0, 1, 2] {
        s.is(&format!("prestat of stdio {fd}"), prestat(fd), "EBADF");
    }
    s.is("prestat after the last", prestat(ROOT + 1), "EBADF");
    s.is("name after the last", preopen_name(ROOT + 1), "EBADF");
    let dir = s.need(
        "mkdir",
        mkdir(ROOT, "plain").and_then(|()| open_dir(ROOT, "plain")),
    );
    s.is(
        "prestat of another directory",
        prestat(dir),
        "EBADF|ENOTSUP",
    );
    s.is("close", close(dir), "ok");

    let stat = s.need("fdstat", fdstat(ROOT));
    s.is("kind", stat.kind(), "dir");
    s.is("flags", stat.flags, "0");
    let wanted = rights::PATH_OPEN
        | rights::FD_READDIR
        | rights::PATH_CREATE_FILE
        | rights::PATH_FILESTAT_GET;
    s.yes("rights", stat.base & wanted == wanted);
    let inherited = rights::FD_READ | rights::FD_WRITE | rights::FD_SEEK | rights::FD_FILESTAT_GET;
    s.yes(
        "inheriting rights",
        stat.inheriting & inherited == inherited,
    );
    s.yes(
        "a directory cannot be read as bytes",
        stat.base & (rights::FD_READ | rights::FD_WRITE) == 0,
    );
}

fn stdio(s: &mut Suite) {
    s.group("stdio");
    for (fd, can, cannot) in [
        (0, rights::FD_READ, rights::FD_SEEK | rights::FD_TELL),
        (1, rights::FD_WRITE, rights::FD_SEEK | rights::FD_TELL),
        (2, rights::FD_WRITE, rights::FD_SEEK | rights::FD_TELL),
    ] {
        let stat = s.need(&format!("fdstat {fd}"), fdstat(fd));
        s.is(&format!("kind {fd}"), stat.kind(), "char|unknown");
        s.yes(&format!("rights {fd}"), stat.base & can == can);
        s.yes(&format!("not seekable {fd}"), stat.base & cannot == 0);
        s.is(
            &format!("filestat size {fd}"),
            fstat(fd).map(|stat| stat.size),
            "0",
        );
    }
    s.is("write to stdin", write(0, "x"), "EBADF|ENOTCAPABLE");
    s.is("read from stdout", read(1, 1), "EBADF|ENOTCAPABLE");
    s.is(
        "readdir of stdin",
        readdir(0, 100, 0),
        "EBADF|ENOTDIR|ENOTCAPABLE",
    );
    s.is(
        "path_open in stdin",
        open(0, "x", 0),
        "EBADF|ENOTDIR|ENOTCAPABLE",
    );
}

fn fdstat_of_files(s: &mut Suite) {
    s.group("fdstat");
    let fd = s.need("create", open(ROOT, "stat", oflags::CREAT));
    s.is("kind", fdstat(fd).map(|stat| stat.kind()), "file");
    s.is("flags", fdstat(fd).map(|stat| stat.flags), "0");
    let wanted = rights::FD_READ | rights::FD_WRITE;
    s.is(
        "rights",
        fdstat(fd).map(|stat| stat.base & wanted == wanted),
        "true",
    );
    s.is("close", close(fd), "ok");

    let fd = s.need(
        "append",
        open_with(ROOT, 0, "stat", 0, rights::FILE, 0, fdflags::APPEND),
    );
    s.is("append flag", fdstat(fd).map(|stat| stat.flags), "1");
    s.is("clear flags", set_flags(fd, 0), "ok");
    s.is("flags cleared", fdstat(fd).map(|stat| stat.flags), "0");
    s.is("set append", set_flags(fd, fdflags::APPEND), "ok");
    s.is("flag set", fdstat(fd).map(|stat| stat.flags), "1");
    s.is(
        "set nonblock too",
        set_flags(fd, fdflags::APPEND | fdflags::NONBLOCK),
        "ok",
    );
    s.is("both set", fdstat(fd).map(|stat| stat.flags), "5");
    s.is("close again", close(fd), "ok");

    let fd = s.need(
        "nonblock",
        open_with(ROOT, 0, "stat", 0, rights::READ_ONLY, 0, fdflags::NONBLOCK),
    );
    s.is("nonblock flag", fdstat(fd).map(|stat| stat.flags), "4");
    s.is(
        "read only rights",
        fdstat(fd).map(|stat| stat.base & wanted),
        &rights::FD_READ.to_string(),
    );
    s.is("close nonblock", close(fd), "ok");
    for (name, flag) in [
        ("dsync", fdflags::DSYNC),
        ("rsync", fdflags::RSYNC),
        ("sync", fdflags::SYNC),
    ] {
        // Nothing is ever on a disk, so a host in memory can't promise it; nor do wasmtime and wasmi_wasi.
        s.is(
            &format!("open with {name}"),
            open_with(ROOT, 0, "stat", 0, rights::FILE, 0, flag),
            "ENOTSUP",
        );
        s.is(
            &format!("create with {name}"),
            open_with(ROOT, 0, "synced", oflags::CREAT, rights::FILE, 0, flag),
            "ENOTSUP",
        );
        let fd = s.need("open", open(ROOT, "stat", 0));
        s.is(&format!("set {name}"), set_flags(fd, flag), "EINVAL");
        s.is(
            &format!("flags after {name}"),
            fdstat(fd).map(|stat| stat.flags),
            "0",
        );
        s.is("close", close(fd), "ok");
    }
    s.is(
        "nothing was created",
        stat(ROOT, 0, "synced").map(|_| ()),
        "ENOENT",
    );
    s.is("not open", fdstat(UNUSED_FD).map(|_| ()), "EBADF");
    s.is("set flags, not open", set_flags(UNUSED_FD, 0), "EBADF");
}

fn closing(s: &mut Suite) {
    s.group("close");
    let fd = s.need("create", open(ROOT, "closing", oflags::CREAT));
    s.is("first", close(fd), "ok");
    s.is("second", close(fd), "EBADF");
    s.is("read", read(fd, 1), "EBADF");
    s.is("write", write(fd, "x"), "EBADF");
    s.is("seek", seek(fd, 0, 0), "EBADF");
    s.is("tell", tell(fd), "EBADF");
    s.is("filestat", fstat(fd).map(|_| ()), "EBADF");
    s.is("sync", sync(fd), "EBADF");
    s.is("datasync", datasync(fd), "EBADF");
    s.is("readdir", readdir(fd, 100, 0), "EBADF");
    s.is("advise", advise(fd, 0, 0, 0), "EBADF");
    s.is("allocate", allocate(fd, 0, 1), "EBADF");
    s.is("set_size", set_size(fd, 0), "EBADF");
    s.is("set_times", set_times(fd, 0, 0, 0), "EBADF");
    s.is("set_rights", set_rights(fd, 0, 0), "EBADF");
    s.is("path_open", open(fd, "x", 0), "EBADF");
    s.is("never opened", close(UNUSED_FD), "EBADF");
    s.is("largest number", close(u32::MAX), "EBADF");
    s.is("stdin", close(0), "ok");
    s.is("read from closed stdin", read(0, 1), "EBADF");
    s.is("stdin again", close(0), "EBADF");
}

fn renumbering(s: &mut Suite) {
    s.group("renumber");
    s.need("put a", put("a", "aaaa"));
    s.need("put b", put("b", "bbbb"));
    let a = s.need("open a", open(ROOT, "a", 0));
    let b = s.need("open b", open(ROOT, "b", 0));
    s.is("move in a", seek(a, 3, 0), "3");
    s.is("onto an open one", renumber(a, b), "ok");
    s.is("offset moved with it", read(b, 10), "\"a\"");
    s.is("the source is closed", read(a, 1), "EBADF");
    s.is("onto itself", renumber(b, b), "ok");
    s.is("still usable", seek(b, 0, 0), "0");
    s.is("onto a closed one", renumber(b, UNUSED_FD), "EBADF");
    s.is("still usable after that", tell(b), "0");
    s.is("from a closed one", renumber(UNUSED_FD, b), "EBADF");
    s.is("still usable after that too", tell(b), "0");
    s.is("neither open", renumber(UNUSED_FD, UNUSED_FD + 1), "EBADF");

    // stderr moves away and back, so that the messages can still be written to stdout.
    s.is("stderr onto the file", renumber(2, b), "ok");
    s.is(
        "written through the new number",
        write(b, "moved stderr\n"),
        "13",
    );
    s.is("the old number is closed", write(2, "lost\n"), "EBADF");
    s.is("close it", close(b), "ok");
}

fn numbers(s: &mut Suite) {
    s.group("numbers");
    let mut largest = 0;
    for _ in 0..2000 {
        let fd = s.need("open", open(ROOT, "a", 0));
        largest = largest.max(fd);
        s.need("close", close(fd));
    }
    s.yes("stay below 2^31", largest < 1 << 31);
    let open: Vec<u32> = (0..100).filter_map(|_| open_read(ROOT, "a").ok()).collect();
    s.is("a hundred at once", open.len(), "100");
    let distinct: std::collections::HashSet<_> = open.iter().collect();
    s.is("all distinct", distinct.len(), "100");
    s.yes("all close", open.iter().all(|fd| close(*fd).is_ok()));
}

/// The content of a file; closes it again, so that its number is free for what the next check is about.
fn content(dir: u32, path: &str) -> R<Vec<u8>> {
    let fd = open_read(dir, path)?;
    let data = read(fd, 9);
    close(fd)?;
    data
}

fn preopen_moves(s: &mut Suite) {
    s.group("preopen moves");
    s.need("mkdir", mkdir(ROOT, "inner"));
    s.need("put", put("inner/file", "inner"));
    let inner = s.need("open inner", open_dir(ROOT, "inner"));
    let other = s.need("open other", open_dir(ROOT, "inner"));
    s.is("preopen onto a directory", renumber(ROOT, other), "ok");
    s.is(
        "opens through the new number",
        content(other, "inner/file"),
        "\"inner\"",
    );
    s.is(
        "the old number is closed",
        open_read(ROOT, "inner/file"),
        "EBADF",
    );
    s.is(
        "it is still a preopen",
        prestat(other).map(|len| len > 0),
        "true",
    );
    s.is("back needs an open number", renumber(other, ROOT), "EBADF");
    s.is("a directory onto the preopen", renumber(inner, other), "ok");
    s.is(
        "opens in the directory",
        content(other, "file"),
        "\"inner\"",
    );
    s.is(
        "the number is no preopen now",
        prestat(other),
        "EBADF|ENOTSUP",
    );
    s.is("close", close(other), "ok");
    s.is("open in what is closed", open_read(other, "file"), "EBADF");
}
