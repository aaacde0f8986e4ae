//! What to run: a module, its arguments, environment, input and files, and the limits it runs under.

mod config;
pub mod folder;
mod limits;
mod module;
mod names;
mod profile;
mod recent;
mod source;
mod text;
mod trapsite;

use crate::fs::Filesystem;
use crate::wasi::Pushed;
pub use config::{Config, ConfigError, MAX_CONFIG};
pub use limits::{LimitError, LimitProblem, Limits, MAX_LIMIT, parse_limit};
pub use module::{Import, LoadError, MemoryPages, Module, ModuleInfo, ModuleKind};
pub(crate) use module::{Signature, Signatures, check_import, hex, to_binary};
pub use profile::{ClockMode, ProfileError, Random};
pub use source::{SourcePlace, Whereabouts};
pub use text::Position;

/// Standard input of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// These bytes, then the end of the file.
    Bytes(Vec<u8>),
    /// Whatever is pushed while it runs.
    Live {
        /// Whether the standard streams show as a terminal (`character_device`): a libc then
        /// flushes after each line, and an interpreter shows its prompt.
        terminal: bool,
    },
    /// What was pushed in another run, each at the same moment again.
    Script {
        /// As in [`Input::Live`].
        terminal: bool,
        /// What was pushed.
        pushed: Vec<Pushed>,
    },
}

impl Input {
    /// Whether the standard streams show as a terminal.
    pub fn terminal(&self) -> bool {
        match self {
            Self::Bytes(_) => false,
            Self::Live { terminal } | Self::Script { terminal, .. } => *terminal,
        }
    }
}

/// What a preopened directory, and all that is opened through it, may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everything.
    #[default]
    ReadWrite,
    /// Files may not be written, truncated, or linked or moved to where they may; names may come
    /// and go.
    ReadOnlyFiles,
    /// Nothing below may be changed.
    ReadOnly,
}

impl Access {
    /// Whether the content and times of files may be changed.
    pub fn writes_files(self) -> bool {
        self == Self::ReadWrite
    }

    /// Whether directories may be changed.
    pub fn changes_directories(self) -> bool {
        self != Self::ReadOnly
    }
}

/// A directory that the guest finds open when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preopen {
    /// The name that the guest sees.
    pub name: String,
    /// Its path from the root of the files.
    pub path: String,
    /// What it may be used for.
    #[serde(default)]
    pub access: Access,
}

impl Preopen {
    /// The directory at `path`, called `name`, for reading and writing.
    pub fn new(name: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            access: Access::ReadWrite,
        }
    }
}

/// A task: everything that its result depends on.
#[derive(Debug, Clone)]
pub struct Task {
    /// Arguments, the program's name first.
    pub args: Vec<Vec<u8>>,
    /// Environment, each `NAME=VALUE`.
    pub env: Vec<Vec<u8>>,
    /// Standard input.
    pub stdin: Input,
    /// The input files.
    pub files: Filesystem,
    /// Preopened directories, from descriptor 3 on.
    pub preopens: Vec<Preopen>,
    /// How time passes.
    pub clock: ClockMode,
    /// Where random bytes come from.
    pub random: Random,
    /// The limits.
    pub limits: Limits,
    /// Whether to digest all calls ([`crate::wasi::Trace`]). It changes nothing of the result.
    pub trace: bool,
    /// Whether to take checkpoints ([`crate::checkpoint`]). They change nothing of the result.
    pub checkpoints: bool,
}

impl Default for Task {
    /// No arguments, no environment, empty input, and an empty root directory preopened as `/`.
    fn default() -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Input::Bytes(Vec::new()),
            files: Filesystem::new(crate::wasi::EPOCH),
            preopens: vec![Preopen::new("/", "")],
            clock: ClockMode::default(),
            random: Random::default(),
            limits: Limits::default(),
            trace: false,
            checkpoints: false,
        }
    }
}
