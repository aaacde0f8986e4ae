//! Copies stdin to stdout in the way its first argument asks for, so that a test can feed it: `bytes` one byte at a
//! time, `poll` waiting with `poll_oneoff` before each read, nothing: large reads.

use guests::errno::check;
use guests::sys::*;
use guests::{Suite, abi};

/// Waits until stdin can be read; the errno of the call or of the event.
fn wait() -> R<()> {
    // A subscription to fd_read of descriptor 0: userdata, tag, union.
    let subscription: [u64; 6] = [42, 1, 0, 0, 0, 0];
    let mut event = [u64::MAX; 4];
    let mut n = usize::MAX;
    // SAFETY: one subscription, one event, a live count.
    check(unsafe { abi::poll_oneoff(at(&subscription), out(&mut event), 1, out(&mut n)) })?;
    assert_eq!(
        (n, event[0]),
        (1, 42),
        "one event with the subscription's userdata"
    );
    check((event[1] & 0xffff) as i32)
}

fn main() {
    let mut s = Suite::new();
    let how = std::env::args().nth(1).unwrap_or_default();
    let size = if how == "bytes" { 1 } else { 64 };
    let mut total = 0;
    loop {
        if how == "poll" {
            s.need("wait", wait());
        }
        let part = s.need("read", read(0, size));
        if part.is_empty() {
            break;
        }
        total += part.len();
        s.need("echo", write(1, &part));
    }
    s.note("total", total);
    s.is("again at the end", read(0, size), "\"\"");
    s.done()
}
