//! `proc_exit`, `proc_raise` and `sched_yield`; the first argument says what to do.

use guests::errno::check;
use guests::{Suite, abi};

/// Exits from below a few frames, whose destructors must not run.
fn exit_nested(depth: u32, status: u32) {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            println!("FAIL unwound = true, expected false");
        }
    }
    let _loud = Loud;
    if depth == 0 {
        // SAFETY: takes no pointers.
        unsafe { abi::proc_exit(status) };
    }
    exit_nested(std::hint::black_box(depth) - 1, status);
}

fn main() {
    let mut s = Suite::new();
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize| {
        args.get(i)
            .and_then(|arg| arg.parse::<u32>().ok())
            .unwrap_or(0)
    };
    match args.get(1).map(String::as_str) {
        Some("exit") => {
            s.note("before", "exit");
            exit_nested(20, number(2));
        }
        Some("raise") => {
            s.note("before", "raise");
            // SAFETY: takes no pointers.
            s.note("after", check(unsafe { abi::proc_raise(number(2)) }));
        }
        Some("trap") => {
            s.note("before", "trap");
            std::process::abort();
        }
        _ => {
            // SAFETY: takes no pointers.
            let yielded: Vec<_> = (0..3)
                .map(|_| check(unsafe { abi::sched_yield() }))
                .collect();
            for (i, result) in yielded.into_iter().enumerate() {
                s.is(&format!("sched_yield {i}"), result, "ok");
            }
        }
    }
    s.done()
}
