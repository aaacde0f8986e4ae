//! `path_create_directory`, `path_remove_directory`, `path_unlink_file`, `path_link`, `path_symlink`, `path_readlink`.

use guests::abi::{oflags, rights};
use guests::sys::*;
use guests::{ROOT, Suite, list};

fn main() {
    let mut s = Suite::new();
    directories(&mut s);
    removing_while_open(&mut s);
    unlinking(&mut s);
    hard_links(&mut s);
    symbolic_links(&mut s);
    s.done()
}

fn directories(s: &mut Suite) {
    s.group("mkdir");
    s.is("new", mkdir(ROOT, "d"), "ok");
    s.is("kind", kind("d"), "dir");
    s.is("existing", mkdir(ROOT, "d"), "EEXIST");
    s.is("existing, slash", mkdir(ROOT, "d/"), "EEXIST");
    s.is("slash", mkdir(ROOT, "slash/"), "ok");
    s.is("slash is there", kind("slash"), "dir");
    s.is("dot", mkdir(ROOT, "."), "EEXIST");
    s.is("in a missing one", mkdir(ROOT, "missing/d"), "ENOENT");
    s.is("nested", mkdir(ROOT, "d/e"), "ok");
    s.need("put", put("f", "x"));
    s.is("over a file", mkdir(ROOT, "f"), "EEXIST");
    s.is("below a file", mkdir(ROOT, "f/d"), "ENOTDIR");
    s.need("dangling", symlink("nowhere", ROOT, "dangling"));
    s.is("over a dangling symlink", mkdir(ROOT, "dangling"), "EEXIST");
    s.is(
        "links of a directory",
        stat(ROOT, 0, "d").map(|stat| stat.nlink >= 1),
        "true",
    );

    s.group("rmdir");
    s.is("not empty", rmdir(ROOT, "d"), "ENOTEMPTY");
    s.is("file", rmdir(ROOT, "f"), "ENOTDIR");
    s.is("file, slash", rmdir(ROOT, "f/"), "ENOTDIR");
    s.is("missing", rmdir(ROOT, "missing"), "ENOENT");
    s.is("dangling symlink", rmdir(ROOT, "dangling"), "ENOTDIR");
    s.need("symlink", symlink("slash", ROOT, "to-slash"));
    s.is("symlink to a directory", rmdir(ROOT, "to-slash"), "ENOTDIR");
    s.is("dot at the end", rmdir(ROOT, "slash/."), "EINVAL|ENOTEMPTY");
    s.is(
        "dotdot at the end",
        rmdir(ROOT, "d/e/.."),
        "ENOTEMPTY|EINVAL|EBUSY",
    );
    s.is("empty one", rmdir(ROOT, "d/e"), "ok");
    s.is("is gone", kind("d/e"), "ENOENT");
    s.is("with a slash", rmdir(ROOT, "slash/"), "ok");
    s.is("is gone too", kind("slash"), "ENOENT");
    s.is("now empty", rmdir(ROOT, "d"), "ok");
    s.is("again", rmdir(ROOT, "d"), "ENOENT");
}

fn removing_while_open(s: &mut Suite) {
    s.group("removed while open");
    s.need("mkdir", mkdir(ROOT, "open"));
    let dir = s.need("open", open_dir(ROOT, "open"));
    s.is("remove", rmdir(ROOT, "open"), "ok");
    s.is("fstat", fstat(dir).map(|stat| stat.kind()), "dir");
    s.is("create in it", open(dir, "x", oflags::CREAT), "ENOENT");
    s.is("mkdir in it", mkdir(dir, "x"), "ENOENT");
    s.is("symlink in it", symlink("x", dir, "y"), "ENOENT");
    s.is(
        "entries but dots",
        list(dir, 4096).map(|all| all.iter().filter(|e| !e.name.starts_with(b".")).count()),
        "0|ENOENT",
    );
    s.need("mkdir again", mkdir(ROOT, "open"));
    s.is(
        "the new one is another",
        open(dir, "x", oflags::CREAT),
        "ENOENT",
    );
    s.is("close", close(dir), "ok");
    s.is("nothing in the new one", kind("open/x"), "ENOENT");
}

fn unlinking(s: &mut Suite) {
    s.group("unlink");
    s.need("put", put("u", "content"));
    let fd = s.need("open", open(ROOT, "u", 0));
    s.is("an open file", unlink(ROOT, "u"), "ok");
    s.is("is gone", kind("u"), "ENOENT");
    s.is("data stays", read(fd, 20), "\"content\"");
    s.is("links", fstat(fd).map(|stat| stat.nlink), "0");
    s.is("can be written", write(fd, "!"), "1");
    s.is("size", fstat(fd).map(|stat| stat.size), "8");
    s.need("put again", put("u", "new"));
    s.is("the name is another file", pread(fd, 20, 0), "\"content!\"");
    s.is("close", close(fd), "ok");
    s.is("the new file", get("u"), "\"new\"");
    s.is("slash", unlink(ROOT, "u/"), "ENOTDIR");
    s.is("missing", unlink(ROOT, "missing"), "ENOENT");
    s.is("missing, slash", unlink(ROOT, "missing/"), "ENOENT|ENOTDIR");
    s.need("mkdir", mkdir(ROOT, "ud"));
    s.is("directory", unlink(ROOT, "ud"), "EISDIR|EPERM");
    s.is(
        "directory, slash",
        unlink(ROOT, "ud/"),
        "EISDIR|EPERM|ENOTDIR",
    );
    s.is("directory is there", kind("ud"), "dir");
    s.need("symlink", symlink("u", ROOT, "to-u"));
    s.need("symlink to a directory", symlink("ud", ROOT, "to-ud"));
    s.is("symlink", unlink(ROOT, "to-u"), "ok");
    s.is("its target stays", kind("u"), "file");
    s.is("symlink to a directory", unlink(ROOT, "to-ud"), "ok");
    s.is("its directory stays", kind("ud"), "dir");
    s.is("dangling symlink", unlink(ROOT, "dangling"), "ok");
    s.is("below a file", unlink(ROOT, "u/x"), "ENOTDIR");
}

fn hard_links(s: &mut Suite) {
    s.group("link");
    s.need("put", put("h", "content"));
    s.is("new", link(ROOT, 0, "h", ROOT, "h2"), "ok");
    s.is("links", stat(ROOT, 0, "h").map(|stat| stat.nlink), "2");
    let same =
        |a: &str, b: &str| Ok((stat(ROOT, 0, a)?.ino, stat(ROOT, 0, b)?.ino)).map(|(a, b)| a == b);
    s.is("same inode", same("h", "h2"), "true");
    s.need(
        "write",
        open(ROOT, "h2", 0).and_then(|fd| pwrite(fd, "C", 0)),
    );
    s.is("one content", get("h"), "\"Content\"");
    s.is(
        "over an existing one",
        link(ROOT, 0, "h", ROOT, "h2"),
        "EEXIST",
    );
    s.is("to itself", link(ROOT, 0, "h", ROOT, "h"), "EEXIST");
    s.is("missing", link(ROOT, 0, "missing", ROOT, "h3"), "ENOENT");
    s.is("directory", link(ROOT, 0, "ud", ROOT, "h3"), "EPERM");
    s.is(
        "into a missing directory",
        link(ROOT, 0, "h", ROOT, "missing/h"),
        "ENOENT",
    );
    s.is(
        "new name with a slash",
        link(ROOT, 0, "h", ROOT, "h3/"),
        "ENOENT|ENOTDIR",
    );
    s.is(
        "old name with a slash",
        link(ROOT, 0, "h/", ROOT, "h3"),
        "ENOTDIR",
    );
    let dir = s.need("open", open_dir(ROOT, "ud"));
    s.is(
        "into another descriptor",
        link(ROOT, 0, "h", dir, "h4"),
        "ok",
    );
    s.is(
        "three links",
        stat(ROOT, 0, "h").map(|stat| stat.nlink),
        "3",
    );
    s.is(
        "from another descriptor",
        link(dir, 0, "h4", ROOT, "h5"),
        "ok",
    );
    s.is("close", close(dir), "ok");
    s.is("unlink the first", unlink(ROOT, "h"), "ok");
    s.is("the rest stays", get("ud/h4"), "\"Content\"");
    s.is(
        "links left",
        stat(ROOT, 0, "h2").map(|stat| stat.nlink),
        "3",
    );
    s.need("symlink", symlink("h2", ROOT, "hs"));
    s.is(
        "of a symlink",
        link(ROOT, NOFOLLOW, "hs", ROOT, "hs2"),
        "ok",
    );
    s.is("is a symlink", kind("hs2"), "symlink");
    s.is(
        "dangling",
        symlink("nowhere", ROOT, "hd").and_then(|()| link(ROOT, 0, "hd", ROOT, "hd2")),
        "ok",
    );
    s.is("is a symlink too", kind("hd2"), "symlink");
    // Hosts on cap-std refuse to follow; a host that follows makes a link to the file.
    s.is("follow", link(ROOT, FOLLOW, "hs", ROOT, "hf"), "ok|EINVAL");
    s.is("follow, kind", kind("hf"), "file|ENOENT");
    s.is(
        "over a dangling symlink",
        link(ROOT, 0, "h2", ROOT, "hd"),
        "EEXIST",
    );
}

fn symbolic_links(s: &mut Suite) {
    s.group("symlink");
    s.need("put", put("t", "content"));
    s.is("new", symlink("t", ROOT, "sl"), "ok");
    s.is("read", readlink(ROOT, "sl", 100), "\"t\"");
    s.is("over a symlink", symlink("t", ROOT, "sl"), "EEXIST");
    s.is("over a file", symlink("t", ROOT, "t"), "EEXIST");
    s.is("over a directory", symlink("t", ROOT, "ud"), "EEXIST");
    s.is(
        "in a missing directory",
        symlink("t", ROOT, "missing/sl"),
        "ENOENT",
    );
    s.is("with a slash", symlink("t", ROOT, "sl2/"), "ENOENT|ENOTDIR");
    s.is(
        "directory with a slash",
        symlink("t", ROOT, "ud/"),
        "EEXIST",
    );
    s.is(
        "file with a slash",
        symlink("t", ROOT, "t/"),
        "ENOTDIR|EEXIST",
    );
    s.is(
        "any target",
        symlink("no such/../thing//", ROOT, "any"),
        "ok",
    );
    s.is(
        "target as given",
        readlink(ROOT, "any", 100),
        "\"no such/../thing//\"",
    );
    s.is("dotdot", symlink("..", ROOT, "up"), "ok");
    s.is(
        "stat of dotdot",
        stat(ROOT, FOLLOW, "up").map(|_| ()),
        "EPERM|ENOTCAPABLE",
    );
    s.is(
        "absolute target",
        symlink("/t", ROOT, "abs"),
        "EPERM|ENOTCAPABLE|ok",
    );
    s.is(
        "absolute target, followed",
        stat(ROOT, FOLLOW, "abs").map(|_| ()),
        "EPERM|ENOTCAPABLE|ENOENT",
    );

    s.group("readlink");
    s.need("long", symlink("0123456789", ROOT, "ten"));
    s.is("exact buffer", readlink(ROOT, "ten", 10), "\"0123456789\"");
    s.is("short buffer", readlink(ROOT, "ten", 4), "\"0123\"");
    s.is("empty buffer", readlink(ROOT, "ten", 0), "\"\"|EINVAL");
    s.is("file", readlink(ROOT, "t", 10), "EINVAL");
    s.is("directory", readlink(ROOT, "ud", 10), "EINVAL");
    s.is("missing", readlink(ROOT, "missing", 10), "ENOENT");
    s.is(
        "symlink with a slash",
        readlink(ROOT, "sl/", 10),
        "EINVAL|ENOTDIR",
    );
    s.is(
        "symlink to a directory with a slash",
        symlink("ud", ROOT, "sd").and_then(|()| readlink(ROOT, "sd/", 10)),
        "EINVAL",
    );
    let fd = s.need("open", open_with(ROOT, 0, "t", 0, rights::READ_ONLY, 0, 0));
    s.is(
        "in a file",
        readlink(fd, "x", 10),
        "EBADF|ENOTDIR|ENOTCAPABLE",
    );
    s.is("close", close(fd), "ok");
}
