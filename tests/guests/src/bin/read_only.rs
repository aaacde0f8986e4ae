//! Preopens that can't be changed: descriptor 3 is a directory for reading and writing, 4 and 5 are the same directory
//! `in`, of which 4 allows changes of directories but not of files, and 5 allows no change at all. Run on Verirun alone:
//! the specification has no word for it, wasmtime's API has both and says EPERM.

use guests::abi::{oflags, rights::*};
use guests::sys::*;
use guests::{Suite, list};

const WRITABLE: u32 = 3;
const FILES: u32 = 4;
const ALL_OF_IT: u32 = 5;

fn main() {
    let mut s = Suite::new();
    s.need("put", put("in/file", "content"));
    s.need("mkdir", mkdir(WRITABLE, "in/dir"));
    s.need("put below", put("in/dir/below", "below"));
    s.need("symlink", symlink("file", WRITABLE, "in/link"));
    for (name, dir) in [("files", FILES), ("all", ALL_OF_IT)] {
        s.group(name);
        reading(&mut s, dir);
        contents(&mut s, dir);
        across(&mut s, dir);
    }
    names_may_change(&mut s);
    nothing_may_change(&mut s);
    s.group("outside");
    s.is(
        "the other way in still writes",
        put("in/file", "changed"),
        "ok",
    );
    s.is("and it shows", get_in(ALL_OF_IT, "file"), "\"changed\"");
    s.done()
}

fn get_in(dir: u32, name: &str) -> R<Vec<u8>> {
    let fd = open_with(dir, FOLLOW, name, 0, FD_READ, 0, 0)?;
    let content = read(fd, 100)?;
    close(fd)?;
    Ok(content)
}

fn reading(s: &mut Suite, dir: u32) {
    s.is("read", get_in(dir, "file"), "\"content\"");
    s.is("read by a link", get_in(dir, "link"), "\"content\"");
    s.is("read below", get_in(dir, "dir/below"), "\"below\"");
    s.is("stat", stat(dir, 0, "file").map(|stat| stat.size), "7");
    s.is("readlink", readlink(dir, "link", 10), "\"file\"");
    s.is("list", list(dir, 4096).map(|all| all.len()), "5");
    s.is(
        "open for creation what is there",
        open_with(dir, 0, "file", oflags::CREAT, FD_READ, 0, 0).and_then(close),
        "ok",
    );
    // A libc asks for every right that it can get, and takes them for granted.
    s.is(
        "inheriting rights",
        fdstat(dir).map(|stat| stat.inheriting & FILE == FILE),
        "true",
    );
}

fn contents(s: &mut Suite, dir: u32) {
    let opening = |oflags, rights| open_with(dir, FOLLOW, "file", oflags, rights, 0, 0).map(|_| ());
    s.is("open to write", opening(0, FD_WRITE), "EPERM");
    s.is(
        "open to read and write",
        opening(0, FD_READ | FD_WRITE),
        "EPERM",
    );
    s.is("truncate", opening(oflags::TRUNC, FD_READ), "EPERM");
    s.is(
        "by a link",
        open_with(dir, FOLLOW, "link", 0, FD_WRITE, 0, 0).map(|_| ()),
        "EPERM",
    );
    let asked = FD_READ | FD_FILESTAT_SET_SIZE | FD_FILESTAT_SET_TIMES | FD_ALLOCATE;
    let fd = s.need("open to read", open_with(dir, 0, "file", 0, asked, 0, 0));
    s.is(
        "no right to change it",
        fdstat(fd).map(|stat| stat.base & FILE),
        &FD_READ.to_string(),
    );
    s.is("write", write(fd, "x"), "EBADF");
    s.is("pwrite", pwrite(fd, "x", 0), "EBADF|ENOTCAPABLE");
    s.is("set_size", set_size(fd, 0), "EINVAL");
    s.is("set_times", set_times(fd, 1, 1, 5), "ENOTCAPABLE");
    s.is("close", close(fd), "ok");
    s.is(
        "path times",
        path_set_times(dir, 0, "file", 1, 1, 5),
        "EPERM",
    );
    s.is(
        "path times by a link",
        path_set_times(dir, FOLLOW, "link", 1, 1, 5),
        "EPERM",
    );
    let sub = s.need("open a directory", open_dir(dir, "dir"));
    s.is(
        "write below",
        open_with(sub, 0, "below", 0, FD_WRITE, 0, 0).map(|_| ()),
        "EPERM",
    );
    s.is("close the directory", close(sub), "ok");
}

/// No name may be made under which a file could be written after all.
fn across(s: &mut Suite, dir: u32) {
    s.is("link out", link(dir, 0, "file", WRITABLE, "out"), "EPERM");
    s.is("move out", rename(dir, "file", WRITABLE, "out"), "EPERM");
    s.is(
        "move a directory out",
        rename(dir, "dir", WRITABLE, "out"),
        "EPERM",
    );
    s.is(
        "nothing came out",
        stat(WRITABLE, 0, "out").map(|_| ()),
        "ENOENT",
    );
}

fn names_may_change(s: &mut Suite) {
    s.group("names");
    let dir = FILES;
    s.is("mkdir", mkdir(dir, "new"), "ok");
    s.is("link", link(dir, 0, "file", dir, "new/name"), "ok");
    s.is("move", rename(dir, "new/name", dir, "new/moved"), "ok");
    s.is("symlink", symlink("moved", dir, "new/link"), "ok");
    s.is(
        "create an empty file",
        open_with(dir, 0, "new/empty", oflags::CREAT, 0, 0, 0).and_then(close),
        "ok",
    );
    s.is(
        "create one to write",
        open_with(dir, 0, "new/filled", oflags::CREAT, FD_WRITE, 0, 0).map(|_| ()),
        "EPERM",
    );
    s.need("put", put("outside", "from outside"));
    s.is(
        "move in",
        rename(WRITABLE, "outside", dir, "new/inside"),
        "ok",
    );
    for name in ["new/moved", "new/link", "new/empty", "new/inside"] {
        s.is(&format!("unlink {name}"), unlink(dir, name), "ok");
    }
    s.is(
        "directory times",
        path_set_times(dir, 0, "new", 1, 1, 5),
        "ok",
    );
    s.is("rmdir", rmdir(dir, "new"), "ok");
}

fn nothing_may_change(s: &mut Suite) {
    s.group("nothing");
    let dir = ALL_OF_IT;
    s.need("put", put("outside", "from outside"));
    s.is("mkdir", mkdir(dir, "new"), "EPERM");
    s.is("rmdir", rmdir(dir, "dir"), "EPERM");
    s.is("unlink", unlink(dir, "file"), "EPERM");
    s.is("symlink", symlink("file", dir, "new"), "EPERM");
    s.is("link", link(dir, 0, "file", dir, "new"), "EPERM");
    s.is("link in", link(WRITABLE, 0, "outside", dir, "new"), "EPERM");
    s.is("move", rename(dir, "file", dir, "new"), "EPERM");
    s.is("move in", rename(WRITABLE, "outside", dir, "new"), "EPERM");
    s.is(
        "create",
        open_with(dir, 0, "new", oflags::CREAT, 0, 0, 0).map(|_| ()),
        "EPERM",
    );
    s.is(
        "directory times by path",
        path_set_times(dir, 0, "dir", 1, 1, 5),
        "EPERM",
    );
    s.is(
        "link times by path",
        path_set_times(dir, 0, "link", 1, 1, 5),
        "EPERM",
    );
    s.is("directory times", set_times(dir, 1, 1, 5), "EPERM");
    let sub = s.need("open a directory", open_dir(dir, "dir"));
    s.is("create below", mkdir(sub, "new"), "EPERM");
    s.is("unlink below", unlink(sub, "below"), "EPERM");
    s.is("close", close(sub), "ok");
    s.is("as it was", list(dir, 4096).map(|all| all.len()), "5");
}
