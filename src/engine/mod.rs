//! Engines: what executes a module, in slices.

mod interpreter;

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
    /// Its memory or tables would have grown past the limit.
    MemoryExceeded,
    /// It called deeper than the limit, or its stack is full.
    StackExceeded,
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

/// Drives one instance of a module in slices.
///
/// The contract: [`Engine::slice`] runs the guest until about `steps` units of work are done, the
/// guest waits for input, or it ended. Between slices the [`System`] may be read, fed with input
/// and drained of output. After [`Slice::Done`] a slice does nothing more.
pub trait Engine {
    /// Runs one slice. `steps` is in the engine's own unit of work, about one wasm operator.
    fn slice(&mut self, steps: u64) -> Slice;
    /// The guest's system.
    fn system(&self) -> &System;
    /// The guest's system.
    fn system_mut(&mut self) -> &mut System;
    /// Units of work done so far, about one for each wasm operator. Not part of any result.
    fn work(&self) -> u64;
    /// Current size of the first memory in 64 KiB pages.
    fn memory_pages(&self) -> u64;
}
