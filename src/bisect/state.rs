//! What differs between two guests.

use super::side::Again;
use super::{BisectError, describe_end};
use crate::checkpoint::is_same;
use crate::engine::{Engine, Guest};
use crate::meter::CellOf;
use crate::wasi::Answered;
use serde::{Serialize, Serializer};

/// A call of a WASI function, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallSeen {
    /// The number of the call, the first being 0.
    pub number: u64,
    /// Steps before it.
    pub steps: u64,
    /// The module that the function is imported from.
    pub module: &'static str,
    /// The function.
    pub name: &'static str,
    /// Its arguments; in JSON as decimal strings, since not all numbers are exact there.
    #[serde(serialize_with = "as_texts")]
    pub args: Vec<u64>,
    /// What it answered: an errno, an exit, a limit.
    pub answer: String,
}

fn as_texts<S: Serializer>(numbers: &impl AsRef<[u64]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(numbers.as_ref().iter().map(u64::to_string))
}

impl CallSeen {
    pub(super) fn new(answered: &Answered, number: u64) -> Self {
        let call = &answered.call;
        Self {
            number,
            steps: answered.steps,
            module: call.abi.module(),
            name: call.function.name(),
            args: call.args[..call.function.parameters().len()].to_vec(),
            answer: format!("{:?}", answered.reply).to_lowercase(),
        }
    }
}

impl std::fmt::Display for CallSeen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let args: Vec<_> = self.args.iter().map(u64::to_string).collect();
        write!(f, "{}({}) = {}", self.name, args.join(", "), self.answer)
    }
}

/// The first thing that differs, with both values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum What {
    /// A call of a WASI function; `None` where there is none.
    Call {
        /// The calls.
        values: [Option<CallSeen>; 2],
    },
    /// A word of memory.
    Memory {
        /// Which memory.
        memory: u32,
        /// Where the word is, a multiple of 4.
        address: u64,
        /// The words, as little-endian numbers.
        values: [u32; 2],
        /// How many bytes of all memories differ.
        bytes: u64,
    },
    /// The size of a memory, in bytes.
    MemorySize {
        /// Which memory.
        memory: u32,
        /// The sizes.
        values: [u64; 2],
    },
    /// A mutable global.
    Global {
        /// Its index in the task's module.
        global: u32,
        /// The number of the first bit that is in the values: 64 for the upper half of a vector.
        first: u8,
        /// Its bits, of a vector the half that differs, of a reference whether it is not null; in JSON
        /// as decimal strings.
        #[serde(serialize_with = "as_texts")]
        values: [u64; 2],
    },
    /// The size of a table, in elements.
    TableSize {
        /// Its index in the task's module.
        table: u32,
        /// The sizes; in JSON as decimal strings.
        #[serde(serialize_with = "as_texts")]
        values: [u64; 2],
    },
    /// What was written to a stream, with the same calls.
    Output {
        /// 1 for standard output, 2 for standard error.
        fd: u8,
    },
    /// Descriptors, clock, random source or input.
    System,
    /// The files.
    Files,
    /// The steps.
    Steps {
        /// The steps.
        values: [u64; 2],
    },
    /// How they ended; "goes on" where one did not.
    End {
        /// The ends.
        values: [String; 2],
    },
}

/// The state of a run.
fn guest(run: &mut Again) -> Result<Box<dyn Guest + '_>, BisectError> {
    let unseen = || BisectError::State("its engine does not show it".to_owned());
    run.engine.guest().ok_or_else(unseen)
}

/// What differs first, the cause before what may follow from it.
pub(super) fn difference(a: &mut Again, b: &mut Again) -> Result<Option<What>, BisectError> {
    if let Some(what) = memories(&mut *guest(a)?, &mut *guest(b)?) {
        return Ok(Some(what));
    }
    let one = guest(a)?.cells().map_err(BisectError::State)?;
    let two = guest(b)?.cells().map_err(BisectError::State)?;
    let mut both = one.iter().zip(&two).enumerate();
    if let Some((cell, (&one, &two))) = both.find(|(_, (one, two))| one != two) {
        let values = [one, two];
        let guest = guest(a)?;
        return Ok(guest.state().cells.get(cell).map(|&of| match of {
            CellOf::Global { index, first, .. } => What::Global {
                global: index,
                first,
                values,
            },
            CellOf::Table(table) => What::TableSize { table, values },
        }));
    }
    Ok(beside(a, b))
}

/// What differs beside memories and cells.
fn beside(a: &mut Again, b: &mut Again) -> Option<What> {
    if let Some(what) = calls(&*a.engine, &*b.engine) {
        return Some(what);
    }
    let (one, two) = (a.engine.system(), b.engine.system());
    if let (Some(one), Some(two)) = (one.output.digests(), two.output.digests())
        && let Some(stream) = (0..2).find(|&stream| one[stream] != two[stream])
    {
        return Some(What::Output {
            fd: stream as u8 + 1,
        });
    }
    if a.files.update(&one.fs) != b.files.update(&two.fs) {
        return Some(What::Files);
    }
    if one.state_digest() != two.state_digest() {
        return Some(What::System);
    }
    if a.end != b.end {
        let end = |end: &Option<_>| end.as_ref().map_or("goes on".to_owned(), describe_end);
        return Some(What::End {
            values: [end(&a.end), end(&b.end)],
        });
    }
    let values = [a.steps(), b.steps()];
    (values[0] != values[1]).then_some(What::Steps { values })
}

fn calls(a: &dyn Engine, b: &dyn Engine) -> Option<What> {
    let (one, two) = (a.system(), b.system());
    let (one_trace, two_trace) = (one.trace.as_ref()?, two.trace.as_ref()?);
    if one_trace.hex() == two_trace.hex() {
        return None;
    }
    // Between two stops is at most one call, so the last is the one that differs, unless one of the
    // two has not come to it.
    let seen = |trace: &crate::wasi::Trace, ahead: bool| {
        let number = trace.calls().checked_sub(1)?;
        trace
            .last()
            .filter(|_| ahead)
            .map(|last| CallSeen::new(last, number))
    };
    let (one, two) = (one_trace.calls(), two_trace.calls());
    Some(What::Call {
        values: [seen(one_trace, one >= two), seen(two_trace, two >= one)],
    })
}

fn memories(one: &mut dyn Guest, two: &mut dyn Guest) -> Option<What> {
    let mut first = None;
    let mut bytes = 0;
    for memory in 0..one.memories().min(two.memories()) {
        let values = [one.memory_size(memory), two.memory_size(memory)];
        if values[0] != values[1] {
            return Some(What::MemorySize {
                memory: memory as u32,
                values,
            });
        }
        one.visit(memory, &mut |at, here| {
            two.visit(memory, &mut |there_at, there| {
                let start = at.max(there_at);
                let end = (at + here.len() as u64).min(there_at + there.len() as u64);
                if start < end {
                    let here = &here[(start - at) as usize..(end - at) as usize];
                    let there = &there[(start - there_at) as usize..(end - there_at) as usize];
                    look(here, there, (memory as u32, start), &mut first, &mut bytes);
                }
                false
            });
            false
        });
    }
    let (memory, address, values) = first?;
    Some(What::Memory {
        memory,
        address,
        values,
        bytes,
    })
}

type Word = (u32, u64, [u32; 2]);

/// Looks through two pieces of memory that start at the same place.
fn look(
    here: &[u8],
    there: &[u8],
    (memory, at): (u32, u64),
    first: &mut Option<Word>,
    bytes: &mut u64,
) {
    const PAGE: usize = 4096;
    for (page, (here, there)) in here.chunks(PAGE).zip(there.chunks(PAGE)).enumerate() {
        if is_same(here, there) {
            continue;
        }
        let base = at + (page * PAGE) as u64;
        let words = here.chunks_exact(4).zip(there.chunks_exact(4));
        for (index, (here, there)) in words.enumerate() {
            if here == there {
                continue;
            }
            *bytes += here.iter().zip(there).filter(|(a, b)| a != b).count() as u64;
            let word = |bytes: &[u8]| {
                bytes
                    .iter()
                    .rev()
                    .fold(0, |word, &byte| word << 8 | u32::from(byte))
            };
            let address = base + 4 * index as u64;
            first.get_or_insert((memory, address, [word(here), word(there)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bisect::Side;
    use crate::engine::{Observer, Place, Slice};
    use crate::meter::{Gauge, StateExports};
    use crate::wasi::{System, Tracing};
    use crate::{Module, Task};

    /// An engine that fails to tell its guest's globals.
    struct Dumb(Box<dyn Engine>);

    #[derive(Default)]
    struct Mute(StateExports);

    impl Guest for Mute {
        fn cells(&mut self) -> Result<Vec<u64>, String> {
            Err("it is mute".to_owned())
        }
        fn state(&self) -> &StateExports {
            &self.0
        }
        fn flip(&mut self, _: u32, _: u64) -> Result<(), String> {
            Ok(())
        }
        fn memories(&self) -> usize {
            0
        }
        fn memory_size(&self, _: usize) -> u64 {
            0
        }
        fn visit(&mut self, _: usize, _: &mut dyn FnMut(u64, &mut [u8]) -> bool) {}
        fn with_system(&mut self, _: &mut dyn FnMut(&System)) {}
    }

    impl Engine for Dumb {
        fn observe(&mut self, observer: Box<dyn Observer>) -> Result<(), String> {
            self.0.observe(observer)
        }
        fn guest(&mut self) -> Option<Box<dyn Guest + '_>> {
            Some(Box::new(Mute::default()))
        }
        fn slice(&mut self, steps: u64) -> Slice {
            self.0.slice(steps)
        }
        fn system(&self) -> &System {
            self.0.system()
        }
        fn system_mut(&mut self) -> &mut System {
            self.0.system_mut()
        }
        fn gauge(&self) -> &Gauge {
            self.0.gauge()
        }
        fn place(&self) -> Option<Place> {
            self.0.place()
        }
    }

    #[test]
    fn globals_that_can_not_be_read_are_not_taken_for_the_same() {
        let text = r#"(module (global (mut i32) (i32.const 1)) (func (export "_start")))"#;
        let module = Module::load("test.wat", text.as_bytes()).expect("it loads");
        let start = || {
            let side = Side::default();
            Again::start(&module, &Task::default(), &side, Tracing::Digest).expect("it starts")
        };
        let (mut a, mut b) = (start(), start());
        assert!(matches!(difference(&mut a, &mut b), Ok(None)));
        let dumb = || {
            let mut run = start();
            run.engine = Box::new(Dumb(run.engine));
            run
        };
        for (mut a, mut b) in [(dumb(), start()), (start(), dumb()), (dumb(), dumb())] {
            let failed = difference(&mut a, &mut b);
            assert!(matches!(failed, Err(BisectError::State(_))), "{failed:?}");
        }
    }
}
