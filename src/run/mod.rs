//! A run: a task on an engine, driven in slices, with live input, cancel and an outcome.

use crate::engine::{End, Engine, EngineError, Interpreter, Slice};
use crate::fs::{Entry, Filesystem, FsError, changes};
use crate::task::{Input, LoadError, Module, Task};
use crate::wasi::{Chunk, Clock, Exceeded, Setup, Stdin, System};
use serde::Serialize;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It ended by itself.
    Exit {
        /// The exit code; 0 is success.
        code: u32,
    },
    /// It did what WebAssembly does not allow.
    Trap {
        /// A short name that does not change.
        trap: String,
        /// What happened.
        message: String,
    },
    /// Calls were nested too deeply.
    CallDepthExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// Memory would have grown past the limit.
    MemoryExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// It wrote more output than allowed.
    OutputLimitExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// Its files would have grown past the limit.
    FileLimitExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// The user stopped it.
    Cancelled {
        /// What happened.
        message: String,
    },
}

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
    /// Work done, about one unit for each wasm operator. It depends on the engine and its version.
    pub steps: u64,
    /// Memory in 64 KiB pages; linear memory never shrinks, so this is the peak too.
    pub memory_pages: u64,
    /// The most memory so far, in 64 KiB pages.
    pub peak_memory_pages: u64,
    /// Bytes written to standard output and error.
    pub output_bytes: u64,
    /// Bytes stored in files.
    pub file_bytes: u64,
}

/// A run of a task.
pub struct Run {
    engine: Box<dyn Engine>,
    inputs: Filesystem,
    outcome: Option<Outcome>,
}

impl Run {
    /// Prepares a run of `module` with `task`; nothing is executed yet.
    ///
    /// # Errors
    /// If the module can't be run within the task's limits.
    pub fn start(module: &Module, task: &Task) -> Result<Self, StartError> {
        if let (Some(memory), Some(limit)) = (module.info.memory_pages, task.limits.memory_pages)
            && memory.min > limit
        {
            return Err(LoadError::MemoryTooBig {
                name: module.info.name.clone(),
                pages: memory.min,
                limit,
            }
            .into());
        }
        let system = System::new(Setup {
            args: task.args.clone(),
            env: task.env.clone(),
            stdin: match &task.stdin {
                Input::Bytes(bytes) => Stdin::fixed(bytes),
                Input::Live { .. } => Stdin::live(),
            },
            terminal: task.stdin == Input::Live { terminal: true },
            fs: task.files.clone(),
            preopens: task.preopens.clone(),
            clock: Clock::fixed(),
            random: task.random,
            output_limit: task.limits.output_bytes,
            file_limit: task.limits.file_bytes,
        })?;
        Ok(Self {
            engine: Box::new(Interpreter::new(module, system, &task.limits)?),
            inputs: task.files.clone(),
            outcome: None,
        })
    }

    /// Runs about `steps` units of work, or until the guest waits for input or ends.
    pub fn slice(&mut self, steps: u64) -> State {
        if self.outcome.is_some() {
            return State::Done;
        }
        match self.engine.slice(steps) {
            Slice::Yielded => State::Running,
            Slice::Blocked => State::Blocked,
            Slice::Done(end) => {
                self.outcome = Some(outcome_of(end));
                State::Done
            }
        }
    }

    /// Adds bytes to live standard input.
    pub fn push_stdin(&mut self, bytes: &[u8]) {
        self.engine.system_mut().stdin.push(bytes);
    }

    /// Ends live standard input.
    pub fn close_stdin(&mut self) {
        self.engine.system_mut().stdin.close();
    }

    /// Takes the output since the last call, in the order in which it was written.
    pub fn take_output(&mut self) -> Vec<Chunk> {
        self.engine.system_mut().output.take()
    }

    /// Stops the run; its output and files stay.
    pub fn cancel(&mut self) {
        self.outcome.get_or_insert(Outcome::Cancelled {
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
        let pages = self.engine.memory_pages();
        Stats {
            steps: self.engine.work(),
            memory_pages: pages,
            peak_memory_pages: pages,
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
        changes(&self.inputs, self.files())
    }
}

fn outcome_of(end: End) -> Outcome {
    match end {
        End::Exit(code) => Outcome::Exit { code },
        End::Trap { kind, message } => Outcome::Trap {
            trap: kind.to_owned(),
            message,
        },
        End::Exceeded(Exceeded::Output) => Outcome::OutputLimitExceeded {
            message:
                "it wrote more output than allowed; raise the output limit to let it write more"
                    .to_owned(),
        },
        End::Exceeded(Exceeded::Files) => Outcome::FileLimitExceeded {
            message: "its files would hold more bytes than allowed; raise the file limit"
                .to_owned(),
        },
        End::MemoryExceeded => Outcome::MemoryExceeded {
            message: "there was no more memory to be had; raise the memory limit or use less"
                .to_owned(),
        },
        End::StackExceeded => Outcome::CallDepthExceeded {
            message: "calls were nested too deeply (endless recursion, often)".to_owned(),
        },
    }
}
