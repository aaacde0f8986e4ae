//! The same task on two engines: what differs first.

use super::attempt::Attempt;
use crate::engine::End;
use crate::fs::{Change, changes};
use crate::meter::Limit;
use crate::wasi::{Noted, Trace};

/// What differs between a run on the interpreter and one on another engine, the earliest first.
pub(super) fn difference(reference: &Attempt, other: &Attempt) -> Option<String> {
    let traces = (&reference.system().trace, &other.system().trace);
    if let (Some(a), Some(b)) = traces
        && let Some(found) = calls(a, b)
    {
        return Some(found);
    }
    let (a, b) = (reference.stats(), other.stats());
    let figures = [
        ("steps", a.steps, b.steps),
        ("the call depth", a.peak_call_depth, b.peak_call_depth),
        (
            "the bytes of frames",
            a.peak_frame_bytes,
            b.peak_frame_bytes,
        ),
        ("pages of memory", a.peak_memory_pages, b.peak_memory_pages),
    ];
    if !ends_alike(reference.end(), other.end()) {
        return Some(format!(
            "all calls are the same, but it ended with {:?} here and with {:?} there",
            reference.end(),
            other.end()
        ));
    }
    for (what, a, b) in figures {
        if a != b {
            return Some(format!(
                "all calls are the same, but {what} are {a} and {b}"
            ));
        }
    }
    if reference.place() != other.place() {
        return Some(format!(
            "it trapped at {:?} here and at {:?} there",
            reference.place(),
            other.place()
        ));
    }
    if reference.checkpoints() != other.checkpoints() {
        return Some("the state at a checkpoint differs, with the same calls".to_owned());
    }
    let streams = (reference.delivery.borrow(), other.delivery.borrow());
    if let Some(fd) = streams.0.difference(&streams.1) {
        let name = if fd == 1 { "output" } else { "error" };
        return Some(format!("standard {name} differs, with the same calls"));
    }
    let files = changes(&reference.system().fs, &other.system().fs);
    let changed = files.iter().find(|entry| entry.change != Change::Same);
    changed.map(|entry| format!("the file `{}` differs, with the same calls", entry.path))
}

/// Whether two runs ended the same way. Which function noticed that there is no gas left may differ,
/// since code for a compiler looks less often.
fn ends_alike(one: Option<&End>, other: Option<&End>) -> bool {
    let is_spent =
        |end: Option<&End>| matches!(end, Some(End::Passed(it)) if it.limit == Limit::Gas);
    is_spent(one) && is_spent(other) || one == other
}

fn describe(call: &Noted) -> String {
    let (module, name) = (call.abi.module(), call.function.name());
    format!("`{module}.{name}` after {} steps", call.steps)
}

/// The first call that differs.
fn calls(a: &Trace, b: &Trace) -> Option<String> {
    let (one, two) = (a.noted(), b.noted());
    let both = one.iter().zip(two);
    if let Some((index, (a, b))) = both.enumerate().find(|(_, (a, b))| a != b) {
        let number = index + 1;
        let same = (a.abi, a.function, a.steps) == (b.abi, b.function, b.steps);
        return Some(match same {
            true => format!(
                "call {number}, {}, has other arguments or another answer",
                describe(a)
            ),
            false => format!(
                "call {number} is {} here and {} there",
                describe(a),
                describe(b)
            ),
        });
    }
    if one.len() != two.len() {
        let (longer, place) = match one.len() > two.len() {
            true => (one, "here"),
            false => (two, "there"),
        };
        let index = one.len().min(two.len());
        return Some(format!(
            "call {}, {}, is only made {place}",
            index + 1,
            describe(&longer[index])
        ));
    }
    (a.hex() != b.hex()).then(|| {
        format!(
            "a call after the first {} differs: {} and {} calls were made",
            one.len(),
            a.calls(),
            b.calls()
        )
    })
}
