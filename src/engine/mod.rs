//! Engines: what executes a module, in slices.

#[cfg(target_family = "wasm")]
mod browser;
#[cfg(all(feature = "wasmtime", not(target_family = "wasm")))]
mod compiled;
mod interpreter;
mod translated;
mod traps;
#[cfg(all(feature = "wasmtime", not(target_family = "wasm")))]
mod wasmtime;

use crate::meter::{Bounds, Gauge, Metered, Passed, Profiler, StateExports, Target};
use crate::task::ModuleKind;
use crate::wasi::{Exceeded, System};
#[cfg(target_family = "wasm")]
pub use browser::{Browser, back};
pub use interpreter::Interpreter;
use serde::Serialize;
pub use traps::Trap;

/// The engines that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// wasmi: the reference.
    Interpreter,
    /// The compiler of the browser that we run in.
    Browser,
    /// wasmtime, in native builds with the feature `wasmtime`.
    Wasmtime,
}

impl Kind {
    /// The compiler that a build like this one may have.
    pub const COMPILER: Self = match cfg!(target_family = "wasm") {
        true => Self::Browser,
        false => Self::Wasmtime,
    };

    /// Whether this build has it.
    pub fn is_there(self) -> bool {
        match self {
            Self::Interpreter => true,
            Self::Browser => cfg!(target_family = "wasm"),
            Self::Wasmtime => cfg!(all(feature = "wasmtime", not(target_family = "wasm"))),
        }
    }

    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "the interpreter",
            Self::Browser => "the browser's engine",
            Self::Wasmtime => "wasmtime",
        }
    }

    /// How modules are instrumented for it.
    pub const fn target(self) -> Target {
        match self {
            Self::Interpreter => Target::Interpreter,
            Self::Browser | Self::Wasmtime => Target::Compiler,
        }
    }

    /// Whether a run on it can wait for input and be paused.
    pub fn can_wait(self) -> bool {
        match self {
            Self::Interpreter => true,
            #[cfg(target_family = "wasm")]
            Self::Browser => browser::suspends(),
            #[cfg(not(target_family = "wasm"))]
            Self::Browser => false,
            Self::Wasmtime => self.is_there(),
        }
    }

    /// Instantiates an instrumented module on this engine, ready for its first slice.
    ///
    /// # Errors
    /// If this build does not have the engine, or the engine does not take the module.
    pub fn open(
        self,
        module: &Metered,
        kind: ModuleKind,
        system: System,
        bounds: Bounds,
    ) -> Result<Box<dyn Engine>, EngineError> {
        match self {
            Self::Interpreter => Ok(Box::new(Interpreter::new(module, kind, system, bounds)?)),
            #[cfg(target_family = "wasm")]
            Self::Browser => Ok(Box::new(Browser::new(module, kind, system, bounds)?)),
            #[cfg(not(target_family = "wasm"))]
            Self::Browser => Err(EngineError::NoBrowser),
            #[cfg(all(feature = "wasmtime", not(target_family = "wasm")))]
            Self::Wasmtime => Ok(Box::new(self::wasmtime::Wasmtime::new(
                module, kind, system, bounds,
            )?)),
            #[cfg(not(all(feature = "wasmtime", not(target_family = "wasm"))))]
            Self::Wasmtime => Err(EngineError::NoWasmtime),
        }
    }
}

/// What an engine did with its slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slice {
    /// The slice is used up, or the output should be taken; there is more to do.
    Yielded,
    /// The guest waits for standard input.
    Blocked,
    /// The guest runs once the caller has returned to the event loop; the next slice tells what
    /// came of it. Until then nothing else may be asked of the engine.
    Pending,
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
    /// This is no browser.
    #[error("a browser's engine is only there in a browser")]
    NoBrowser,
    /// This build has no wasmtime.
    #[error(
        "this build has no wasmtime; build it with `cargo install --path . --features wasmtime`"
    )]
    NoWasmtime,
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

/// What is called from within a slice: it may take output; more is not to be changed.
pub type Watch = Box<dyn FnMut(&mut System, &Gauge)>;

/// A guest's state between two of its operators, beside its stack: see [`crate::meter::StateExports`].
pub trait Guest {
    /// Its cells: mutable globals, and the sizes of its tables.
    ///
    /// # Errors
    /// If the engine fails.
    fn cells(&mut self) -> Result<Vec<u64>, String>;
    /// What shows its state.
    fn state(&self) -> &StateExports;
    /// Flips these bits of a cell with a global's number.
    ///
    /// # Errors
    /// If the engine fails.
    fn flip(&mut self, cell: u32, bits: u64) -> Result<(), String>;
    /// How many memories it has.
    fn memories(&self) -> usize;
    /// Bytes of a memory.
    fn memory_size(&self, memory: usize) -> u64;
    /// Shows a whole memory in pieces, in order, each but the last a multiple of 64 KiB long. A
    /// change that `each` makes to a piece is made to the memory if it returns `true`.
    fn visit(&mut self, memory: usize, each: &mut dyn FnMut(u64, &mut [u8]) -> bool);
    /// Shows its system.
    fn with_system(&mut self, look: &mut dyn FnMut(&System));
}

/// Looks at a guest from within its run.
pub trait Observer {
    /// Looks at it, after `steps`. Returns from how many steps on it wants to look again.
    ///
    /// # Errors
    /// Why it can't; that is a failure of this device, and no result.
    fn look(&mut self, guest: &mut dyn Guest, steps: u64) -> Result<u64, String>;
}

/// Drives one instance of an instrumented module in slices.
///
/// The contract: [`Engine::slice`] runs the guest until `steps` more steps are used, give or take
/// the code to the next check, or the guest waits for input, or it ended. Between slices the
/// [`System`] may be read, fed with input and drained of output. After [`Slice::Done`] a slice does
/// nothing more.
pub trait Engine {
    /// Whether its first slice only comes back at the end of the run.
    fn is_away(&self) -> bool {
        false
    }

    /// Has `watch` called with the system and the gauge from within a slice, at calls of the guest
    /// and where a slice would end, if this engine can't come back before the run is over.
    fn watch(&mut self, _watch: Watch) {}

    /// Has `observer` look at the guest, now and then whenever it wants to. The module must have been
    /// instrumented with its state shown.
    ///
    /// # Errors
    /// What the observer says.
    fn observe(&mut self, observer: Box<dyn Observer>) -> Result<(), String>;
    /// The guest's state, between two slices; `None` if the module does not show it, or the engine
    /// only shows it to an observer (wasmtime, where it lies on a stack of its own).
    fn guest(&mut self) -> Option<Box<dyn Guest + '_>>;
    /// Runs one slice.
    fn slice(&mut self, steps: u64) -> Slice;
    /// The guest's system.
    fn system(&self) -> &System;
    /// The guest's system.
    fn system_mut(&mut self) -> &mut System;
    /// Steps, peaks and limits. Exact once the guest is done, unless it trapped in a module that was
    /// not instrumented in every detail.
    fn gauge(&self) -> &Gauge;
    /// Which functions made the steps, in a module with a profile ([`crate::meter::profiled`]).
    fn profiler(&self) -> Option<&Profiler> {
        None
    }
    /// Where the guest was, in a module that was instrumented in every detail.
    fn place(&self) -> Option<Place>;
}
