//! `path_rename`.

use guests::sys::*;
use guests::{ROOT, Suite, list};

fn main() {
    let mut s = Suite::new();
    files(&mut s);
    directories(&mut s);
    symlinks(&mut s);
    slashes(&mut s);
    s.done()
}

fn mv(old: &str, new: &str) -> R<()> {
    rename(ROOT, old, ROOT, new)
}

fn files(s: &mut Suite) {
    s.group("file");
    s.need("put a", put("a", "A"));
    s.need("put b", put("b", "B"));
    s.is("to a new name", mv("a", "c"), "ok");
    s.is("old name", kind("a"), "ENOENT");
    s.is("new name", get("c"), "\"A\"");
    let open_b = s.need("open", open(ROOT, "b", 0));
    let open_c = s.need("open c", open(ROOT, "c", 0));
    s.is("over an open file", mv("c", "b"), "ok");
    s.is("the name is the new file", get("b"), "\"A\"");
    s.is("the old file is still open", read(open_b, 9), "\"B\"");
    s.is("it has no links", fstat(open_b).map(|stat| stat.nlink), "0");
    s.is("the renamed one is still open", read(open_c, 9), "\"A\"");
    s.is(
        "writes show under the new name",
        write(open_c, "2").and_then(|_| get("b")),
        "\"A2\"",
    );
    s.is("close", close(open_b).and_then(|()| close(open_c)), "ok");
    s.is("onto itself", mv("b", "b"), "ok");
    s.is("content", get("b"), "\"A2\"");
    s.is("onto itself, spelt otherwise", mv("b", "./b"), "ok");
    s.is("missing", mv("missing", "x"), "ENOENT");
    s.is("missing onto a file", mv("missing", "b"), "ENOENT");
    s.is("into a missing directory", mv("b", "missing/b"), "ENOENT");
    s.is("below a file", mv("b", "b/x"), "ENOTDIR");
    s.need("hard link", link(ROOT, 0, "b", ROOT, "b2"));
    s.is("onto its own hard link", mv("b", "b2"), "ok");
    s.is("both names stay", (kind("b"), kind("b2")), "file file");
    s.need("mkdir", mkdir(ROOT, "dir"));
    let dir = s.need("open dir", open_dir(ROOT, "dir"));
    s.is(
        "into another descriptor",
        rename(ROOT, "b", dir, "moved"),
        "ok",
    );
    s.is("is there", get("dir/moved"), "\"A2\"");
    s.is("back", rename(dir, "moved", ROOT, "b"), "ok");
    s.is("is here", get("b"), "\"A2\"");
    s.is("close dir", close(dir), "ok");
    s.is("over a directory", mv("b", "dir"), "EISDIR");
    s.is(
        "to dot",
        mv("b", "."),
        "EBUSY|EISDIR|EINVAL|EEXIST|ENOTEMPTY",
    );
}

fn directories(s: &mut Suite) {
    s.group("directory");
    s.need("mkdir d", mkdir(ROOT, "d"));
    s.need("mkdir d/sub", mkdir(ROOT, "d/sub"));
    s.need("put", put("d/sub/file", "x"));
    s.need("mkdir empty", mkdir(ROOT, "empty"));
    s.is("into itself", mv("d", "d/x"), "EINVAL");
    s.is("deep into itself", mv("d", "d/sub/x"), "EINVAL");
    s.is("onto its own child", mv("d", "d/sub"), "EINVAL|ENOTEMPTY");
    s.is("onto its parent", mv("d/sub", "d"), "ENOTEMPTY|EEXIST");
    s.is("onto itself", mv("d", "d"), "ok");
    s.is("onto a file", mv("d", "b"), "ENOTDIR");
    s.is(
        "onto one that is not empty",
        mv("empty", "d"),
        "ENOTEMPTY|EEXIST",
    );
    let sub = s.need("open", open_dir(ROOT, "d/sub"));
    s.is("onto an empty one", mv("d", "empty"), "ok");
    s.is("old name", kind("d"), "ENOENT");
    s.is("moved with all below", get("empty/sub/file"), "\"x\"");
    s.is(
        "an open descriptor below still works",
        open_read(sub, "file").and_then(read_all),
        "\"x\"",
    );
    s.is(
        "down and up from it",
        stat(sub, 0, "file").map(|stat| stat.kind()),
        "file",
    );
    s.is("close", close(sub), "ok");
    s.is("a child up", mv("empty/sub", "up"), "ok");
    s.is("is there", get("up/file"), "\"x\"");
    s.is(
        "dotdot is the new parent",
        mkdir(ROOT, "up/in")
            .and_then(|()| stat(ROOT, 0, "up/../b2"))
            .map(|stat| stat.kind()),
        "file",
    );
    s.is("dot", mv(".", "x"), "EBUSY|EINVAL");
    s.is("dot at the end", mv("up/.", "x"), "EBUSY|EINVAL");
    s.is(
        "dotdot at the end",
        mv("up/in/..", "x"),
        "EBUSY|EINVAL|ENOTEMPTY",
    );
    s.is(
        "onto an open empty one",
        open_dir(ROOT, "empty").and_then(|open| {
            mv("up", "empty")?;
            let left = list(open, 4096)
                .map(|all| all.iter().filter(|e| !e.name.starts_with(b".")).count());
            close(open)?;
            Ok(matches!(left, Ok(0) | Err(_)))
        }),
        "true",
    );
}

fn symlinks(s: &mut Suite) {
    s.group("symlink");
    s.need("put", put("t", "T"));
    s.need("symlink", symlink("t", ROOT, "l"));
    s.is("the link, not its target", mv("l", "l2"), "ok");
    s.is("is a symlink", (kind("l2"), kind("t")), "symlink file");
    s.is(
        "a file over a symlink",
        put("n", "N").and_then(|()| mv("n", "l2")),
        "ok",
    );
    s.is("replaced the link", kind("l2"), "file");
    s.is("not its target", get("t"), "\"T\"");
    s.need("dangling", symlink("nowhere", ROOT, "dangling"));
    s.is("dangling", mv("dangling", "dangling2"), "ok");
    s.is("over dangling", mv("l2", "dangling2"), "ok");
    s.is("made no target", kind("nowhere"), "ENOENT");
    s.need("to a directory", symlink("empty", ROOT, "ld"));
    s.is(
        "a directory over a symlink to one",
        mkdir(ROOT, "dd").and_then(|()| mv("dd", "ld")),
        "ENOTDIR",
    );
    s.is(
        "a file over a symlink to a directory",
        mv("dangling2", "ld"),
        "ok",
    );
    s.is(
        "replaced that link",
        (kind("ld"), kind("empty")),
        "file dir",
    );
}

fn slashes(s: &mut Suite) {
    s.group("slash");
    s.is("file, old", mv("t/", "x"), "ENOTDIR");
    s.is("file, new", mv("t", "x/"), "ENOTDIR|ENOENT");
    s.is("file onto a file, new", mv("t", "b2/"), "ENOTDIR");
    s.is(
        "file onto a directory, new",
        mv("t", "dd/"),
        "EISDIR|ENOTDIR",
    );
    s.is("directory, old", mv("dd/", "dd2"), "ok");
    s.is("directory, new", mv("dd2", "dd3/"), "ok");
    s.is("directory, both", mv("dd3/", "dd4/"), "ok");
    s.is("is there", (kind("dd3"), kind("dd4")), "ENOENT dir");
    s.is("the file is where it was", get("t"), "\"T\"");
}
