//! Carries out filesystem calls that it reads from stdin, one a line, and prints what each answered, then the tree.
//!
//! Words are separated by one space; `.` as the first word of a path is the preopen, so no path is empty here. Slots
//! 0 to 7 hold descriptors; a call on an empty slot prints `empty`.
//!
//! ```text
//! open SLOT PATH OFLAGS FDFLAGS ACCESS FOLLOW    ACCESS: 1 read, 2 write, 3 both
//! close|tell|fstat|list SLOT      write SLOT TEXT      pwrite SLOT OFFSET TEXT      read SLOT LEN
//! pread SLOT OFFSET LEN           seek SLOT OFFSET WHENCE        size SLOT LEN      renumber SLOT SLOT
//! mkdir|rmdir|unlink|readlink PATH        stat PATH FOLLOW       times PATH FOLLOW
//! link OLD NEW     symlink TARGET NEW     rename OLD NEW
//! ```

use guests::abi::{fstflags, rights};
use guests::sys::*;
use guests::{Errno, ROOT, Show, list};
use std::io::Read;

fn main() {
    let mut script = String::new();
    std::io::stdin()
        .read_to_string(&mut script)
        .expect("stdin can be read");
    let mut slots = [None; 8];
    for (i, line) in script.lines().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = carry_out(&mut slots, &words);
        println!("ok {i:03} {line} = {answer}");
    }
    for slot in slots.into_iter().flatten() {
        let _ = close(slot);
    }
    tree(ROOT, "");
}

fn number<T: std::str::FromStr + Default>(words: &[&str], i: usize) -> T {
    words
        .get(i)
        .and_then(|word| word.parse().ok())
        .unwrap_or_default()
}

fn shown(stat: R<Filestat>) -> String {
    // The size and the links of a directory are the host's business.
    stat.map(|stat| match stat.kind() {
        "dir" => "dir".to_owned(),
        kind => format!("{kind} {} {}", stat.size, stat.nlink),
    })
    .show()
}

fn carry_out(slots: &mut [Option<u32>; 8], words: &[&str]) -> String {
    let word = |i: usize| words.get(i).copied().unwrap_or("");
    let path = word(1);
    match word(0) {
        "open" => {
            let access = number::<u64>(words, 5);
            let mut base = rights::FD_READDIR | rights::READ_ONLY & !rights::FD_READ;
            base |= if access & 1 != 0 { rights::FD_READ } else { 0 };
            base |= if access & 2 != 0 {
                rights::FD_WRITE | rights::FD_FILESTAT_SET_SIZE
            } else {
                0
            };
            let opened = open_with(
                ROOT,
                number(words, 6),
                word(2),
                number(words, 3),
                base,
                rights::ALL,
                number(words, 4),
            );
            // A host may open a directory for writing, without the right that does not apply, or say EISDIR.
            let opened = opened.and_then(|fd| match fdstat(fd)?.kind() {
                "dir" if access & 2 != 0 => close(fd).and(Err(Errno(31))),
                _ => Ok(fd),
            });
            let slot = &mut slots[number::<usize>(words, 1) % 8];
            if let (Ok(fd), Some(old)) = (opened, *slot) {
                let _ = close(old);
                *slot = Some(fd);
            } else if let Ok(fd) = opened {
                *slot = Some(fd);
            }
            opened.map(drop).show()
        }
        "mkdir" => mkdir(ROOT, path).show(),
        "rmdir" => rmdir(ROOT, path).show(),
        "unlink" => unlink(ROOT, path).show(),
        "readlink" => readlink(ROOT, path, 100).show(),
        "stat" => shown(stat(ROOT, number(words, 2), path)),
        "times" => path_set_times(
            ROOT,
            number(words, 2),
            path,
            5,
            6,
            fstflags::ATIM | fstflags::MTIM,
        )
        .show(),
        "link" => link(ROOT, 0, path, ROOT, word(2)).show(),
        "symlink" => symlink(path, ROOT, word(2)).show(),
        "rename" => rename(ROOT, path, ROOT, word(2)).show(),
        _ => {
            let slot = number::<usize>(words, 1) % 8;
            let Some(fd) = slots[slot] else {
                return "empty".into();
            };
            on_descriptor(slots, slot, fd, words)
        }
    }
}

fn on_descriptor(slots: &mut [Option<u32>; 8], slot: usize, fd: u32, words: &[&str]) -> String {
    let word = |i: usize| words.get(i).copied().unwrap_or("");
    match word(0) {
        "close" => {
            slots[slot] = None;
            close(fd).show()
        }
        "renumber" => {
            let to = number::<usize>(words, 2) % 8;
            let Some(target) = slots[to] else {
                return "empty".into();
            };
            let answer = renumber(fd, target);
            if answer.is_ok() && to != slot {
                slots[slot] = None;
            }
            answer.show()
        }
        "tell" => tell(fd).show(),
        "fstat" => shown(fstat(fd)),
        "list" => list(fd, 4096)
            .map(|all| {
                let mut names: Vec<_> = all
                    .iter()
                    // A removed directory may or may not list itself.
                    .filter(|e| e.name != b"." && e.name != b"..")
                    .map(|e| format!("{}:{}", String::from_utf8_lossy(&e.name), e.kind))
                    .collect();
                names.sort();
                names.join(" ")
            })
            .show(),
        "write" => write(fd, word(2)).show(),
        "pwrite" => pwrite(fd, word(3), number(words, 2)).show(),
        "read" => read(fd, number(words, 2)).show(),
        "pread" => pread(fd, number(words, 3), number(words, 2)).show(),
        "seek" => seek(fd, number(words, 2), number(words, 3)).show(),
        "size" => set_size(fd, number(words, 2)).show(),
        other => panic!("no such call: {other}"),
    }
}

/// Everything below `dir`: kind, size, content, links.
fn tree(dir: u32, prefix: &str) {
    let mut all = list(dir, 4096).expect("the directory can be read");
    all.sort_by(|a, b| a.name.cmp(&b.name));
    for entry in all.iter().filter(|e| e.name != b"." && e.name != b"..") {
        let path = format!("{prefix}{}", String::from_utf8_lossy(&entry.name));
        let shape = shown(stat(dir, NOFOLLOW, &entry.name));
        match entry.kind {
            "dir" => {
                println!("ok tree {path} = {shape}");
                let below = open_dir(dir, &entry.name).expect("it is a directory");
                tree(below, &format!("{path}/"));
                let _ = close(below);
            }
            "symlink" => println!(
                "ok tree {path} = {shape} -> {}",
                readlink(dir, &entry.name, 100).show()
            ),
            _ => {
                let content = open_read(dir, &entry.name).and_then(|fd| {
                    let content = read_all(fd);
                    close(fd)?;
                    content
                });
                println!("ok tree {path} = {shape} {}", content.show());
            }
        }
    }
}
