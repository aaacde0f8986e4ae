//! What a receipt holds, and how it is made from a run. `docs/receipt.md` is the definition.

use super::checkpoints::CheckpointRoot;
use super::digest::{self, Digest, Streams};
use super::given::Given;
use super::tree;
use crate::fs::{Change, Filesystem, Kind};
use crate::meter::{Bounds, PROFILE_VERSION};
use crate::task::{ClockMode, Input, MAX_LIMIT, Preopen, Random, Task};
use crate::wasi::Pushed;
use crate::{Limits, Module, Outcome, Run};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The version of the format.
pub const FORMAT_VERSION: u64 = 1;

/// A whole number of up to 2^63 - 1; in JSON a string of decimal digits, since JSON numbers are not
/// exact everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(pub u64);

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        match text.parse() {
            Ok(number) if plain && number <= MAX_LIMIT => Ok(Self(number)),
            _ => Err(de::Error::custom(format_args!(
                "`{}` is no whole number from 0 to 9223372036854775807 in plain decimal digits",
                super::shown(&text)
            ))),
        }
    }
}

/// What was run and what came of it. Its digest is the receipt's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The format's version.
    pub version: u64,
    /// What was run.
    pub task: TaskPart,
    /// What came of it.
    pub result: ResultPart,
    /// The state on the way, if the run took checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<CheckpointRoot>,
}

/// Everything that a result depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskPart {
    /// The binary.
    pub module: Blob,
    /// The deterministic profile.
    pub profile: Profile,
    /// The arguments, the program's name first.
    pub args: List,
    /// The environment.
    pub env: List,
    /// Standard input.
    pub stdin: Stdin,
    /// The input files.
    pub files: FileRoot,
    /// The preopened directories.
    pub preopens: Vec<Preopen>,
    /// The limits, those that hold by default too.
    pub limits: LimitPart,
}

/// Bytes, by size and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// How many.
    pub size: Quantity,
    /// Their digest.
    pub sha256: Digest,
}

/// The deterministic profile and a task's choices in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// [`PROFILE_VERSION`].
    pub version: u32,
    /// How time passes.
    pub clock: Clock,
    /// Where random bytes come from.
    pub random: RandomSource,
    /// The seed, if the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Digest>,
}

/// How time passes: [`ClockMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// It stands still.
    Fixed,
    /// It moves with the steps.
    Virtual,
}

/// Where random bytes come from: [`Random`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RandomSource {
    /// ChaCha20 under a seed.
    Seeded,
    /// All 42.
    TruebitV1,
}

/// A list of byte strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// How many.
    pub count: Quantity,
    /// [`digest::of_list`].
    pub sha256: Digest,
}

impl List {
    /// The digest of `items`.
    pub fn of(items: &[Vec<u8>]) -> Self {
        Self {
            count: Quantity(items.len() as u64),
            sha256: digest::of_list(items),
        }
    }
}

/// Standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stdin {
    /// Whether it was there from the start.
    pub kind: StdinKind,
    /// Bytes, of input that was there from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// Events, of live input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Quantity>,
    /// Whether live input came from a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<bool>,
    /// The digest of the bytes, or of the events ([`digest::of_pushed`]).
    pub sha256: Digest,
}

/// Whether standard input was there from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StdinKind {
    /// It was.
    Bytes,
    /// It was given while the program ran.
    Live,
}

impl Stdin {
    /// Of bytes that are there from the start.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self {
            kind: StdinKind::Bytes,
            size: Some(Quantity(bytes.len() as u64)),
            events: None,
            terminal: None,
            sha256: Digest::of(bytes),
        }
    }

    /// Of what was pushed while the program ran.
    pub fn live(terminal: bool, log: &[Pushed]) -> Self {
        let events = digest::joined(log);
        Self {
            kind: StdinKind::Live,
            size: None,
            events: Some(Quantity(events.len() as u64)),
            terminal: Some(terminal),
            sha256: digest::of_pushed(&events),
        }
    }
}

/// The input files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRoot {
    /// Paths.
    pub count: Quantity,
    /// [`tree::root_of`].
    pub root: Digest,
}

/// The limits that hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitPart {
    /// Steps.
    pub gas: Quantity,
    /// Nested calls.
    pub call: Quantity,
    /// Bytes of the value stack.
    pub frame: Quantity,
    /// 64 KiB pages of all memories together.
    pub memory: Quantity,
    /// Bytes of standard output and error together.
    pub output: Quantity,
    /// Bytes stored in files.
    pub files: Quantity,
}

impl From<&Limits> for LimitPart {
    fn from(limits: &Limits) -> Self {
        let bounds = Bounds::new(limits.gas, limits.call, limits.frame, limits.memory_pages);
        // No run can reach 2^63 - 1 bytes, so that is the same as no limit.
        let bytes = |limit: Option<u64>| Quantity(limit.unwrap_or(MAX_LIMIT).min(MAX_LIMIT));
        Self {
            gas: Quantity(bounds.gas),
            call: Quantity(bounds.call),
            frame: Quantity(bounds.frame),
            memory: Quantity(bounds.memory_pages),
            output: bytes(limits.output_bytes),
            files: bytes(limits.file_bytes),
        }
    }
}

impl From<&LimitPart> for Limits {
    fn from(part: &LimitPart) -> Self {
        Self {
            gas: Some(part.gas.0),
            call: Some(part.call.0),
            frame: Some(part.frame.0),
            memory_pages: Some(part.memory.0),
            output_bytes: Some(part.output.0),
            file_bytes: Some(part.files.0),
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResultPart {
    /// How it ended.
    pub outcome: OutcomePart,
    /// Standard output.
    pub stdout: Blob,
    /// Standard error.
    pub stderr: Blob,
    /// What the run changed of the files, sorted by path.
    pub files: Vec<FileChange>,
    /// Steps.
    pub steps: Quantity,
    /// The most 64 KiB pages of memory.
    pub peak_memory_pages: Quantity,
    /// The most nested calls.
    pub peak_call_depth: Quantity,
    /// The most bytes of the value stack.
    pub peak_frame_bytes: Quantity,
}

/// How a run ended, without prose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomePart {
    /// How.
    pub kind: OutcomeKind,
    /// The exit code of `exit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The kind of `trap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trap: Option<String>,
}

/// How a run can end that has a receipt: [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of `Outcome`")]
pub enum OutcomeKind {
    Exit,
    Trap,
    OutOfGas,
    CallDepthExceeded,
    FrameExceeded,
    MemoryExceeded,
    OutputLimitExceeded,
    FileLimitExceeded,
}

impl OutcomePart {
    fn of(outcome: Option<&Outcome>) -> Result<Self, NoReceipt> {
        use OutcomeKind as K;
        let outcome = outcome.ok_or(NoReceipt::NotDone)?;
        let (mut code, mut trap) = (None, None);
        let kind = match outcome {
            Outcome::Exit { code: exit } => {
                code = Some(*exit);
                K::Exit
            }
            Outcome::Trap { trap: kind, .. } => {
                trap = Some(kind.clone());
                K::Trap
            }
            Outcome::OutOfGas { .. } => K::OutOfGas,
            Outcome::CallDepthExceeded { .. } => K::CallDepthExceeded,
            Outcome::FrameExceeded { .. } => K::FrameExceeded,
            Outcome::MemoryExceeded { .. } => K::MemoryExceeded,
            Outcome::OutputLimitExceeded { .. } => K::OutputLimitExceeded,
            Outcome::FileLimitExceeded { .. } => K::FileLimitExceeded,
            Outcome::Cancelled { .. } => return Err(NoReceipt::Cancelled),
            Outcome::Failed { message } => return Err(NoReceipt::Failed(message.clone())),
        };
        Ok(Self { kind, code, trap })
    }
}

impl std::fmt::Display for OutcomePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = serde_json::to_value(self.kind).unwrap_or_default();
        f.write_str(kind.as_str().unwrap_or_default())?;
        match (self.code, &self.trap) {
            (Some(code), _) => write!(f, " {code}"),
            (None, Some(trap)) => write!(f, " {trap}"),
            (None, None) => Ok(()),
        }
    }
}

/// A path that the run changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// From the root, without a leading slash.
    pub path: String,
    /// How: added, modified or removed.
    pub change: Change,
    /// What it is, or was before it was removed.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Bytes of a file that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// The digest of a file that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Where a symbolic link that is there points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Why a run has no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReceipt {
    /// It has not ended.
    #[error("the run has not ended, so there is no result to put into a receipt")]
    NotDone,
    /// When someone cancels is nothing that a second run could repeat.
    #[error("the run was cancelled, and no second run could be stopped at the same moment")]
    Cancelled,
    /// That is no result of the task.
    #[error(
        "this device failed to run the task, which says nothing of its result; run it elsewhere ({0})"
    )]
    Failed(String),
    /// The caller did not digest all output.
    #[error(
        "{taken} of {written} bytes of output were digested; this is a mistake in Verirun, please report it"
    )]
    OutputMissed {
        /// Bytes digested.
        taken: u64,
        /// Bytes written.
        written: u64,
    },
    /// Files too large to be digested.
    #[error(
        "the files are too large for a receipt: with `{path}` ({size} bytes) they pass {} bytes; set a smaller file, or leave the receipt out",
        tree::MAX_HASHED
    )]
    TooBig {
        /// The file with which they are.
        path: String,
        /// Its size in bytes, holes included.
        size: u64,
    },
}

/// Canonical JSON (RFC 8785).
pub(super) fn canonical(value: &impl Serialize) -> Vec<u8> {
    // It fails for floats that are no numbers and for keys that are no strings; there are neither.
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}

impl Receipt {
    /// The receipt of a run that ended, and what a second run needs beside the module and the files.
    /// `streams` has digested all that [`Run::take_output`] gave.
    ///
    /// # Errors
    /// If the run has no result that a second run could repeat, or files too large to be digested.
    pub fn of(run: &Run, streams: &Streams) -> Result<(Self, Given), NoReceipt> {
        let outcome = OutcomePart::of(run.outcome())?;
        let stats = run.stats();
        if streams.total() != stats.output_bytes {
            return Err(NoReceipt::OutputMissed {
                taken: streams.total(),
                written: stats.output_bytes,
            });
        }
        let stream = |stream| {
            let (size, sha256) = streams.stream(stream);
            Blob {
                size: Quantity(size),
                sha256,
            }
        };
        let files = tree::list_files(&run.task().files)?;
        let receipt = Self {
            version: FORMAT_VERSION,
            task: TaskPart::new(run.module(), run.task(), run.pushed(), &files),
            result: ResultPart {
                outcome,
                stdout: stream(0),
                stderr: stream(1),
                files: changed(run)?,
                steps: Quantity(stats.steps),
                peak_memory_pages: Quantity(stats.peak_memory_pages),
                peak_call_depth: Quantity(stats.peak_call_depth),
                peak_frame_bytes: Quantity(stats.peak_frame_bytes),
            },
            checkpoints: run.checkpoints().as_ref().map(CheckpointRoot::of),
        };
        Ok((receipt, Given::of(run, files)))
    }

    /// The digest of the canonical JSON: the receipt's id.
    pub fn id(&self) -> Digest {
        Digest::of(&canonical(self))
    }

    /// The id that the receipt would have without checkpoints: the same for all runs with the same
    /// result, whether they took some or not.
    pub fn result_id(&self) -> Digest {
        let without = Self {
            checkpoints: None,
            ..self.clone()
        };
        without.id()
    }
}

impl TaskPart {
    /// What `task` is. Live input is as if nothing had come yet.
    ///
    /// # Errors
    /// If its files are too large to be digested.
    pub fn of(module: &Module, task: &Task) -> Result<Self, NoReceipt> {
        Ok(Self::new(
            module,
            task,
            &[],
            &tree::list_files(&task.files)?,
        ))
    }

    /// What `task` is, with its `files` as listed; `log` is what was pushed to live input.
    pub(super) fn new(
        module: &Module,
        task: &Task,
        log: &[Pushed],
        files: &[tree::InputFile],
    ) -> Self {
        Self {
            module: Blob {
                size: Quantity(module.info.size),
                sha256: Digest::of(&module.wasm),
            },
            profile: Profile::of(task),
            args: List::of(&task.args),
            env: List::of(&task.env),
            stdin: match &task.stdin {
                Input::Bytes(bytes) => Stdin::bytes(bytes),
                Input::Live { terminal } => Stdin::live(*terminal, log),
                Input::Script { terminal, pushed } => Stdin::live(*terminal, pushed),
            },
            files: tree::root_of(files),
            preopens: task.preopens.clone(),
            limits: (&task.limits).into(),
        }
    }

    /// The digest of the canonical JSON: the same for all runs of one task.
    pub fn id(&self) -> Digest {
        Digest::of(&canonical(self))
    }
}

impl Profile {
    fn of(task: &Task) -> Self {
        let (random, seed) = match task.random {
            Random::Seed(seed) => (RandomSource::Seeded, Some(Digest(seed))),
            Random::TruebitV1 => (RandomSource::TruebitV1, None),
        };
        Self {
            version: PROFILE_VERSION,
            clock: match task.clock {
                ClockMode::Fixed => Clock::Fixed,
                ClockMode::Virtual => Clock::Virtual,
            },
            random,
            seed,
        }
    }

    /// Puts the choices into a task.
    pub(super) fn apply(&self, task: &mut Task) {
        task.clock = match self.clock {
            Clock::Fixed => ClockMode::Fixed,
            Clock::Virtual => ClockMode::Virtual,
        };
        task.random = match (self.random, self.seed) {
            (RandomSource::TruebitV1, _) => Random::TruebitV1,
            (RandomSource::Seeded, seed) => Random::Seed(seed.unwrap_or(Digest([0; 32])).0),
        };
    }
}

/// What the run changed, each file digested.
fn changed(run: &Run) -> Result<Vec<FileChange>, NoReceipt> {
    let mut changes = run.changes();
    changes.retain(|entry| entry.change != Change::Same);
    let is_there = |change| change != Change::Removed;
    tree::check_size(changes.iter().filter(|entry| is_there(entry.change)))?;
    let files: &Filesystem = run.files();
    let change = |entry: crate::fs::Entry| {
        let content = files.find(&entry.path).and_then(|ino| files.content(ino));
        let content = content.ok().filter(|_| is_there(entry.change));
        FileChange {
            change: entry.change,
            kind: entry.kind,
            size: content.map(|content| Quantity(content.len())),
            sha256: content.map(digest::of_content),
            target: entry.target.filter(|_| is_there(entry.change)),
            path: entry.path,
        }
    };
    Ok(changes.into_iter().map(change).collect())
}
