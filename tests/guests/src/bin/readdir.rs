//! `fd_readdir`.

use guests::abi::{oflags, rights};
use guests::dirents::HEADER;
use guests::sys::*;
use guests::{Dirent, ROOT, Suite, list, parse_dirents};

fn names(entries: &[Dirent]) -> Vec<String> {
    let mut names: Vec<_> = entries
        .iter()
        .map(|e| String::from_utf8_lossy(&e.name).into_owned())
        .collect();
    names.sort();
    names
}

fn sorted(dir: u32, len: usize) -> R<String> {
    list(dir, len).map(|all| names(&all).join(" "))
}

fn main() {
    let mut s = Suite::new();
    empty(&mut s);
    kinds(&mut s);
    truncated(&mut s);
    changing(&mut s);
    thousands(&mut s);
    errors(&mut s);
    s.done()
}

fn empty(s: &mut Suite) {
    s.group("empty");
    let dir = s.need(
        "open",
        mkdir(ROOT, "empty").and_then(|()| open_dir(ROOT, "empty")),
    );
    let all = s.need("list", list(dir, 4096));
    s.is("names", names(&all).join(" "), ". ..");
    s.is("first", all[0].name.clone(), "\".\"");
    s.is("second", all[1].name.clone(), "\"..\"");
    s.yes("kinds", all.iter().all(|e| e.kind == "dir"));
    s.yes(
        "dot is the directory",
        fstat(dir).is_ok_and(|stat| stat.ino == all[0].ino),
    );
    s.yes("cookies differ", all[0].next != all[1].next);
    s.is("after the last", readdir(dir, 4096, all[1].next), "\"\"");
    s.is("no buffer", readdir(dir, 0, 0), "\"\"|EINVAL");
    s.is("close", close(dir), "ok");
}

fn kinds(s: &mut Suite) {
    s.group("kinds");
    s.need("mkdir", mkdir(ROOT, "kinds"));
    s.need("put", put("kinds/file", "x"));
    s.need("mkdir sub", mkdir(ROOT, "kinds/sub"));
    s.need("symlink", symlink("file", ROOT, "kinds/link"));
    let dir = s.need("open", open_dir(ROOT, "kinds"));
    let mut all = s.need("list", list(dir, 4096));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let shown: Vec<_> = all
        .iter()
        .map(|e| format!("{}:{}", String::from_utf8_lossy(&e.name), e.kind))
        .collect();
    s.is(
        "all",
        shown.join(" "),
        ".:dir ..:dir file:file link:symlink sub:dir",
    );
    let inodes = all.iter().filter(|e| !e.name.starts_with(b".")).all(|e| {
        let path = [b"kinds/".as_slice(), &e.name].concat();
        stat(ROOT, 0, path).is_ok_and(|stat| stat.ino == e.ino)
    });
    s.yes("inodes are those of stat", inodes);
    s.is("close", close(dir), "ok");
}

fn truncated(s: &mut Suite) {
    s.group("truncated");
    s.need("mkdir", mkdir(ROOT, "cut"));
    for name in ["one", "a-rather-long-name-for-a-file", "three"] {
        s.need("put", put(format!("cut/{name}"), ""));
    }
    let dir = s.need("open", open_dir(ROOT, "cut"));
    let whole = s.need("whole", readdir(dir, 4096, 0));
    s.is(
        "size of all",
        whole.len(),
        &(HEADER * 5 + 1 + 2 + 3 + 29 + 5).to_string(),
    );
    let mut prefixes = true;
    for len in 1..whole.len() {
        match readdir(dir, len, 0) {
            Ok(part) => prefixes &= part == whole[..len],
            Err(_) => prefixes = false,
        }
    }
    s.yes("every shorter buffer is filled with the start", prefixes);
    s.is(
        "exact buffer",
        readdir(dir, whole.len(), 0).map(|all| all == whole),
        "true",
    );
    s.is(
        "one byte more",
        readdir(dir, whole.len() + 1, 0).map(|all| all == whole),
        "true",
    );
    let least = HEADER + 29;
    s.is(
        "with the least buffer",
        sorted(dir, least),
        ". .. a-rather-long-name-for-a-file one three",
    );
    s.is(
        "with a middling buffer",
        sorted(dir, 100),
        ". .. a-rather-long-name-for-a-file one three",
    );
    let cookies: Vec<u64> = parse_dirents(&whole).iter().map(|e| e.next).collect();
    let resumed = cookies.iter().enumerate().all(|(i, cookie)| {
        readdir(dir, 4096, *cookie)
            .is_ok_and(|rest| parse_dirents(&rest) == parse_dirents(&whole)[i + 1..])
    });
    s.yes("every cookie continues after its entry", resumed);
    s.is(
        "again from the start",
        readdir(dir, 4096, 0).map(|again| again == whole),
        "true",
    );
    s.is("close", close(dir), "ok");
}

fn changing(s: &mut Suite) {
    s.group("changing");
    s.need("mkdir", mkdir(ROOT, "change"));
    for i in 0..20 {
        s.need("put", put(format!("change/f{i:02}"), ""));
    }
    let dir = s.need("open", open_dir(ROOT, "change"));
    // Read some entries, then remove all that were seen: the others must still come, each once.
    let first = s.need("first part", readdir(dir, 300, 0));
    let first = parse_dirents(&first);
    let mut seen = names(&first);
    s.yes("a part was read", first.len() > 3 && first.len() < 20);
    for name in seen.iter().filter(|name| !name.starts_with('.')) {
        s.need("unlink", unlink(ROOT, format!("change/{name}")));
    }
    let mut cookie = first.last().map_or(0, |e| e.next);
    loop {
        let part = parse_dirents(&s.need("next part", readdir(dir, 300, cookie)));
        let Some(last) = part.last() else { break };
        cookie = last.next;
        seen.extend(names(&part));
    }
    seen.sort();
    let wanted: Vec<String> = [".".into(), "..".into()]
        .into_iter()
        .chain((0..20).map(|i| format!("f{i:02}")))
        .collect();
    s.is("each entry once while removing", seen == wanted, "true");
    s.need("rest", list(dir, 4096).map(|_| ()));
    let left = s.need("left", list(dir, 4096));
    for entry in left.iter().filter(|e| !e.name.starts_with(b".")) {
        s.need("unlink rest", unlink(dir, &entry.name));
    }
    s.is("all removed", sorted(dir, 4096), ". ..");
    s.need("new", open(dir, "new", oflags::CREAT).and_then(close));
    s.is(
        "a new entry shows from the start",
        sorted(dir, 4096),
        ". .. new",
    );
    s.need("rename", rename(dir, "new", dir, "newer"));
    s.is("a renamed entry shows", sorted(dir, 4096), ". .. newer");
    // A name that is there all the time is listed, whatever it names: a program that replaces each file it lists by a
    // temporary one must see them all.
    for name in ["b", "c"] {
        s.need("put", put(format!("change/{name}"), name));
    }
    let first = s.need("first of three", readdir(dir, HEADER * 3 + 1 + 2 + 1, 0));
    let first = parse_dirents(&first);
    s.is("three were read", names(&first).join(" "), ". .. b");
    s.need("put elsewhere", put("replacement", "other"));
    let replacement = s.need("stat", stat(ROOT, 0, "replacement")).ino;
    s.need("rename over", rename(ROOT, "replacement", dir, "c"));
    let cookie = first.last().map_or(0, |e| e.next);
    let rest = s.need("rest of three", readdir(dir, 4096, cookie));
    let rest = parse_dirents(&rest);
    s.is("the replaced one shows", names(&rest).join(" "), "c newer");
    s.yes("as what it is now", rest[0].ino == replacement);
    s.is("close", close(dir), "ok");
}

fn thousands(s: &mut Suite) {
    s.group("thousands");
    s.need("mkdir", mkdir(ROOT, "many"));
    let dir = s.need("open", open_dir(ROOT, "many"));
    for i in 0..3000 {
        let fd = s.need("create", open(dir, format!("file-{i:05}"), oflags::CREAT));
        s.need("close", close(fd));
    }
    let all = s.need("list", list(dir, 4096));
    s.is("count", all.len(), "3002");
    let distinct: std::collections::HashSet<_> = all.iter().map(|e| e.name.clone()).collect();
    s.is("distinct", distinct.len(), "3002");
    let cookies: std::collections::HashSet<_> = all.iter().map(|e| e.next).collect();
    s.is("distinct cookies", cookies.len(), "3002");
    s.is("close", close(dir), "ok");
}

fn errors(s: &mut Suite) {
    s.group("errors");
    s.need("put", put("file", "x"));
    let file = s.need("open", open(ROOT, "file", 0));
    s.is("file", readdir(file, 100, 0), "EBADF|ENOTDIR");
    s.is("stdin", readdir(0, 100, 0), "EBADF|ENOTDIR");
    s.is("close", close(file), "ok");
    let few = open_with(
        ROOT,
        0,
        "kinds",
        oflags::DIRECTORY,
        rights::DIRECTORY & !rights::FD_READDIR,
        0,
        0,
    );
    let few = s.need("without the right", few);
    s.is("close that", close(few), "ok");
}
