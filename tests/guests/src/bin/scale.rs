//! Large numbers: files in a directory, nested directories, a sparse file, open descriptors. Run on Verirun alone.

use guests::abi::oflags;
use guests::sys::*;
use guests::{ROOT, Suite, list};

fn main() {
    let mut s = Suite::new();
    let args: Vec<String> = std::env::args().collect();
    let files: u32 = args.get(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    s.group("files");
    let dir = s.need(
        "open",
        mkdir(ROOT, "many").and_then(|()| open_dir(ROOT, "many")),
    );
    for i in 0..files {
        let fd = s.need(
            "create",
            open(dir, format!("{i}"), oflags::CREAT | oflags::EXCL),
        );
        s.need("close", close(fd));
    }
    s.is(
        "listed",
        list(dir, 65_536).map(|all| all.len() as u32 == files + 2),
        "true",
    );
    s.is(
        "found",
        (0..files).all(|i| stat(dir, 0, format!("{i}")).is_ok()),
        "true",
    );
    s.is(
        "removed",
        (0..files).all(|i| unlink(dir, format!("{i}")).is_ok()),
        "true",
    );
    s.is("empty", rmdir(ROOT, "many"), "ok");

    s.group("nested");
    let mut path = String::from("n");
    for _ in 0..1000 {
        s.need("mkdir", mkdir(ROOT, &path));
        path.push_str("/n");
    }
    path.truncate(path.len() - 2);
    path.push_str("/file");
    s.is("put", put(&path, "deep"), "ok");
    s.is("get", get(&path), "\"deep\"");
    let mut dir = s.need("open", open_dir(ROOT, "n"));
    let mut depth = 1;
    while let Ok(next) = open_dir(dir, "n") {
        s.need("close", close(dir));
        dir = next;
        depth += 1;
    }
    s.is("depth", depth, "1000");
    s.need("close", close(dir));

    s.group("sparse");
    let fd = s.need("create", open(ROOT, "sparse", oflags::CREAT));
    s.is("a gigabyte", set_size(fd, 1 << 30), "ok");
    s.is("write at its end", pwrite(fd, "end", (1 << 30) - 3), "3");
    s.is("read at its end", pread(fd, 10, (1 << 30) - 3), "\"end\"");
    s.is(
        "read in its middle",
        pread(fd, 2, 1 << 29),
        "\"\\x00\\x00\"",
    );
    s.need("close", close(fd));

    s.group("descriptors");
    let mut open_fds = Vec::new();
    let refused = loop {
        match open_read(ROOT, "sparse") {
            Ok(fd) => open_fds.push(fd),
            Err(errno) => break errno.to_string(),
        }
        if open_fds.len() > 1_000_000 {
            break "never".into();
        }
    };
    s.is("refused with", refused, "EMFILE");
    s.yes("at least ten thousand", open_fds.len() >= 10_000);
    s.yes("all close", open_fds.iter().all(|fd| close(*fd).is_ok()));
    s.is(
        "opens again",
        open_read(ROOT, "sparse").and_then(close),
        "ok",
    );
    s.done()
}
