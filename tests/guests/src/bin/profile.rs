//! What Verirun's deterministic profile promises beyond the specification. Run on Verirun alone.

use guests::abi::oflags;
use guests::errno::check;
use guests::sys::*;
use guests::{ROOT, Suite, abi, list};

/// 1970-01-01T00:01:40Z in nanoseconds.
const NOW: u64 = 100_000_000_000;

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
        s.is(&format!("stands still {id}"), time, &NOW.to_string());
        // SAFETY: as above.
        s.is(
            &format!("resolution {id}"),
            check(unsafe { abi::clock_res_get(id, out(&mut resolution)) }),
            "ok",
        );
        s.is(&format!("one nanosecond {id}"), resolution, "1");
    }

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
