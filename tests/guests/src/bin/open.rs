//! `path_open`: the combinations of `oflags` and what is there.

use guests::abi::{oflags::*, rights};
use guests::sys::*;
use guests::{ROOT, Suite};

fn main() {
    let mut s = Suite::new();
    creating(&mut s);
    truncating(&mut s);
    directories(&mut s);
    trailing_slashes(&mut s);
    symlinks(&mut s);
    s.done()
}

/// Opens, closes again: only the errno counts.
fn probe(path: &str, oflags: u32) -> R<()> {
    open(ROOT, path, oflags).and_then(close)
}

fn probe_nofollow(path: &str, oflags: u32) -> R<()> {
    open_with(ROOT, NOFOLLOW, path, oflags, rights::FILE, 0, 0).and_then(close)
}

fn creating(s: &mut Suite) {
    s.group("create");
    s.is("missing without creat", probe("new", 0), "ENOENT");
    s.is("missing", probe("new", CREAT), "ok");
    s.is("is there", kind("new"), "file");
    s.is("existing", probe("new", CREAT), "ok");
    s.is("existing, excl", probe("new", CREAT | EXCL), "EEXIST");
    s.is("missing, excl", probe("new2", CREAT | EXCL), "ok");
    s.is(
        "directory",
        mkdir(ROOT, "dir").and_then(|()| probe("dir", CREAT)),
        "EISDIR|ok",
    );
    s.is("directory, excl", probe("dir", CREAT | EXCL), "EEXIST");
    s.is("excl without creat", probe("new", EXCL), "ok|EINVAL");
    s.is(
        "in a missing directory",
        probe("missing/new", CREAT),
        "ENOENT",
    );
    s.is("below a file", probe("new/new", CREAT), "ENOTDIR");
    s.is(
        "below a file, excl",
        probe("new/new", CREAT | EXCL),
        "ENOTDIR",
    );
    s.is("dot", probe(".", CREAT | EXCL), "EEXIST|EISDIR");
    s.is("below", probe("dir/below", CREAT), "ok");
    s.is(
        "with only read rights",
        open_with(ROOT, 0, "read", CREAT, rights::READ_ONLY, 0, 0).and_then(close),
        "ok",
    );
    s.is("is there too", kind("read"), "file");
}

fn truncating(s: &mut Suite) {
    s.group("truncate");
    s.need("put", put("full", "content"));
    s.is("existing", probe("full", TRUNC), "ok");
    s.is("is empty", get("full"), "\"\"");
    s.need("put again", put("full", "content"));
    s.is("creat too", probe("full", CREAT | TRUNC), "ok");
    s.is("is empty again", get("full"), "\"\"");
    s.need("put at last", put("full", "content"));
    s.is(
        "excl keeps the content",
        probe("full", CREAT | EXCL | TRUNC),
        "EEXIST",
    );
    s.is("content", get("full"), "\"content\"");
    s.is("missing", probe("none", TRUNC), "ENOENT");
    s.is("missing, creat", probe("none", CREAT | TRUNC), "ok");
    s.is("directory", probe("dir", TRUNC), "EISDIR|EINVAL");
    s.is(
        "while open elsewhere",
        open(ROOT, "full", 0).and_then(|fd| {
            probe("full", TRUNC)?;
            let rest = read(fd, 10);
            close(fd)?;
            rest
        }),
        "\"\"",
    );
}

fn directories(s: &mut Suite) {
    s.group("directory");
    let dir = |path: &str, oflags: u32| {
        open_with(
            ROOT,
            FOLLOW,
            path,
            oflags,
            rights::DIRECTORY,
            rights::ALL,
            0,
        )
    };
    s.is("dir", dir("dir", DIRECTORY).and_then(close), "ok");
    s.is("dot", dir(".", DIRECTORY).and_then(close), "ok");
    s.is("file", dir("new", DIRECTORY).and_then(close), "ENOTDIR");
    s.is(
        "missing",
        dir("none/", DIRECTORY).and_then(close),
        "ENOTDIR|ENOENT",
    );
    s.is(
        "missing dir",
        dir("nodir", DIRECTORY).and_then(close),
        "ENOENT",
    );
    s.is(
        "creat",
        dir("nodir", DIRECTORY | CREAT).and_then(close),
        "EINVAL|ENOENT",
    );
    s.is("creat made nothing", kind("nodir"), "ENOENT");
    s.is(
        "creat of an existing one",
        dir("dir", DIRECTORY | CREAT).and_then(close),
        "EINVAL|ok|EISDIR",
    );
    s.is(
        "excl",
        dir("dir", DIRECTORY | CREAT | EXCL).and_then(close),
        "EINVAL|EEXIST",
    );
    s.is(
        "trunc",
        dir("dir", DIRECTORY | TRUNC).and_then(close),
        "EINVAL|EISDIR",
    );
    s.is("without the flag", dir("dir", 0).and_then(close), "ok");
    s.is(
        "kind",
        dir("dir", 0).and_then(fdstat).map(|stat| stat.kind()),
        "dir",
    );
    // `sock_accept`, the last, came with preview1.
    let all = u64::MAX >> (34 + u32::from(cfg!(feature = "unstable")));
    s.is(
        "with all rights",
        open_with(ROOT, 0, "dir", DIRECTORY, all, all, 0).and_then(close),
        "ok|EISDIR|ENOTCAPABLE",
    );
    s.is(
        "for writing",
        open_with(ROOT, 0, "dir", 0, rights::FD_READ | rights::FD_WRITE, 0, 0).and_then(close),
        "EISDIR|ok",
    );
    let fd = s.need("open", dir("dir", DIRECTORY));
    s.is(
        "relative to it",
        open_read(fd, "below").and_then(close),
        "ok",
    );
    s.is("dot of it", open_dir(fd, ".").and_then(close), "ok");
    s.is(
        "its parent",
        open_dir(fd, "..").and_then(close),
        "EPERM|ENOTCAPABLE",
    );
    s.is("close", close(fd), "ok");
    let file = s.need("open file", open(ROOT, "new", 0));
    s.is(
        "relative to a file",
        open(file, "x", 0),
        "ENOTDIR|EBADF|ENOTCAPABLE",
    );
    s.is("close file", close(file), "ok");
}

fn trailing_slashes(s: &mut Suite) {
    s.group("trailing slash");
    s.is("directory", open_dir(ROOT, "dir/").and_then(close), "ok");
    s.is(
        "directory, more",
        open_dir(ROOT, "dir///").and_then(close),
        "ok",
    );
    s.is(
        "directory, dot",
        open_dir(ROOT, "dir/.").and_then(close),
        "ok",
    );
    s.is("file", probe("new/", 0), "ENOTDIR");
    s.is("file, creat", probe("new/", CREAT), "ENOTDIR|EISDIR");
    s.is("file, dot", probe("new/.", 0), "ENOTDIR");
    s.is("file, dotdot", probe("new/..", 0), "ENOTDIR");
    s.is("file, directory", probe("new/", DIRECTORY), "ENOTDIR");
    s.is("missing", probe("nothing/", 0), "ENOENT");
    s.is(
        "missing, creat",
        probe("nothing/", CREAT),
        "EISDIR|ENOTDIR|ENOENT|EINVAL",
    );
    s.is("made nothing", kind("nothing"), "ENOENT");
}

fn symlinks(s: &mut Suite) {
    s.group("symlink");
    s.need("put", put("target", "target"));
    for (path, target) in [
        ("to-file", "target"),
        ("to-dir", "dir"),
        ("dangling", "nowhere"),
        ("dangling-deep", "no/where"),
        ("to-dir-slash", "dir/"),
        ("to-file-slash", "target/"),
        ("chain", "to-file"),
        ("self", "self"),
        ("loop-a", "loop-b"),
        ("loop-b", "loop-a"),
        ("dir/up", "../target"),
        ("dir/above", "../../target"),
        ("dot", "."),
    ] {
        s.need(path, symlink(target, ROOT, path));
    }
    s.is(
        "file",
        open_read(ROOT, "to-file").and_then(read_all),
        "\"target\"",
    );
    s.is(
        "chain",
        open_read(ROOT, "chain").and_then(read_all),
        "\"target\"",
    );
    s.is(
        "up",
        open_read(ROOT, "dir/up").and_then(read_all),
        "\"target\"",
    );
    s.is(
        "through a directory symlink",
        open_read(ROOT, "to-dir/up").and_then(read_all),
        "\"target\"",
    );
    s.is(
        "above the preopen",
        open_read(ROOT, "dir/above"),
        "EPERM|ENOTCAPABLE",
    );
    s.is("dot", open_dir(ROOT, "dot").and_then(close), "ok");
    s.is(
        "dot, dot, dot",
        open_read(ROOT, "dot/dot/./dot/target").and_then(close),
        "ok",
    );
    s.is("directory", open_dir(ROOT, "to-dir").and_then(close), "ok");
    s.is(
        "directory, slash",
        open_dir(ROOT, "to-dir/").and_then(close),
        "ok",
    );
    s.is(
        "directory by a slash",
        open_dir(ROOT, "to-dir-slash").and_then(close),
        "ok",
    );
    s.is("file by a slash", probe("to-file-slash", 0), "ENOTDIR");
    s.is("file, slash", probe("to-file/", 0), "ENOTDIR");
    s.is("file, directory", probe("to-file", DIRECTORY), "ENOTDIR");
    s.is("dangling", probe("dangling", 0), "ENOENT");
    s.is("dangling, slash", probe("dangling/", 0), "ENOENT");
    s.is("dangling, excl", probe("dangling", CREAT | EXCL), "EEXIST");
    s.is("still dangling", probe("dangling", 0), "ENOENT");
    s.is("dangling, creat", probe("dangling", CREAT), "ok");
    s.is("made its target", kind("nowhere"), "file");
    s.is("is still a symlink", kind("dangling"), "symlink");
    s.is(
        "dangling deep, creat",
        probe("dangling-deep", CREAT),
        "ENOENT",
    );
    s.is("to itself", probe("self", 0), "ELOOP");
    s.is("to itself, creat", probe("self", CREAT), "ELOOP");
    s.is("to itself, excl", probe("self", CREAT | EXCL), "EEXIST");
    s.is("to itself, below", probe("self/x", 0), "ELOOP");
    s.is("loop", probe("loop-a", 0), "ELOOP");
    s.is(
        "loop, stat",
        stat(ROOT, FOLLOW, "loop-a").map(|_| ()),
        "ELOOP",
    );
    s.is("loop, stat of the symlink", kind("loop-a"), "symlink");

    s.group("nofollow");
    s.is("file", probe_nofollow("target", 0), "ok");
    s.is("symlink to a file", probe_nofollow("to-file", 0), "ELOOP");
    s.is(
        "symlink to a directory",
        open_with(ROOT, NOFOLLOW, "to-dir", DIRECTORY, rights::DIRECTORY, 0, 0),
        "ELOOP|ENOTDIR",
    );
    s.is(
        "symlink to a directory, slash",
        open_with(
            ROOT,
            NOFOLLOW,
            "to-dir/",
            DIRECTORY,
            rights::DIRECTORY,
            0,
            0,
        )
        .and_then(close),
        "ok|ELOOP|ENOTDIR",
    );
    s.is("dangling", probe_nofollow("dangling-deep", 0), "ELOOP");
    s.is(
        "dangling, creat",
        probe_nofollow("dangling-deep", CREAT),
        "ELOOP",
    );
    s.is(
        "dangling, excl",
        probe_nofollow("dangling-deep", CREAT | EXCL),
        "EEXIST",
    );
    s.is(
        "symlink in the middle",
        probe_nofollow("to-dir/below", 0),
        "ok",
    );
    s.is(
        "trunc through a symlink",
        probe_nofollow("to-file", TRUNC),
        "ELOOP",
    );
    s.is("the target keeps its content", get("target"), "\"target\"");
    s.is("itself", probe_nofollow("self", 0), "ELOOP");

    s.group("many symlinks");
    s.need("first", symlink("target", ROOT, "s0"));
    for i in 1..=60 {
        s.need(
            "next",
            symlink(format!("s{}", i - 1), ROOT, format!("s{i}")),
        );
    }
    s.is("nine", open_read(ROOT, "s8").and_then(close), "ok");
    s.is("sixty-one", open_read(ROOT, "s60").and_then(close), "ELOOP");
}
