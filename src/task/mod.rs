//! What to run: a module, its arguments, environment, input and files, and the limits it runs under.

mod config;
pub mod folder;
mod limits;
mod module;
mod profile;

use crate::fs::Filesystem;
pub use config::{Config, ConfigError, MAX_CONFIG};
pub use limits::{LimitError, LimitProblem, Limits, MAX_LIMIT, parse_limit};
pub use module::{Import, LoadError, MemoryPages, Module, ModuleInfo, ModuleKind};
pub(crate) use module::{Signature, Signatures, check_import, hex, to_binary};
pub use profile::{ClockMode, ProfileError, Random};

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
    /// Preopened directories, from descriptor 3 on: the name that the guest sees, and the path.
    pub preopens: Vec<(String, String)>,
    /// How time passes.
    pub clock: ClockMode,
    /// Where random bytes come from.
    pub random: Random,
    /// The limits.
    pub limits: Limits,
}

impl Default for Task {
    /// No arguments, no environment, empty input, and an empty root directory preopened as `/`.
    fn default() -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Input::Bytes(Vec::new()),
            files: Filesystem::new(crate::wasi::EPOCH),
            preopens: vec![("/".to_owned(), String::new())],
            clock: ClockMode::default(),
            random: Random::default(),
            limits: Limits::default(),
        }
    }
}
