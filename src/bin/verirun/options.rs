//! The options that `run` and `run-task` share: limits, and the deterministic profile's choices.

use clap::Args;
use std::path::{Path, PathBuf};
use verirun::task::{Config, ConfigError, LimitError, ProfileError, parse_limit};
use verirun::{Limits, Random, Task};

/// Limits. They are text here, so that a bad one gets the message that it gets everywhere.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// The most steps.
    #[arg(long, value_name = "STEPS", allow_hyphen_values = true)]
    gas: Option<String>,
    /// The most nested calls.
    #[arg(long, value_name = "CALLS", allow_hyphen_values = true)]
    call: Option<String>,
    /// The most bytes of the program's value stack.
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    frame: Option<String>,
    /// The most 64 KiB pages of memory.
    #[arg(
        long,
        alias = "max-memory",
        value_name = "PAGES",
        allow_hyphen_values = true
    )]
    memory: Option<String>,
    /// The most bytes written to standard output and standard error.
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    max_output: Option<String>,
    /// The most bytes stored in files.
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    max_files: Option<String>,
    /// Take limits from this file, in the shape of Truebit's config.json. Limits given as options
    /// come first.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The deterministic profile.
#[derive(Args)]
#[command(next_help_heading = "Deterministic profile")]
pub struct ProfileOptions {
    /// How time passes: `fixed`, or `virtual` (1 ns a step; a sleep moves the clock).
    #[arg(long, value_name = "CLOCK", default_value = "fixed")]
    clock: String,
    /// Where random bytes come from: `seeded`, or `truebit-v1` (all are 42).
    #[arg(long, value_name = "SOURCE")]
    random: Option<String>,
    /// The seed of random bytes: a hexadecimal number of up to 64 digits [default: 0].
    #[arg(long, value_name = "HEX", allow_hyphen_values = true)]
    seed: Option<String>,
}

/// An option that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// A bad limit.
    #[error("{0}\n{hint}", hint = .0.hint())]
    Limit(#[from] LimitError),
    /// A bad choice of the profile.
    #[error("{0}\n{hint}", hint = .0.hint())]
    Profile(#[from] ProfileError),
    /// A bad configuration.
    #[error("{}: {cause}\n{hint}", .path.display(), hint = .cause.hint())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: ConfigError,
    },
    /// The configuration can't be read.
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl LimitOptions {
    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        let given = [
            &self.gas,
            &self.call,
            &self.frame,
            &self.memory,
            &self.max_output,
            &self.max_files,
        ];
        given.iter().all(|limit| limit.is_none()) && self.config.is_none()
    }

    /// The limits, those of the configuration file included.
    pub fn read(&self) -> Result<Limits, OptionError> {
        let limit = |name: &str, text: &Option<String>| match text {
            Some(text) => parse_limit(name, text).map(Some),
            None => Ok(None),
        };
        let given = Limits {
            gas: limit("--gas", &self.gas)?,
            call: limit("--call", &self.call)?,
            frame: limit("--frame", &self.frame)?,
            memory_pages: limit("--memory", &self.memory)?,
            output_bytes: limit("--max-output", &self.max_output)?,
            file_bytes: limit("--max-files", &self.max_files)?,
        };
        match &self.config {
            Some(path) => Ok(given.or(read_config(path)?.limits)),
            None => Ok(given),
        }
    }
}

fn read_config(path: &Path) -> Result<Config, OptionError> {
    let bytes = std::fs::read(path).map_err(|cause| OptionError::Read {
        path: path.to_owned(),
        cause,
    })?;
    let config = Config::parse(&bytes).map_err(|cause| OptionError::Config {
        path: path.to_owned(),
        cause,
    })?;
    for warning in &config.warnings {
        eprintln!("verirun: {}: warning: {warning}", path.display());
    }
    Ok(config)
}

impl ProfileOptions {
    /// Whether nothing is chosen.
    pub fn is_default(&self) -> bool {
        self.clock == "fixed" && self.random.is_none() && self.seed.is_none()
    }

    /// Puts the choices into a task.
    pub fn apply(&self, task: &mut Task) -> Result<(), OptionError> {
        task.clock = self.clock.parse()?;
        task.random = Random::choose(self.random.as_deref(), self.seed.as_deref())?;
        Ok(())
    }
}
