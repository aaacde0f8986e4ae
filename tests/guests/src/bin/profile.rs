//! What Verirun's deterministic profile promises beyond the specification. Run on Verirun alone.

use guests::abi::oflags;
use guests::errno::check;
use guests::sys::*;
use guests::{ROOT, Suite, abi, list};

/// 1970-01-01T00:01:40Z in nanoseconds.
const NOW: u64 = 100_000_000_000;

fn reading(id: u32) -> R<u64> {
    let mut time = 0u64;
    // SAFETY: the out pointer is live.
    check(unsafe { abi::clock_time_get(id, 1, out(&mut time)) })?;
    Ok(time)
}

/// `poll_oneoff` with one relative timeout.
fn sleep(id: u64, nanoseconds: u64) -> R<()> {
    // `subscription`: userdata, tag 0 (clock), clock id, timeout, precision, flags.
    #[cfg(not(feature = "unstable"))]
    let subscription = [7u64, 0, id, nanoseconds, 0, 0];
    // In `wasi_unstable` the clock's id comes behind an identifier.
    #[cfg(feature = "unstable")]
    let subscription = [7u64, 0, 0, id, nanoseconds, 0, 0];
    let (mut event, mut count) = ([0u64; 4], 0usize);
    // SAFETY: the subscription has 48 bytes or more, the event 32, and all pointers are live.
    check(unsafe { abi::poll_oneoff(at(&subscription), out(&mut event), 1, out(&mut count)) })?;
    assert_eq!(
        (count, event[0], event[1]),
        (1, 7, 0),
        "one clock event, no error"
    );
    Ok(())
}

fn main() {
    let mut s = Suite::new();
    s.group("clock");
    for id in 0..4 {
        let (mut time, mut resolution) = (0u64, 0u64);
        // SAFETY: the out pointers are live.
        s.is(
            &format!("time {id}"),
            check(unsafe { abi::clock_time_get(id, 1, out(&mut time)) }),
            "ok",
        );
        s.is(&format!("starts {id}"), time, &NOW.to_string());
        // SAFETY: as above.
        s.is(
            &format!("resolution {id}"),
            check(unsafe { abi::clock_res_get(id, out(&mut resolution)) }),
            "ok",
        );
        s.is(&format!("one nanosecond {id}"), resolution, "1");
    }

    // The monotonic clock has been read once.
    let mut readings = [0u64; 4];
    for (id, reading) in (0u32..).zip(readings.iter_mut()) {
        // SAFETY: the out pointer is live.
        s.is(
            &format!("again {id}"),
            check(unsafe { abi::clock_time_get(id, 1, out(reading)) }),
            "ok",
        );
    }
    s.is("wall clock stands still", readings[0], &NOW.to_string());
    s.is(
        "monotonic moves with each reading",
        readings[1],
        &(NOW + 1).to_string(),
    );
    s.is("process stands still", readings[2], &NOW.to_string());
    s.is("thread stands still", readings[3], &NOW.to_string());
    for (id, name) in [(0, "wall clock"), (1, "monotonic")] {
        let (before, after) = (reading(1), sleep(id, 5_000_000).and_then(|()| reading(1)));
        let slept = before.and_then(|before| after.map(|after| after - before));
        s.is(&format!("a sleep by the {name}"), slept, "5000001");
    }
    s.is("wall clock after the sleeps", reading(0), &NOW.to_string());

    s.group("files");
    let mut inodes = Vec::new();
    for name in ["b", "a", "C", "é", "aa", "Z"] {
        s.need("put", put(name, name));
        let stat = s.need("stat", stat(ROOT, 0, name));
        inodes.push(stat.ino);
        s.is(
            &format!("times of {name}"),
            (stat.atim, stat.mtim, stat.ctim),
            &format!("{NOW} {NOW} {NOW}"),
        );
    }
    s.yes(
        "inodes in the order of creation",
        inodes.is_sorted() && inodes[0] != inodes[1],
    );
    let dir = s.need("open", open_dir(ROOT, "."));
    let names = list(dir, 4096).map(|all| {
        all.iter()
            .map(|e| String::from_utf8_lossy(&e.name).into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    });
    s.is("listed by bytes", names, ". .. C Z a aa b é");

    s.group("streams");
    for fd in 0..3 {
        s.is(
            &format!("filestat {fd}"),
            fstat(fd).map(|stat| {
                (
                    stat.dev,
                    stat.ino,
                    (stat.size, stat.atim, (stat.mtim, stat.ctim)),
                )
            }),
            "0 0 0 0 0 0",
        );
    }

    s.group("random");
    let mut bytes = [0u8; 16];
    // SAFETY: the buffer is live and as long as said.
    s.is(
        "random_get",
        check(unsafe { abi::random_get(out(&mut bytes), 16) }),
        "ok",
    );
    s.note("the same in each run", bytes.as_slice());
    s.need("close", open(ROOT, "a", oflags::TRUNC).and_then(close));
    s.done()
}
