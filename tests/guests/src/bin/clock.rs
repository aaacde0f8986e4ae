//! `clock_res_get` and `clock_time_get`.

use guests::errno::check;
use guests::sys::{R, out};
use guests::{Suite, abi};

fn resolution(id: u32) -> R<u64> {
    let mut value = 0u64;
    // SAFETY: the out pointer is live.
    check(unsafe { abi::clock_res_get(id, out(&mut value)) })?;
    Ok(value)
}

fn time(id: u32, precision: u64) -> R<u64> {
    let mut value = 0u64;
    // SAFETY: the out pointer is live.
    check(unsafe { abi::clock_time_get(id, precision, out(&mut value)) })?;
    Ok(value)
}

const YEAR_2100: u64 = 4_102_444_800_000_000_000;

fn main() {
    let mut s = Suite::new();
    for (id, name) in [
        (0, "realtime"),
        (1, "monotonic"),
        (2, "process cputime"),
        (3, "thread cputime"),
    ] {
        s.group(name);
        s.is(
            "resolution is not zero",
            resolution(id).map(|ns| ns > 0),
            "true",
        );
        s.is(
            "resolution is at most a second",
            resolution(id).map(|ns| ns <= 1_000_000_000),
            "true",
        );
        s.is(
            "time before the year 2100",
            time(id, 0).map(|ns| ns < YEAR_2100),
            "true",
        );
        for precision in [0, 1, 1_000_000, u64::MAX] {
            s.is(
                &format!("precision {precision}"),
                time(id, precision).map(|_| ()),
                "ok",
            );
        }
        let first = time(id, 0);
        let later: R<Vec<u64>> = (0..100).map(|_| time(id, 0)).collect();
        if let (Ok(first), Ok(later)) = (first, later) {
            s.yes("does not go back", first <= later[0] && later.is_sorted());
        }
    }
    s.done()
}
