//! `random_get`.

use guests::errno::check;
use guests::sys::{R, out};
use guests::{Suite, abi};

fn fill(buf: &mut [u8]) -> R<()> {
    // SAFETY: the buffer is live and as long as said.
    check(unsafe { abi::random_get(out(buf), buf.len()) })
}

fn main() {
    let mut s = Suite::new();
    s.is("nothing", fill(&mut []), "ok");
    let mut short = [0u8; 32];
    s.is("a key", fill(&mut short[..16]), "ok");
    s.is(
        "past the buffer",
        &short[16..],
        "\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
    );
    let mut other = [0u8; 16];
    s.is("another key", fill(&mut other), "ok");
    s.yes("the keys differ", short[..16] != other);

    let mut large = vec![0u8; 1 << 20];
    s.is("one MiB", fill(&mut large), "ok");
    let mut seen = [0u32; 256];
    for byte in &large {
        seen[usize::from(*byte)] += 1;
    }
    // Each value is expected 4096 times with a deviation of 64; ten deviations never happen by chance.
    s.yes(
        "byte values are about even",
        seen.iter().all(|n| (3456..4736).contains(n)),
    );
    s.yes(
        "no run repeats",
        large
            .chunks_exact(64)
            .collect::<std::collections::HashSet<_>>()
            .len()
            == large.len() / 64,
    );
    s.done()
}
