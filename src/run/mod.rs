//! A run: a task on an engine, driven in slices, with live input, cancel and an outcome.

mod attempt;
mod choice;
mod compare;
mod delivery;
mod metrics;
mod outcome;
mod watched;

use crate::checkpoint::{Checkpoints, Fault};
use crate::engine::{End, EngineError, Kind, Place};
use crate::fs::{Entry, Filesystem, FsError, changes};
use crate::meter::{Bounds, Detail};
use crate::task::{Input, LoadError, Module, Task, Whereabouts};
use crate::wasi::{Chunk, EPOCH, Pushed, Trace, Tracing};
pub(crate) use attempt::open;
use attempt::{Attempt, Plan};
pub use attempt::{Listener, Watched};
pub use choice::{Choice, Engines, HEAVY_BYTES, HEAVY_STEPS, STEPS_PER_BYTE};
use delivery::Delivery;
pub use metrics::*;
pub use outcome::Outcome;
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;
pub use watched::{CallEntry, Calls, ProfileNode};

/// Why a run could not start. Nothing of the module has run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The module asks for what it can't have.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The engine refuses it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A preopened directory is not there.
    #[error("a preopened directory is missing: {0}")]
    Preopen(#[from] FsError),
}

impl StartError {
    /// A short name that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Load(error) => error.code(),
            Self::Engine(_) => "refused",
            Self::Preopen(_) => "no-preopen",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Load(error) => error.hint(),
            Self::Engine(_) => {
                "Build it again; if it uses a new WebAssembly feature, build without that feature."
            }
            Self::Preopen(_) => "Give a directory that exists.",
        }
    }
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is more to run.
    Running,
    /// It waits for standard input: push some or close it.
    Blocked,
    /// It runs once the caller has returned to the browser's event loop; the next slice tells what
    /// came of it. Until then nothing else may be asked of the run.
    #[cfg(target_family = "wasm")]
    Pending,
    /// It ended; there is an outcome.
    Done,
}

/// Figures of a run so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Steps, as `docs/profile.md` defines them. The same on every engine once the run is done.
    pub steps: u64,
    /// The most nested calls so far.
    pub peak_call_depth: u64,
    /// The most bytes of the guest's value stack so far.
    pub peak_frame_bytes: u64,
    /// Memory in 64 KiB pages, all memories together.
    pub memory_pages: u64,
    /// The most memory so far; linear memory never shrinks, so this is [`Stats::memory_pages`].
    pub peak_memory_pages: u64,
    /// Bytes written to standard output and error.
    pub output_bytes: u64,
    /// Bytes stored in files.
    pub file_bytes: u64,
}

/// How a run is driven. None of it is part of the result.
#[derive(Clone, Default)]
pub struct Driving {
    /// Which engine.
    pub engine: Choice,
    /// Who hears of it where it can't come back between slices.
    pub listener: Option<Rc<dyn Listener>>,
    /// A fault to make on purpose: the result is wrong then.
    pub fault: Option<Fault>,
    /// What is noted beside the result.
    pub watched: Watched,
}

/// A run of a task.
pub struct Run {
    module: Module,
    task: Task,
    driving: Driving,
    attempt: Attempt,
    /// The run that is the result, while `attempt` is made to be compared with it.
    reference: Option<Attempt>,
    instead: Option<String>,
    compared: bool,
    outcome: Option<Outcome>,
}

const WAITS: &str = "the browser's engine can't wait for live input";

impl Run {
    /// Prepares a run of `module` with `task` on the interpreter; nothing is executed yet.
    ///
    /// # Errors
    /// If the module can't be run within the task's limits.
    pub fn start(module: &Module, task: &Task) -> Result<Self, StartError> {
        Self::start_with(module, task, Driving::default())
    }

    /// Prepares a run as [`Run::start`] does, on the engine that is asked for if that takes it, and
    /// on the interpreter otherwise ([`Run::engines`] tells).
    ///
    /// # Errors
    /// If the module can't be run within the task's limits.
    pub fn start_with(
        module: &Module,
        task: &Task,
        mut driving: Driving,
    ) -> Result<Self, StartError> {
        if driving.watched.profile {
            driving.engine = Choice::Interpreter;
        }
        let limit = task.limits.memory_pages.unwrap_or(Bounds::MOST_PAGES);
        let choice = driving.engine;
        let mut kind = choice.begins_with(module, task);
        let mut instead = None;
        let waits = matches!(task.stdin, Input::Live { .. });
        if kind == Kind::Browser && waits && !kind.can_wait() {
            instead = Some(WAITS.to_owned());
            kind = Kind::Interpreter;
        }
        // The same as will run, so that it is made once.
        let state = task.checkpoints || driving.fault.is_some();
        let pages = module
            .metered(attempt::options(kind, Detail::Fast, state))?
            .memory_pages;
        if pages > limit {
            return Err(LoadError::MemoryTooBig {
                name: module.info.name.clone(),
                pages,
                limit,
            }
            .into());
        }
        let mut task = task.clone();
        task.files = task.files.canonical(EPOCH);
        let delivery = match choice {
            Choice::Interpreter => Delivery::default(),
            _ => Delivery::with_digests(),
        };
        let delivery = Rc::new(RefCell::new(delivery));
        let begin = |kind| {
            let plan = Self::plan(&driving, &task, kind);
            Attempt::start(module, &task, &plan, Rc::clone(&delivery))
        };
        let attempt = match begin(kind) {
            Err(StartError::Engine(error)) if kind != Kind::Interpreter => {
                instead = Some(error.to_string());
                begin(Kind::Interpreter)?
            }
            begun => begun?,
        };
        Ok(Self {
            attempt,
            module: module.clone(),
            task,
            driving,
            reference: None,
            instead,
            compared: false,
            outcome: None,
        })
    }

    fn plan(driving: &Driving, task: &Task, kind: Kind) -> Plan {
        Plan {
            kind,
            tracing: match (driving.engine, task.trace) {
                (Choice::Both, _) => Tracing::Calls,
                (_, true) => Tracing::Digest,
                (_, false) => Tracing::Off,
            },
            input: None,
            listener: driving.listener.clone(),
            fault: driving.fault.clone(),
            watched: driving.watched,
        }
    }

    /// Runs about `steps` steps, or until the guest waits for input or ends. On the browser's engine
    /// it runs until it ends.
    pub fn slice(&mut self, steps: u64) -> State {
        if self.outcome.is_some() {
            return State::Done;
        }
        let state = self.attempt.slice(steps, &self.module, &self.task);
        if self.attempt.is_pending() {
            return state;
        }
        if self.reference.is_some() {
            // The output is the reference's; this one's is only compared.
            self.attempt.take_output();
        }
        match state {
            State::Done => self.ended(),
            State::Running if self.is_slow() => self.speed_up(),
            state => state,
        }
    }

    /// Whether a run that was to begin on the interpreter has turned out to be heavy.
    fn is_slow(&self) -> bool {
        self.driving.engine == Choice::Auto
            && self.attempt.kind == Kind::Interpreter
            && self.instead.is_none()
            && Kind::COMPILER.can_wait()
            && self.attempt.stats().steps >= Choice::heavy_steps(&self.module)
    }

    /// Makes the run again on the compiler: it is soon where the interpreter is.
    fn speed_up(&mut self) -> State {
        if let Err(error) = self.restart(Kind::COMPILER) {
            // The interpreter goes on.
            self.instead = Some(error.to_string());
        }
        State::Running
    }

    /// Makes the run again on another engine, with what was told to it so far. Nothing that was
    /// delivered is delivered again.
    fn restart(&mut self, kind: Kind) -> Result<(), StartError> {
        let plan = Plan {
            input: Some(self.attempt.system().stdin.log().to_vec()),
            ..Self::plan(&self.driving, &self.task, kind)
        };
        let delivery = Rc::clone(&self.attempt.delivery);
        let next = Attempt::start(&self.module, &self.task, &plan, Rc::clone(&delivery))?;
        delivery.borrow_mut().again();
        let ready = self.attempt.take_settled();
        self.attempt = next;
        self.attempt.put_settled(ready);
        Ok(())
    }

    /// What comes after the end of an attempt.
    fn ended(&mut self) -> State {
        let end = self.attempt.end().cloned().unwrap_or(End::Exit(0));
        if let Some(reference) = self.reference.take() {
            return self.check(reference, end);
        }
        match (self.attempt.kind, end) {
            (Kind::Interpreter, end @ End::Failed(_)) => self.finish(end),
            (_, End::Failed(reason)) => self.fall_back(reason),
            (Kind::Interpreter, end) if self.driving.engine == Choice::Both => {
                self.start_check(end)
            }
            (_, end) => self.finish(end),
        }
    }

    /// Makes the run again on the interpreter.
    fn fall_back(&mut self, reason: String) -> State {
        self.instead = Some(reason);
        let failed = self.attempt.kind.name();
        match self.restart(Kind::Interpreter) {
            Ok(()) => State::Running,
            Err(error) => self.finish(End::Failed(format!(
                "the interpreter did not start after {failed} failed: {error}"
            ))),
        }
    }

    /// Makes the run again on the other engine, to compare.
    fn start_check(&mut self, end: End) -> State {
        let log = self.attempt.system().stdin.log().to_vec();
        let plan = Plan {
            input: Some(log),
            listener: None,
            watched: Watched::default(),
            ..Self::plan(&self.driving, &self.task, Kind::COMPILER)
        };
        let delivery = Rc::new(RefCell::new(Delivery::with_digests()));
        match Attempt::start(&self.module, &self.task, &plan, delivery) {
            Ok(other) => {
                // All of the reference's output is to be in its digests.
                self.attempt.settle();
                self.reference = Some(std::mem::replace(&mut self.attempt, other));
                State::Running
            }
            Err(error) => {
                self.instead = Some(error.to_string());
                self.finish(end)
            }
        }
    }

    /// Compares, and makes the reference the result.
    fn check(&mut self, reference: Attempt, end: End) -> State {
        let other = std::mem::replace(&mut self.attempt, reference);
        let result = self.attempt.end().cloned().unwrap_or(End::Exit(0));
        if let End::Failed(reason) = end {
            self.instead = Some(reason);
            return self.finish(result);
        }
        match compare::difference(&self.attempt, &other) {
            None => {
                self.compared = true;
                self.finish(result)
            }
            Some(what) => self.finish(End::Failed(format!(
                "the interpreter (here) and {} (there) differ: {what}",
                other.kind.name()
            ))),
        }
    }

    fn finish(&mut self, end: End) -> State {
        let failed = matches!(end, End::Failed(_));
        self.attempt.settle();
        let end = match self.attempt.delivery.borrow().is_untrue() && !failed {
            true => End::Failed(
                "made again on another engine, it wrote other output than before".to_owned(),
            ),
            false => end,
        };
        self.outcome = Some(outcome::describe(end, self.attempt.place(), &self.module));
        State::Done
    }

    /// Whether the program has trapped, and is run once more to learn the exact count and place.
    /// Until that is known, [`Run::stats`] shows the last count before the trap that was exact.
    pub fn repeating(&self) -> bool {
        self.attempt.is_repeating() && self.outcome.is_none()
    }

    /// Which engines ran it.
    pub fn engines(&self) -> Engines {
        Engines {
            ran: self.shown().kind,
            instead: self.instead.clone(),
            compared: self.compared,
        }
    }

    /// Whether it runs on an engine that only comes back at the end: it can't be paused then.
    pub fn is_away(&self) -> bool {
        self.attempt.is_away()
    }

    /// The attempt that the result is from.
    fn shown(&self) -> &Attempt {
        self.reference.as_ref().unwrap_or(&self.attempt)
    }

    fn shown_mut(&mut self) -> &mut Attempt {
        self.reference.as_mut().unwrap_or(&mut self.attempt)
    }

    /// The module that it runs.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The task that it runs, with its files in their canonical order
    /// ([`Filesystem::canonical`]).
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// What was pushed to live standard input so far.
    pub fn pushed(&self) -> &[Pushed] {
        self.shown().system().stdin.log()
    }

    /// The digest of all calls so far, in hex, if the task asked for one.
    pub fn trace(&self) -> Option<String> {
        self.shown().system().trace.as_ref().map(Trace::hex)
    }

    /// The checkpoints so far, if the task asked for them.
    pub fn checkpoints(&self) -> Option<Checkpoints> {
        self.shown().checkpoints()
    }

    /// The fault that is made on purpose, if one is.
    pub fn fault(&self) -> Option<Fault> {
        self.shown().fault()
    }

    /// Where it trapped, if it did.
    pub fn place(&self) -> Option<Place> {
        self.outcome.as_ref()?;
        self.shown().place()
    }

    /// Where it was when it trapped or passed a limit that metering enforces, with the source's place
    /// if the module tells.
    pub fn whereabouts(&self) -> Option<Whereabouts> {
        self.outcome.as_ref()?;
        let (function, offset) = match (self.place(), self.shown().end()?) {
            (Some(place), End::Trap { kind, .. }) => {
                let site = self.module.trap_site(place.offset, kind);
                (place.function, Some(site))
            }
            (_, End::Passed(passed)) => (passed.function?, None),
            _ => return None,
        };
        Some(Whereabouts {
            function,
            name: self.module.function_name(function),
            offset,
            source: offset.and_then(|offset| self.module.source_place(offset)),
        })
    }

    /// Adds bytes to live standard input.
    pub fn push_stdin(&mut self, bytes: &[u8]) {
        self.shown_mut().system_mut().push_stdin(bytes);
    }

    /// Ends live standard input.
    pub fn close_stdin(&mut self) {
        self.shown_mut().system_mut().close_stdin();
    }

    /// Takes the output since the last call, in the order in which it was written.
    pub fn take_output(&mut self) -> Vec<Chunk> {
        self.shown_mut().take_output()
    }

    /// Stops the run; its output and files stay.
    pub fn cancel(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        self.outcome = Some(Outcome::Cancelled {
            message: "it was cancelled; its output and files so far are kept".to_owned(),
        });
    }

    /// How it ended, if it did.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        self.shown().stats()
    }

    /// The files as they are now.
    pub fn files(&self) -> &Filesystem {
        &self.shown().system().fs
    }

    /// All entries of the files, those that the run removed included, with what changed.
    pub fn changes(&self) -> Vec<Entry> {
        changes(&self.task.files, self.files())
    }
}
