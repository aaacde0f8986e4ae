//! Engines: what executes a module, in slices.

mod interpreter;

use crate::meter::{Gauge, Passed};
use crate::wasi::{Exceeded, System};
pub use interpreter::Interpreter;

/// What an engine did with its slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slice {
    /// The slice is used up, or the output should be taken; there is more to do.
    Yielded,
    /// The guest waits for standard input.
    Blocked,
    /// The guest is done.
    Done(End),
}

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It returned from its start function, or called `proc_exit`.
    Exit(u32),
    /// It trapped.
    Trap {
        /// A short name that does not change, such as `unreachable`.
        kind: &'static str,
        /// What happened, for people.
        message: String,
    },
    /// It passed a limit of the system.
    Exceeded(Exceeded),
    /// It passed a limit that metering enforces.
    Passed(Passed),
    /// The engine failed in a way of its own (no memory, say). That is no result of the task.
    Failed(String),
}

/// Why an engine could not start a module.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine refuses the module.
    #[error("the engine can't run this module: {0}")]
    Refused(String),
    /// Instantiation failed before any of its code ran: a segment out of bounds, say.
    #[error("the module could not be instantiated: {0}")]
    Instantiate(String),
}

/// Where a guest was when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The function's index in the original module.
    pub function: u32,
    /// The byte offset in the original module where the basic block starts.
    pub offset: u32,
}

/// Drives one instance of an instrumented module in slices.
///
/// The contract: [`Engine::slice`] runs the guest until `steps` more steps are used, give or take
/// the code to the next check, or the guest waits for input, or it ended. Between slices the
/// [`System`] may be read, fed with input and drained of output. After [`Slice::Done`] a slice does
/// nothing more.
pub trait Engine {
    /// Runs one slice.
    fn slice(&mut self, steps: u64) -> Slice;
    /// The guest's system.
    fn system(&self) -> &System;
    /// The guest's system.
    fn system_mut(&mut self) -> &mut System;
    /// Steps, peaks and limits. Exact once the guest is done, unless it trapped in a module that was
    /// not instrumented in every detail.
    fn gauge(&self) -> &Gauge;
    /// Where the guest was, in a module that was instrumented in every detail.
    fn place(&self) -> Option<Place>;
}
