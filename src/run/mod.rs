//! A run: a task on an engine, driven in slices, with live input, cancel and an outcome.

mod metrics;
mod outcome;

use crate::engine::{End, Engine, EngineError, Interpreter, Place, Slice};
use crate::fs::{Entry, Filesystem, FsError, changes};
use crate::meter::{Bounds, Detail, Options, Target};
use crate::task::{Input, LoadError, Module, Task};
use crate::wasi::{Chunk, EPOCH, Pushed, Setup, Stdin, System, Trace};
pub use metrics::*;
pub use outcome::Outcome;
use serde::Serialize;

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

/// A run of a task.
pub struct Run {
    module: Module,
    task: Task,
    engine: Box<dyn Engine>,
    /// The same run again after a trap, to learn its exact count and place.
    replay: Option<Box<dyn Engine>>,
    /// How it ended, once that is known but for count and place.
    end: Option<End>,
    outcome: Option<Outcome>,
}

/// The engine for a run, or for making it again with the input in `again`.
fn engine(
    module: &Module,
    task: &Task,
    again: Option<&[Pushed]>,
) -> Result<Box<dyn Engine>, StartError> {
    let limits = &task.limits;
    let system = System::new(Setup {
        args: task.args.clone(),
        env: task.env.clone(),
        stdin: match (&task.stdin, again) {
            (Input::Bytes(bytes), _) => Stdin::fixed(bytes),
            (Input::Script { pushed, .. }, _) => Stdin::replayed(pushed),
            (Input::Live { .. }, None) => Stdin::live(),
            (Input::Live { .. }, Some(log)) => Stdin::replayed(log),
        },
        terminal: task.stdin.terminal(),
        fs: task.files.clone(),
        preopens: task.preopens.clone(),
        clock: task.clock.into(),
        random: task.random,
        output_limit: limits.output_bytes,
        file_limit: limits.file_bytes,
        trace: task.trace && again.is_none(),
    })?;
    let detail = match again {
        None => Detail::Fast,
        Some(_) => Detail::Exact,
    };
    let metered = module.metered(interpreted(detail))?;
    let bounds = Bounds::new(limits.gas, limits.call, limits.frame, limits.memory_pages);
    let kind = module.info.kind;
    Ok(Box::new(Interpreter::new(&metered, kind, system, bounds)?))
}

/// How a module is instrumented for the interpreter.
fn interpreted(detail: Detail) -> Options {
    Options {
        detail,
        target: Target::Interpreter,
    }
}

impl Run {
    /// Prepares a run of `module` with `task`; nothing is executed yet.
    ///
    /// # Errors
    /// If the module can't be run within the task's limits.
    pub fn start(module: &Module, task: &Task) -> Result<Self, StartError> {
        let limit = task.limits.memory_pages.unwrap_or(Bounds::MOST_PAGES);
        let pages = module.metered(interpreted(Detail::Fast))?.memory_pages;
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
        Ok(Self {
            engine: engine(module, &task, None)?,
            module: module.clone(),
            task,
            replay: None,
            end: None,
            outcome: None,
        })
    }

    /// Runs about `steps` steps, or until the guest waits for input or ends.
    ///
    /// After a trap the task is run once more, without anyone noticing but for the time: fast
    /// metering counts in large steps, and a trap falls between them (see [`crate::meter`]).
    pub fn slice(&mut self, steps: u64) -> State {
        if self.outcome.is_some() {
            return State::Done;
        }
        if let Some(replay) = &mut self.replay {
            let slice = replay.slice(steps);
            // Its output and files are those that the first run made already.
            replay.system_mut().output.take();
            return match slice {
                Slice::Yielded => State::Running,
                // The log ends where the run did, so it can't wait for more; if it does, its place
                // in the run is lost, not the run.
                Slice::Blocked => self.finish(None),
                Slice::Done(end) => self.finish(Some(end)),
            };
        }
        match self.engine.slice(steps) {
            Slice::Yielded => State::Running,
            Slice::Blocked => State::Blocked,
            Slice::Done(end @ End::Trap { .. }) => {
                let log = self.engine.system().stdin.log().to_vec();
                self.end = Some(end);
                match engine(&self.module, &self.task, Some(&log)) {
                    Ok(replay) => {
                        self.replay = Some(replay);
                        State::Running
                    }
                    Err(error) => {
                        let message = format!("the run could not be made again: {error}");
                        self.finish(Some(End::Failed(message)))
                    }
                }
            }
            Slice::Done(end) => self.finish(Some(end)),
        }
    }

    fn finish(&mut self, end: Option<End>) -> State {
        let end = end.or(self.end.take()).unwrap_or(End::Exit(0));
        let place = self.replay.as_ref().and_then(|replay| replay.place());
        self.outcome = Some(outcome::describe(end, place, &self.module));
        State::Done
    }

    /// Whether the program has trapped, and is run once more to learn the exact count and place.
    /// Until that is known, [`Run::stats`] shows the last count before the trap that was exact.
    pub fn repeating(&self) -> bool {
        self.replay.is_some() && self.outcome.is_none()
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
        self.engine.system().stdin.log()
    }

    /// The digest of all calls so far, in hex, if the task asked for one.
    pub fn trace(&self) -> Option<String> {
        self.engine.system().trace.as_ref().map(Trace::hex)
    }

    /// Where it trapped, if it did.
    pub fn place(&self) -> Option<Place> {
        self.outcome.as_ref()?;
        self.replay.as_ref()?.place()
    }

    /// Adds bytes to live standard input.
    pub fn push_stdin(&mut self, bytes: &[u8]) {
        self.engine.system_mut().push_stdin(bytes);
    }

    /// Ends live standard input.
    pub fn close_stdin(&mut self) {
        self.engine.system_mut().close_stdin();
    }

    /// Takes the output since the last call, in the order in which it was written.
    pub fn take_output(&mut self) -> Vec<Chunk> {
        self.engine.system_mut().output.take()
    }

    /// Stops the run; its output and files stay.
    pub fn cancel(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        // How far the run was made again says nothing of how far it came.
        self.replay = None;
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
        let system = self.engine.system();
        let gauge = match (&self.replay, &self.outcome) {
            (Some(replay), Some(_)) => replay.gauge(),
            _ => self.engine.gauge(),
        };
        Stats {
            steps: gauge.steps(),
            peak_call_depth: gauge.peak_calls(),
            peak_frame_bytes: gauge.peak_frame(),
            memory_pages: gauge.pages(),
            peak_memory_pages: gauge.pages(),
            output_bytes: system.output.total(),
            file_bytes: system.fs.stored(),
        }
    }

    /// The files as they are now.
    pub fn files(&self) -> &Filesystem {
        &self.engine.system().fs
    }

    /// All entries of the files, those that the run removed included, with what changed.
    pub fn changes(&self) -> Vec<Entry> {
        changes(&self.task.files, self.files())
    }
}
