//! What one run does in a stretch.

use super::side::{Again, Stop};
use super::{BisectError, Side, TURN};
use crate::wasi::{Trace, Tracing};
use crate::{Module, Task};
use serde::Serialize;

/// So many calls of a stretch are shown.
const SHOWN: usize = 8;

/// A call of a WASI function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CallAt {
    /// Steps before it.
    pub steps: u64,
    /// The module that the function is imported from.
    pub module: &'static str,
    /// The function.
    pub name: &'static str,
}

/// What one run does in a stretch, if nothing is known of the other but that it does something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The function at its start and at its end; `None` before the first.
    pub functions: [Option<u32>; 2],
    /// The first calls of WASI functions in it.
    pub calls: Vec<CallAt>,
    /// How many more there are.
    pub more: u64,
}

/// The start of the stretch, once the run is there.
#[derive(Debug, Clone, Copy)]
struct Start {
    function: Option<u32>,
    calls: u64,
}

/// Runs a task to its first check at `from` steps, and looks at what it does up to the one at `to`, or
/// to its end. Driven in small steps like a [`Bisection`](super::Bisection), so that whoever drives it
/// can stop: a module may be endless, and `to` may be anything that a stranger wrote.
pub struct Look {
    run: Again,
    from: u64,
    to: u64,
    start: Option<Start>,
}

impl Look {
    /// Begins to look.
    ///
    /// # Errors
    /// If the task can't be run.
    pub fn new(module: &Module, task: &Task, from: u64, to: u64) -> Result<Self, BisectError> {
        let mut task = task.clone();
        task.files = task.files.canonical(crate::wasi::EPOCH);
        Ok(Self {
            run: Again::start(module, &task, &Side::default(), Tracing::Off)?,
            from,
            to,
            start: None,
        })
    }

    /// Steps that the run has made.
    pub fn steps(&self) -> u64 {
        self.run.steps()
    }

    /// Does some milliseconds of work. Returns what there is to see, at the end.
    ///
    /// # Errors
    /// If the run can't be made again. Then nothing more can be seen.
    pub fn advance(&mut self) -> Result<Option<Window>, BisectError> {
        let Some(start) = self.start else {
            if self.run.run_to(self.from, TURN)? == Stop::There {
                self.start = Some(Start {
                    function: self.run.engine.gauge().function(),
                    calls: self.run.engine.system().calls,
                });
                // Only the calls from here on are of interest.
                self.run.engine.system_mut().trace = Trace::new(Tracing::Calls);
            }
            return Ok(None);
        };
        if self.run.run_to(self.to, TURN)? == Stop::OnTheWay {
            return Ok(None);
        }
        let system = self.run.engine.system();
        let noted = system.trace.as_ref().map_or(&[][..], Trace::noted);
        let calls: Vec<_> = noted
            .iter()
            .take(SHOWN)
            .map(|noted| CallAt {
                steps: noted.steps,
                module: noted.abi.module(),
                name: noted.function.name(),
            })
            .collect();
        Ok(Some(Window {
            functions: [start.function, self.run.engine.gauge().function()],
            more: (system.calls - start.calls).saturating_sub(calls.len() as u64),
            calls,
        }))
    }
}
