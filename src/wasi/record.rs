//! A record of the calls of a run, for people: each with its arguments, its answer, the step at which
//! it was made, the paths that it names and the number that it gives back.
//!
//! It is bounded: of a run that makes more calls, the first and the last are kept. It changes nothing
//! of the run, and no digest depends on it (that is [`super::Trace`]'s part).

use super::system::Memory;
use super::{Abi, Call, Errno, Exceeded, Function, Reply};
use std::collections::VecDeque;

/// So many calls are kept from the start, and so many from the end.
const KEPT: usize = 20_000;
/// Paths are cut after so many bytes.
const PATH: u32 = 200;

/// A call that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number among all calls of the run, from 0.
    pub number: u64,
    /// Steps before it.
    pub steps: u64,
    /// The generation of the function.
    pub abi: Abi,
    /// The function.
    pub function: Function,
    /// Its arguments, `i32` ones zero-extended.
    pub args: [u64; 9],
    /// What it was answered.
    pub answer: Answer,
    /// The path that it names, if it names one; two for a link or a new name.
    pub paths: Vec<String>,
    /// The one number that it wrote to the guest's memory, if that is what it gives back: a
    /// descriptor, bytes read or written, a position, a time.
    pub result: Option<u64>,
}

/// What a call was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It returned.
    Errno(Errno),
    /// It ended the run with this code.
    Exit(u32),
    /// It passed a limit, and ended the run.
    Exceeded(Exceeded),
}

/// The record while it grows.
#[derive(Debug, Clone, Default)]
pub struct CallLog {
    first: Vec<Recorded>,
    last: VecDeque<Recorded>,
    total: u64,
}

impl CallLog {
    /// All calls that were answered, the ones that are not kept included.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The calls that are kept, in order. A gap in their numbers is where some are not.
    pub fn calls(&self) -> impl Iterator<Item = &Recorded> {
        self.first.iter().chain(&self.last)
    }

    /// Records a call and its answer. `paths` is what [`paths`] read before the call was made.
    pub(super) fn note(
        &mut self,
        call: &Call,
        steps: u64,
        reply: Reply,
        paths: Vec<String>,
        memory: &Memory<'_>,
    ) {
        let answer = match reply {
            Reply::Block => return,
            Reply::Return(errno) => Answer::Errno(errno),
            Reply::Exit(code) => Answer::Exit(code),
            Reply::Exceeded(limit) => Answer::Exceeded(limit),
        };
        let recorded = Recorded {
            number: self.total,
            steps,
            abi: call.abi,
            function: call.function,
            args: call.args,
            answer,
            paths,
            result: match answer {
                Answer::Errno(Errno::Success) => result(call, memory),
                _ => None,
            },
        };
        self.total += 1;
        if self.first.len() < KEPT {
            self.first.push(recorded);
            return;
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(recorded);
    }
}

/// The paths that a call names, as they stand in the guest's memory before it.
pub(super) fn paths(call: &Call, memory: &Memory<'_>) -> Vec<String> {
    use Function as F;
    let places: &[usize] = match call.function {
        F::PathSymlink => &[0, 3],
        F::PathRename => &[1, 4],
        F::PathLink => &[2, 5],
        F::PathCreateDirectory | F::PathReadlink | F::PathRemoveDirectory | F::PathUnlinkFile => {
            &[1]
        }
        F::PathFilestatGet | F::PathFilestatSetTimes | F::PathOpen => &[2],
        _ => &[],
    };
    let read = |&at: &usize| {
        let (address, len) = (call.args[at] as u32, call.args[at + 1] as u32);
        let bytes = memory.view(address, len.min(PATH)).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(if len > PATH {
            format!("{text}…")
        } else {
            text.into_owned()
        })
    };
    places.iter().filter_map(read).collect()
}

/// The number that a successful call wrote, where it writes one.
fn result(call: &Call, memory: &Memory<'_>) -> Option<u64> {
    use Function as F;
    let (at, wide) = match call.function {
        F::FdRead | F::FdWrite | F::PollOneoff => (3, false),
        F::FdPread | F::FdPwrite | F::FdReaddir => (4, false),
        F::PathOpen => (8, false),
        F::PathReadlink => (5, false),
        F::ClockResGet | F::FdTell => (1, true),
        F::ClockTimeGet => (2, true),
        F::FdSeek => (3, true),
        _ => return None,
    };
    let address = call.args[at] as u32;
    match wide {
        true => memory.read_bytes(address).map(u64::from_le_bytes).ok(),
        false => memory.read_u32(address).map(u64::from).ok(),
    }
}
