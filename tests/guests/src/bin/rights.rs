//! Rights, base and inheriting: asked for at `path_open`, removed by `fd_fdstat_set_rights`, enforced after that.
//!
//! Programs in use ask `path_open` for FD_READ and FD_WRITE alone and then seek, tell and stat, so a host may grant the
//! other rights of the file's type unasked; both answers are accepted there. Who asks for more than that gets what he
//! asks for. What `fd_fdstat_set_rights` took away is gone in either case.

use guests::abi::{oflags, rights::*};
use guests::sys::*;
use guests::{ROOT, Suite};

fn main() {
    let mut s = Suite::new();
    s.need("put", put("file", "content"));
    s.need("mkdir", mkdir(ROOT, "dir"));
    s.need("put below", put("dir/file", "below"));
    s.need("symlink", symlink("file", ROOT, "link"));
    access(&mut s);
    asked(&mut s);
    file_rights(&mut s);
    directory_rights(&mut s);
    inheriting(&mut s);
    s.done()
}

fn access(s: &mut Suite) {
    s.group("access");
    let fd = s.need("read only", open_with(ROOT, 0, "file", 0, FD_READ, 0, 0));
    s.is("read", read(fd, 3), "\"con\"");
    s.is("write", write(fd, "x"), "EBADF|ENOTCAPABLE");
    s.is("set_size", set_size(fd, 0), "EINVAL");
    s.is(
        "has read",
        fdstat(fd).map(|stat| stat.base & FD_READ != 0),
        "true",
    );
    s.is(
        "has no write",
        fdstat(fd).map(|stat| stat.base & FD_WRITE != 0),
        "false",
    );
    s.is("close", close(fd), "ok");
    let fd = s.need("write only", open_with(ROOT, 0, "file", 0, FD_WRITE, 0, 0));
    s.is("write it", write(fd, "C"), "1");
    s.is("read it", read(fd, 1), "EBADF|ENOTCAPABLE");
    s.is(
        "has no read",
        fdstat(fd).map(|stat| stat.base & FD_READ != 0),
        "false",
    );
    s.is("close it", close(fd), "ok");
    let fd = s.need("neither", open_with(ROOT, 0, "file", 0, 0, 0, 0));
    s.is("read neither", read(fd, 1), "EBADF|ENOTCAPABLE");
    s.is("write neither", write(fd, "x"), "EBADF|ENOTCAPABLE");
    s.is(
        "stat neither",
        fstat(fd).map(|stat| stat.size),
        "7|ENOTCAPABLE",
    );
    s.is("close neither", close(fd), "ok");
}

/// Rights asked for by name are those granted, whatever directory the file is opened through.
fn asked(s: &mut Suite) {
    s.group("asked");
    let few = FD_READ | FD_FILESTAT_GET;
    let beside = few | PATH_OPEN | PATH_UNLINK_FILE;
    for (name, base, inheriting) in [
        ("alone", few, 0),
        ("with those of directories", beside, beside),
    ] {
        let fd = s.need(name, open_with(ROOT, 0, "file", 0, base, inheriting, 0));
        s.is(
            &format!("{name}: base"),
            fdstat(fd).map(|stat| stat.base & FILE),
            &few.to_string(),
        );
        s.is(&format!("{name}: read"), read(fd, 3), "\"Con\"");
        s.is(
            &format!("{name}: stat"),
            fstat(fd).map(|stat| stat.size),
            "7",
        );
        s.is(
            &format!("{name}: seek"),
            seek(fd, 1, 0),
            "ENOTCAPABLE|EBADF",
        );
        s.is(&format!("{name}: close"), close(fd), "ok");
    }
    let dir = s.need(
        "narrow directory",
        open_with(ROOT, 0, "dir", oflags::DIRECTORY, DIRECTORY, beside, 0),
    );
    let inside = s.need("in it", open_with(dir, 0, "file", 0, few, few, 0));
    let outside = s.need("beside it", open_with(ROOT, 0, "dir/file", 0, few, few, 0));
    s.is(
        "the same rights",
        fdstat(inside).and_then(|one| {
            fdstat(outside).map(|two| (one.base, one.inheriting) == (two.base, two.inheriting))
        }),
        "true",
    );
    for fd in [dir, inside, outside] {
        s.is("close", close(fd), "ok");
    }
}

/// A descriptor of `file` from which one right was removed.
fn without(s: &mut Suite, right: u64) -> u32 {
    let fd = s.need("open", open_with(ROOT, 0, "file", 0, FILE, 0, 0));
    s.need("set_rights", set_rights(fd, FILE & !right, 0));
    fd
}

fn file_rights(s: &mut Suite) {
    s.group("file");
    let fd = s.need("open", open_with(ROOT, 0, "file", 0, FILE, 0, 0));
    let now = s.need("fdstat", fdstat(fd)).base;
    s.is("no change", set_rights(fd, now, 0), "ok");
    s.is("remove", set_rights(fd, now & !FD_SEEK, 0), "ok");
    s.is(
        "is removed",
        fdstat(fd).map(|stat| stat.base == now & !FD_SEEK),
        "true",
    );
    s.is("add it back", set_rights(fd, now, 0), "ENOTCAPABLE");
    s.is(
        "is still removed",
        fdstat(fd).map(|stat| stat.base == now & !FD_SEEK),
        "true",
    );
    s.is(
        "add an unrelated one",
        set_rights(fd, PATH_OPEN, 0),
        "ENOTCAPABLE",
    );
    s.is("add inheriting", set_rights(fd, 0, ALL), "ENOTCAPABLE");
    s.is("remove all", set_rights(fd, 0, 0), "ok");
    s.is("none left", fdstat(fd).map(|stat| stat.base), "0");
    s.is("close without rights", close(fd), "ok");

    type Call = fn(u32) -> R<()>;
    let calls: [(&str, u64, Call); 16] = [
        ("fd_read", FD_READ, |fd| read(fd, 1).map(drop)),
        ("fd_write", FD_WRITE, |fd| write(fd, "x").map(drop)),
        ("fd_pread needs fd_seek", FD_SEEK, |fd| {
            pread(fd, 1, 0).map(drop)
        }),
        ("fd_pwrite needs fd_seek", FD_SEEK, |fd| {
            pwrite(fd, "x", 0).map(drop)
        }),
        ("fd_seek", FD_SEEK, |fd| seek(fd, 1, 0).map(drop)),
        ("fd_tell", FD_TELL | FD_SEEK, |fd| tell(fd).map(drop)),
        ("fd_seek in place", FD_TELL | FD_SEEK, |fd| {
            seek(fd, 0, 1).map(drop)
        }),
        ("fd_sync", FD_SYNC, sync),
        ("fd_datasync", FD_DATASYNC | FD_SYNC, datasync),
        ("fd_advise", FD_ADVISE, |fd| advise(fd, 0, 0, 0)),
        ("fd_allocate", FD_ALLOCATE, |fd| allocate(fd, 0, 1)),
        ("fd_fdstat_set_flags", FD_FDSTAT_SET_FLAGS, |fd| {
            set_flags(fd, 1)
        }),
        ("fd_filestat_get", FD_FILESTAT_GET, |fd| fstat(fd).map(drop)),
        ("fd_filestat_set_size", FD_FILESTAT_SET_SIZE, |fd| {
            set_size(fd, 1)
        }),
        ("fd_filestat_set_times", FD_FILESTAT_SET_TIMES, |fd| {
            set_times(fd, 1, 1, 1)
        }),
        ("fd_tell with fd_seek only", FD_SEEK | FD_TELL, |fd| {
            tell(fd).map(drop)
        }),
    ];
    for (name, right, call) in calls {
        let fd = without(s, right);
        s.is(name, call(fd), "ENOTCAPABLE|EBADF");
        s.is(&format!("{name}: close"), close(fd), "ok");
    }
    s.is("nothing happened", get("file"), "\"Content\"");
    // Either of the two rights is enough to ask where the offset is.
    let fd = without(s, FD_TELL);
    s.is("fd_seek implies fd_tell", tell(fd), "0");
    s.is("close one", close(fd), "ok");
    let fd = without(s, FD_SEEK);
    s.is("fd_tell allows fd_seek in place", seek(fd, 0, 1), "0");
    s.is("close the other", close(fd), "ok");
}

fn directory_rights(s: &mut Suite) {
    s.group("directory");
    type Call = fn(u32) -> R<()>;
    let calls: [(&str, u64, Call); 17] = [
        ("path_create_directory", PATH_CREATE_DIRECTORY, |dir| {
            mkdir(dir, "new")
        }),
        ("path_open creat", PATH_CREATE_FILE, |dir| {
            open(dir, "new", oflags::CREAT).map(drop)
        }),
        ("path_link source", PATH_LINK_SOURCE, |dir| {
            link(dir, 0, "file", ROOT, "new")
        }),
        ("path_link target", PATH_LINK_TARGET, |dir| {
            link(ROOT, 0, "file", dir, "new")
        }),
        ("path_open", PATH_OPEN, |dir| {
            open_read(dir, "file").map(drop)
        }),
        ("fd_readdir", FD_READDIR, |dir| {
            readdir(dir, 100, 0).map(drop)
        }),
        ("path_readlink", PATH_READLINK, |dir| {
            readlink(dir, "link", 10).map(drop)
        }),
        ("path_rename source", PATH_RENAME_SOURCE, |dir| {
            rename(dir, "file", ROOT, "new")
        }),
        ("path_rename target", PATH_RENAME_TARGET, |dir| {
            rename(ROOT, "file", dir, "new")
        }),
        ("path_filestat_get", PATH_FILESTAT_GET, |dir| {
            stat(dir, 0, "file").map(drop)
        }),
        ("path_open trunc", PATH_FILESTAT_SET_SIZE, |dir| {
            open(dir, "file", oflags::TRUNC).map(drop)
        }),
        ("path_filestat_set_times", PATH_FILESTAT_SET_TIMES, |dir| {
            path_set_times(dir, 0, "file", 1, 1, 1)
        }),
        ("fd_filestat_get", FD_FILESTAT_GET, |dir| {
            fstat(dir).map(drop)
        }),
        ("fd_filestat_set_times", FD_FILESTAT_SET_TIMES, |dir| {
            set_times(dir, 1, 1, 1)
        }),
        ("path_symlink", PATH_SYMLINK, |dir| symlink("x", dir, "new")),
        ("path_remove_directory", PATH_REMOVE_DIRECTORY, |dir| {
            rmdir(dir, "empty")
        }),
        ("path_unlink_file", PATH_UNLINK_FILE, |dir| {
            unlink(dir, "file")
        }),
    ];
    s.need("mkdir", mkdir(ROOT, "dir/empty"));
    s.need("symlink", symlink("file", ROOT, "dir/link"));
    for (name, right, call) in calls {
        let dir = s.need("open", open_dir(ROOT, "dir"));
        let now = s.need("fdstat", fdstat(dir));
        s.is(
            &format!("{name}: has it"),
            now.base & right,
            &right.to_string(),
        );
        s.is(
            &format!("{name}: remove"),
            set_rights(dir, now.base & !right, now.inheriting),
            "ok",
        );
        s.is(name, call(dir), "ENOTCAPABLE");
        s.is(&format!("{name}: close"), close(dir), "ok");
    }
    let left = (
        kind("new"),
        kind("dir/new"),
        (kind("dir/file"), kind("dir/empty"), get("dir/file")),
    );
    s.is("nothing happened", left, "ENOENT ENOENT file dir \"below\"");
}

fn inheriting(s: &mut Suite) {
    s.group("inheriting");
    let few = FD_READ | FD_SEEK | FD_TELL | FD_FILESTAT_GET | FD_READDIR | PATH_OPEN;
    let dir = s.need(
        "open",
        open_with(ROOT, 0, "dir", oflags::DIRECTORY, DIRECTORY, few, 0),
    );
    s.is(
        "as asked",
        fdstat(dir).map(|stat| stat.inheriting),
        &few.to_string(),
    );
    s.is(
        "within",
        open_with(dir, 0, "file", 0, FD_READ, 0, 0).and_then(|fd| read(fd, 9)),
        "\"below\"",
    );
    s.is(
        "beyond, base",
        open_with(dir, 0, "file", 0, FD_READ | FD_WRITE, 0, 0),
        "ENOTCAPABLE",
    );
    s.is(
        "beyond, inheriting",
        open_with(dir, 0, "empty", oflags::DIRECTORY, FD_READDIR, ALL, 0),
        "ENOTCAPABLE",
    );
    s.is(
        "narrower",
        set_rights(dir, DIRECTORY, FD_READDIR | PATH_OPEN),
        "ok",
    );
    s.is(
        "is narrower",
        open_with(dir, 0, "file", 0, FD_READ, 0, 0),
        "ENOTCAPABLE",
    );
    s.is("wider", set_rights(dir, DIRECTORY, few), "ENOTCAPABLE");
    s.is("close", close(dir), "ok");
}
