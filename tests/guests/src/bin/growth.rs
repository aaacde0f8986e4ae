//! One kind of work, N times: `growth WORK N`. `benches/scale.rs` measures how its time grows with N, and
//! `tests/conformance.rs` runs each with a small N. A new kind goes into [`WORKS`] and into both of them.

use guests::abi::oflags::{CREAT, EXCL};
use guests::abi::{self, whence};
use guests::errno::check;
use guests::sys::*;
use guests::{ROOT, Suite, list, parse_dirents};

/// A kind of work and what does it; it returns how many times it was done.
type Work = (&'static str, fn(u32) -> R<u64>);

const WORKS: &[Work] = &[
    ("create", |n| create(n).map(|_| u64::from(n))),
    ("list", listing),
    ("stat", stat_all),
    ("remove-all", remove_all),
    ("remove-batches", |n| remove_from_the_start(n, 65_536)),
    ("remove-first", |n| remove_from_the_start(n, 128)),
    ("rename", rename_all),
    ("link", link_all),
    ("nest", nest),
    ("resolve", resolve),
    ("hole", hole),
    ("blocks", blocks),
    ("append", append),
    ("open", open_all),
    ("poll", poll),
    ("print", print),
];

fn main() {
    let mut s = Suite::new();
    let args: Vec<String> = std::env::args().collect();
    let name = args.get(1).map_or("", String::as_str);
    let n: u32 = args.get(2).and_then(|n| n.parse().ok()).unwrap_or(100);
    let Some((_, work)) = WORKS.iter().find(|(work, _)| *work == name) else {
        s.is("a kind of work", name, "one of those in growth.rs");
        s.done()
    };
    s.is("done", work(n).map(|done| done == u64::from(n)), "true");
    s.done()
}

/// `n` empty files in a new directory; returns its descriptor.
fn create(n: u32) -> R<u32> {
    mkdir(ROOT, "many")?;
    let dir = open_dir(ROOT, "many")?;
    for i in 0..n {
        close(open(dir, i.to_string(), CREAT | EXCL)?)?;
    }
    Ok(dir)
}

fn listing(n: u32) -> R<u64> {
    let dir = create(n)?;
    for _ in 0..4 {
        list(dir, 4096)?;
    }
    Ok(list(dir, 65_536)?.len() as u64 - 2)
}

fn stat_all(n: u32) -> R<u64> {
    let dir = create(n)?;
    (0..n).try_fold(0, |sum, i| stat(dir, 0, i.to_string()).map(|_| sum + 1))
}

/// Removes what it lists while it goes on listing, as `rm -r` does.
fn remove_all(n: u32) -> R<u64> {
    let dir = create(n)?;
    let (mut cookie, mut removed) = (0, 0);
    loop {
        let entries = parse_dirents(&readdir(dir, 4096, cookie)?);
        let Some(last) = entries.last() else {
            break;
        };
        cookie = last.next;
        for entry in entries.iter().filter(|entry| entry.kind == "file") {
            unlink(dir, &entry.name)?;
            removed += 1;
        }
    }
    rmdir(ROOT, "many")?;
    Ok(removed)
}

/// Lists from the start, removes what is listed, and starts again: as programs do that do not trust a listing after a
/// removal (Go's `os.RemoveAll`).
fn remove_from_the_start(n: u32, buffer: usize) -> R<u64> {
    let dir = create(n)?;
    let mut removed = 0;
    loop {
        let entries = parse_dirents(&readdir(dir, buffer, 0)?);
        let before = removed;
        for entry in entries.iter().filter(|entry| entry.kind == "file") {
            unlink(dir, &entry.name)?;
            removed += 1;
        }
        if removed == before {
            return Ok(removed);
        }
    }
}

fn rename_all(n: u32) -> R<u64> {
    let dir = create(n)?;
    mkdir(ROOT, "others")?;
    let others = open_dir(ROOT, "others")?;
    for i in 0..n {
        rename(dir, i.to_string(), others, (n - i).to_string())?;
    }
    Ok(list(others, 65_536)?.len() as u64 - 2)
}

/// `n` names for one file.
fn link_all(n: u32) -> R<u64> {
    put("one", "content")?;
    for i in 1..n {
        link(ROOT, 0, "one", ROOT, i.to_string())?;
    }
    Ok(u64::from(stat(ROOT, 0, "one")?.nlink as u32))
}

/// `n` directories, each in the one before.
fn nest(n: u32) -> R<u64> {
    let mut dir = ROOT;
    for _ in 0..n {
        mkdir(dir, "d")?;
        let next = open_dir(dir, "d")?;
        if dir != ROOT {
            close(dir)?;
        }
        dir = next;
    }
    close(open(dir, "deep", CREAT)?)?;
    let mut depth = 0;
    let mut dir = ROOT;
    while let Ok(next) = open_dir(dir, "d") {
        if dir != ROOT {
            close(dir)?;
        }
        dir = next;
        depth += 1;
    }
    Ok(depth)
}

/// A path of `n` components, a thousand times.
fn resolve(n: u32) -> R<u64> {
    mkdir(ROOT, "d")?;
    let mut path = "./".repeat(n as usize - 1);
    path.push('d');
    for _ in 0..1000 {
        stat(ROOT, 0, &path)?;
    }
    Ok(u64::from(n))
}

/// A file of `n` MiB without content, read from start to end.
fn hole(n: u32) -> R<u64> {
    let fd = open(ROOT, "sparse", CREAT)?;
    set_size(fd, u64::from(n) << 20)?;
    pwrite(fd, "!", (u64::from(n) << 20) - 1)?;
    let mut buffer = vec![1u8; 1 << 20];
    let (mut total, mut last) = (0, 0);
    loop {
        let iov = Iovec {
            buf: out(buffer.as_mut_slice()),
            len: buffer.len(),
        };
        let read = readv(fd, &[iov])?;
        if read == 0 {
            break;
        }
        last = buffer[read - 1];
        total += read as u64;
    }
    Ok(if last == b'!' { total >> 20 } else { 0 })
}

/// One byte in each of `n` blocks of 64 KiB, from the last to the first.
fn blocks(n: u32) -> R<u64> {
    let fd = open(ROOT, "blocks", CREAT)?;
    for i in (0..n).rev() {
        pwrite(fd, "x", u64::from(i) << 16)?;
    }
    (0..n).try_fold(0, |sum, i| {
        pread(fd, 1, u64::from(i) << 16).map(|got| sum + u64::from(got == b"x"))
    })
}

/// `n` writes of a line to one file.
fn append(n: u32) -> R<u64> {
    let fd = open(ROOT, "log", CREAT)?;
    let line = [b'l'; 100];
    for _ in 0..n {
        write(fd, line)?;
    }
    Ok(seek(fd, 0, whence::END)? / 100)
}

/// `n` descriptors at once; half of them are closed and opened again in between.
fn open_all(n: u32) -> R<u64> {
    put("file", "content")?;
    let mut fds = Vec::new();
    for _ in 0..n {
        fds.push(open_read(ROOT, "file")?);
    }
    for fd in fds.iter().step_by(2) {
        close(*fd)?;
    }
    for _ in (0..n).step_by(2) {
        open_read(ROOT, "file")?;
    }
    fds.iter()
        .try_fold(0, |sum, fd| close(*fd).map(|()| sum + 1))
}

/// `n` subscriptions to one file in one call.
fn poll(n: u32) -> R<u64> {
    let fd = open(ROOT, "file", CREAT)?;
    let words = if cfg!(feature = "unstable") { 7 } else { 6 };
    let mut subscriptions = vec![0u64; words * n as usize];
    for subscription in subscriptions.chunks_exact_mut(words) {
        subscription[1] = 1; // the event: `fd_read`
        subscription[2] = u64::from(fd);
    }
    let mut events = vec![0u64; 4 * n as usize];
    let mut count = 0u32;
    // SAFETY: both arrays have room for `n` elements, and the count is live.
    check(unsafe {
        abi::poll_oneoff(
            at(subscriptions.as_slice()),
            out(events.as_mut_slice()),
            n as usize,
            out(&mut count),
        )
    })?;
    Ok(u64::from(count))
}

/// `n` lines on stderr, one by one.
fn print(n: u32) -> R<u64> {
    (0..n).try_fold(0, |sum, _| write(2, "a line of output\n").map(|_| sum + 1))
}
