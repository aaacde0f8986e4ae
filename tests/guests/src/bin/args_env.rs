//! `args_get`, `args_sizes_get`, `environ_get`, `environ_sizes_get`: prints what the host gave, for the test to
//! compare, and checks how it lies in memory.

use guests::errno::check;
use guests::sys::out;
use guests::{Suite, abi};

type Sizes = unsafe extern "C" fn(usize, usize) -> i32;
type Get = unsafe extern "C" fn(usize, usize) -> i32;

fn strings(s: &mut Suite, sizes: Sizes, get: Get) -> Vec<Vec<u8>> {
    let (mut count, mut size) = (usize::MAX, usize::MAX);
    // SAFETY: both out pointers are live.
    s.is(
        "sizes",
        check(unsafe { sizes(out(&mut count), out(&mut size)) }),
        "ok",
    );
    let mut pointers = vec![0usize; count + 1];
    // One byte more than asked for, to see that the host does not write it.
    let mut buf = vec![0xaau8; size + 1];
    // SAFETY: both buffers are as large as the sizes say.
    s.is(
        "get",
        check(unsafe { get(out(pointers.as_mut_slice()), out(buf.as_mut_slice())) }),
        "ok",
    );
    s.is("past the buffer", buf[size], "170");
    s.is("past the pointers", pointers[count], "0");
    let start = buf.as_ptr() as usize;
    let mut found = Vec::new();
    let mut at = 0;
    let mut in_order = true;
    for pointer in &pointers[..count] {
        in_order &= *pointer == start + at;
        let Some(len) = buf[at..size].iter().position(|byte| *byte == 0) else {
            s.yes("terminated", false);
            return found;
        };
        found.push(buf[at..at + len].to_vec());
        at += len + 1;
    }
    s.yes("pointers in order", in_order);
    s.yes("buffer filled exactly", at == size);
    s.note("count", count);
    found
}

fn main() {
    let mut s = Suite::new();
    s.group("args");
    for (i, arg) in strings(&mut s, abi::args_sizes_get, abi::args_get)
        .iter()
        .enumerate()
    {
        s.note(&i.to_string(), arg.as_slice());
    }
    s.group("env");
    for (i, entry) in strings(&mut s, abi::environ_sizes_get, abi::environ_get)
        .iter()
        .enumerate()
    {
        s.note(&i.to_string(), entry.as_slice());
    }
    s.done()
}
