//! Path resolution: `.` and `..`, the edge of the preopen, absolute, empty, NUL, long and not UTF-8, through every
//! function that takes a path.

use guests::abi::oflags;
use guests::sys::*;
use guests::{ROOT, Show, Suite};

fn main() {
    let mut s = Suite::new();
    s.need("mkdir", mkdir(ROOT, "dir"));
    s.need("mkdir nested", mkdir(ROOT, "dir/nested"));
    s.need("put", put("dir/nested/file", "content"));
    inside(&mut s);
    for (name, path, want) in [
        ("empty", b"".as_slice(), "ENOENT|EINVAL"),
        ("absolute", b"/dir/nested/file", "EPERM|ENOTCAPABLE"),
        ("root", b"/", "EPERM|ENOTCAPABLE"),
        ("double slash", b"//dir", "EPERM|ENOTCAPABLE"),
        ("dotdot", b"..", "EPERM|ENOTCAPABLE"),
        ("above", b"../dir", "EPERM|ENOTCAPABLE"),
        (
            "above after going down",
            b"dir/../../dir",
            "EPERM|ENOTCAPABLE",
        ),
        (
            "above after going down deep",
            b"dir/nested/../../../x",
            "EPERM|ENOTCAPABLE",
        ),
        ("nul", b"dir/nul\0l", "EINVAL|EILSEQ|ENOENT"),
        (
            "nul at the end",
            b"dir/nested/file\0",
            "EINVAL|EILSEQ|ENOENT",
        ),
        ("only nul", b"\0", "EINVAL|EILSEQ|ENOENT"),
    ] {
        s.group(name);
        every_function(&mut s, path, want);
    }
    s.group("not utf-8");
    for (name, path) in [
        ("a lone byte", b"dir/\xff".as_slice()),
        ("cut off", b"dir/\xe2\x82"),
        ("surrogate", b"dir/\xed\xa0\x80"),
        ("overlong", b"dir/\xc0\xaf"),
    ] {
        s.is(name, kind(path), "EILSEQ");
        s.is(
            &format!("{name}: create"),
            open(ROOT, path, oflags::CREAT),
            "EILSEQ",
        );
        s.is(&format!("{name}: mkdir"), mkdir(ROOT, path), "EILSEQ");
        s.is(
            &format!("{name}: symlink target"),
            symlink(path, ROOT, "bad-link"),
            "EILSEQ",
        );
    }
    s.is("nothing was made", kind("bad-link"), "ENOENT");
    long_names(&mut s);
    odd_names(&mut s);
    s.done()
}

fn inside(s: &mut Suite) {
    s.group("inside");
    for path in [
        "dir/nested/file",
        "./dir/nested/file",
        "dir/./nested/./file",
        "dir//nested///file",
        "dir/../dir/nested/file",
        "dir/nested/../nested/file",
        "dir/nested/../../dir/nested/file",
        "dir/.//nested/../../dir/nested/../nested///./file",
        "././././dir/nested/file",
    ] {
        s.is(path, get(path), "\"content\"");
    }
    s.is("missing/../dir", kind("missing/../dir"), "ENOENT");
    s.is("dir/nested/file/..", kind("dir/nested/file/.."), "ENOTDIR");
    s.is("dir/nested/..", kind("dir/nested/.."), "dir");
    s.is("dir/..", kind("dir/.."), "dir");
    let dir = s.need("open", open_dir(ROOT, "dir"));
    s.is(
        "from a subdirectory",
        open_read(dir, "nested/file").and_then(read_all),
        "\"content\"",
    );
    s.is(
        "above a subdirectory",
        open_read(dir, "../dir/nested/file"),
        "EPERM|ENOTCAPABLE",
    );
    s.is(
        "its own dotdot",
        stat(dir, 0, "..").map(|_| ()),
        "EPERM|ENOTCAPABLE",
    );
    s.is(
        "down and up",
        stat(dir, 0, "nested/..").map(|stat| stat.kind()),
        "dir",
    );
    s.need("link up", symlink("../dir", ROOT, "dir/up"));
    s.is(
        "a symlink above a subdirectory",
        stat(dir, FOLLOW, "up").map(|_| ()),
        "EPERM|ENOTCAPABLE",
    );
    s.is(
        "the same from the preopen",
        stat(ROOT, FOLLOW, "dir/up").map(|stat| stat.kind()),
        "dir",
    );
    s.is("close", close(dir), "ok");
}

fn every_function(s: &mut Suite, path: &[u8], want: &str) {
    // A new name next to the end of a path that only goes wrong when used: never made, since resolution fails.
    s.is("path_open", open(ROOT, path, 0), want);
    s.is("path_open creat", open(ROOT, path, oflags::CREAT), want);
    s.is("path_filestat_get", stat(ROOT, 0, path).map(|_| ()), want);
    s.is(
        "path_filestat_get follow",
        stat(ROOT, FOLLOW, path).map(|_| ()),
        want,
    );
    s.is(
        "path_filestat_set_times",
        path_set_times(ROOT, FOLLOW, path, 1, 1, 1),
        want,
    );
    s.is("path_create_directory", mkdir(ROOT, path), want);
    let or_busy = format!("{want}|EBUSY|EINVAL|ENOTEMPTY");
    s.is("path_remove_directory", rmdir(ROOT, path), &or_busy);
    s.is(
        "path_unlink_file",
        unlink(ROOT, path),
        &format!("{want}|EISDIR"),
    );
    s.is("path_readlink", readlink(ROOT, path, 10), want);
    s.is("path_symlink", symlink("x", ROOT, path), want);
    s.is("path_link from", link(ROOT, 0, path, ROOT, "linked"), want);
    s.is(
        "path_link to",
        link(ROOT, 0, "dir/nested/file", ROOT, path),
        want,
    );
    s.is(
        "path_rename from",
        rename(ROOT, path, ROOT, "renamed"),
        &or_busy,
    );
    s.is(
        "path_rename to",
        rename(ROOT, "dir/nested/file", ROOT, path),
        &or_busy,
    );
    let made = (kind("linked"), kind("renamed"), get("dir/nested/file"));
    s.is("nothing happened", made.show(), "ENOENT ENOENT \"content\"");
}

fn long_names(s: &mut Suite) {
    s.group("long");
    let name255 = "n".repeat(255);
    let name256 = "n".repeat(256);
    s.is("255 bytes", put(&name255, "x"), "ok");
    s.is("255 bytes is there", kind(&name255), "file");
    s.is(
        "256 bytes",
        open(ROOT, &name256, oflags::CREAT),
        "ENAMETOOLONG",
    );
    s.is("256 bytes, stat", kind(&name256), "ENAMETOOLONG");
    s.is("256 bytes, mkdir", mkdir(ROOT, &name256), "ENAMETOOLONG");
    s.is(
        "256 bytes, symlink",
        symlink("x", ROOT, &name256),
        "ENAMETOOLONG",
    );
    s.is(
        "256 bytes, rename",
        rename(ROOT, &name255, ROOT, &name256),
        "ENAMETOOLONG",
    );
    s.is(
        "256 bytes, link",
        link(ROOT, 0, &name255, ROOT, &name256),
        "ENAMETOOLONG",
    );
    s.is(
        "256 bytes in the middle",
        kind(format!("{name256}/x")),
        "ENAMETOOLONG",
    );
    s.is("256 bytes of utf-8", kind("é".repeat(128)), "ENAMETOOLONG");
    s.is("254 bytes of utf-8", kind("é".repeat(127)), "ENOENT");
    let deep = "dir/nested/../../".repeat(200);
    s.is(
        "3 415 bytes",
        kind(format!("{deep}dir/nested/file")),
        "file",
    );
    s.is("a MiB", kind("./".repeat(1 << 19)), "ENAMETOOLONG");
    s.is(
        "a symlink to 255 bytes",
        symlink(&name255, ROOT, "to-long").and_then(|()| get("to-long")),
        "\"x\"",
    );
    s.is(
        "a symlink to 256 bytes",
        symlink(&name256, ROOT, "to-longer").and_then(|()| get("to-longer")),
        "ENAMETOOLONG",
    );
    s.is(
        "an empty symlink",
        symlink("", ROOT, "to-nothing"),
        "ENOENT|EINVAL",
    );
}

fn odd_names(s: &mut Suite) {
    s.group("odd");
    for name in [
        " ",
        "a b",
        "...",
        ".hidden",
        "-",
        "*",
        "a\\b",
        "tab\there",
        "line\nbreak",
        "é",
        "日本語",
        "🦀",
        "e\u{301}",
        "con",
        "a:b",
    ] {
        let shown = name.escape_default().to_string();
        s.is(&format!("put {shown}"), put(name, name), "ok");
        s.is(&format!("get {shown}"), get(name), &name.as_bytes().show());
    }
    s.is("case matters", kind("É"), "ENOENT");
    s.is("no normalisation", get("é"), &"é".as_bytes().show());
}
