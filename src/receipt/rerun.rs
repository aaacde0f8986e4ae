//! From a receipt to the task again.

use super::compare::Difference;
use super::format::{FileRoot, List, NoReceipt, Quantity, Stdin, StdinKind, TaskPart};
use super::given::{Event, Given, Text};
use super::parse::Envelope;
use super::tree::InputFile;
use super::{Digest, tree};
use crate::fs::Filesystem;
use crate::meter::PROFILE_VERSION;
use crate::task::{Input, ModuleInfo};
use crate::wasi::{EPOCH, Pushed};
use crate::{Run, Task};

/// What a verifier brings. What is `None` is taken from beside the receipt, where it may stand.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// The arguments, the program's name first.
    pub args: Option<Vec<Vec<u8>>>,
    /// The environment.
    pub env: Option<Vec<Vec<u8>>>,
    /// Standard input.
    pub stdin: Option<Vec<u8>>,
    /// The input files.
    pub files: Option<Filesystem>,
}

/// Why a receipt is not run again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What the verifier brings is not what was run.
    #[error("{0}")]
    Different(Difference),
    /// Something is missing, or can't be used.
    #[error("{0}")]
    Missing(String),
}

impl From<NoReceipt> for Refusal {
    fn from(error: NoReceipt) -> Self {
        Self::Missing(error.to_string())
    }
}

/// What steps a run may be ahead of the receipt before it is certain that it makes more: until a
/// run has ended, its count may be ahead by what lies between two places where it is settled.
const SLACK: u64 = 1 << 24;

/// A run that should do what a receipt says.
#[derive(Debug, Clone, Copy)]
pub struct Rerun {
    steps: u64,
}

impl Rerun {
    /// The steps that the receipt says.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The steps after which it is certain that a run makes more than the receipt says.
    pub fn most(&self) -> u64 {
        self.steps.saturating_add(SLACK)
    }

    /// Tells that a run which has not ended makes more steps than the receipt says, so that a false
    /// receipt of an endless program is found out in the time that it claims.
    pub fn overrun(&self, run: &Run) -> Option<Difference> {
        self.overrun_at(run.stats().steps)
    }

    /// As [`Rerun::overrun`], of a run that has made so many steps.
    pub fn overrun_at(&self, steps: u64) -> Option<Difference> {
        (steps > self.most()).then(|| {
            Difference::new(
                "steps",
                self.steps,
                format!("this run was stopped after {steps}"),
            )
        })
    }
}

impl Envelope {
    /// For watching a run of [`Envelope::task`].
    pub fn rerun(&self) -> Rerun {
        Rerun {
            steps: self.receipt.result.steps.0,
        }
    }

    /// The input files by name and digest, if they stand beside the receipt and are those in it.
    pub fn listed_files(&self) -> Option<&[InputFile]> {
        let list = self.given.as_ref()?.files.as_deref()?;
        (tree::root_of(list) == self.receipt.task.files).then_some(list)
    }

    /// Adds directories, links and what is read-only to a verifier's `files`, in which the regular
    /// files lie, so that it need not bring those. Does nothing without [`Envelope::listed_files`].
    pub fn complete_files(&self, files: &mut Filesystem) {
        if let Some(list) = self.listed_files() {
            tree::complete(files, list);
        }
    }

    /// Whether `module` is the receipt's.
    ///
    /// # Errors
    /// If it is another.
    pub fn check_module(&self, module: &ModuleInfo) -> Result<(), Refusal> {
        let said = self.receipt.task.module;
        match Digest::parse(&module.sha256) {
            Some(sha256) if sha256 == said.sha256 && Quantity(module.size) == said.size => Ok(()),
            _ => Err(Refusal::Different(Difference::new(
                "module",
                said,
                format!(
                    "`{}` has {} bytes with SHA-256 {}",
                    module.name, module.size, module.sha256
                ),
            ))),
        }
    }

    /// The task again, of what the verifier brings and what stands beside the receipt. All of it
    /// has the digests that the receipt says.
    ///
    /// # Errors
    /// If something is different or missing.
    pub fn task(&self, brought: Brought) -> Result<Task, Refusal> {
        let given = self.given.clone().unwrap_or_default();
        let mut task = make_task(&self.receipt.task, given, brought)?;
        task.checkpoints = self.receipt.checkpoints.is_some();
        Ok(task)
    }
}

/// A task with the digests in `said`, of what is brought or else given.
pub(super) fn make_task(said: &TaskPart, given: Given, brought: Brought) -> Result<Task, Refusal> {
    let version = said.profile.version;
    if version != PROFILE_VERSION {
        return Err(Refusal::Missing(format!(
            "it was made under version {version} of the deterministic profile, and this Verirun has version {PROFILE_VERSION}: use a version of Verirun that has that one"
        )));
    }
    let args = list("arguments", said.args, brought.args, given.args)?;
    let env = list("environment", said.env, brought.env, given.env)?;
    let stdin = stdin(&said.stdin, brought.stdin, given.stdin, given.pushed)?;
    let none_brought = brought.files.is_none();
    let files = brought.files.unwrap_or_else(|| Filesystem::new(EPOCH));
    let listed = tree::list_files(&files)?;
    let found = tree::root_of(&listed);
    if found != said.files {
        let show = |root: FileRoot| format!("{} paths with root {}", root.count, root.root);
        if none_brought {
            return Err(Refusal::Missing(format!(
                "the input files are missing: {}",
                show(said.files)
            )));
        }
        // Beside the receipt there may be anything; only the right list tells which is different.
        let right = given.files.filter(|list| tree::root_of(list) == said.files);
        let first = right.and_then(|list| tree::first_difference(&list, &listed));
        return Err(Refusal::Different(first.unwrap_or_else(|| {
            let given = format!("those given are {}", show(found));
            Difference::new("input files", show(said.files), given)
        })));
    }
    let mut task = Task {
        args,
        env,
        stdin,
        files,
        preopens: said.preopens.clone(),
        limits: (&said.limits).into(),
        ..Task::default()
    };
    said.profile.apply(&mut task);
    Ok(task)
}

fn damaged(what: &str) -> Refusal {
    Refusal::Missing(format!(
        "the {what} beside the receipt do not have the digest in it: they were changed; bring the right ones"
    ))
}

fn list(
    what: &str,
    said: List,
    brought: Option<Vec<Vec<u8>>>,
    given: Option<Vec<Text>>,
) -> Result<Vec<Vec<u8>>, Refusal> {
    if let Some(items) = brought {
        let found = List::of(&items);
        let show = |list: List| format!("{} with digest {}", list.count, list.sha256);
        return match found == said {
            true => Ok(items),
            false => Err(Refusal::Different(Difference::new(
                what,
                show(said),
                format!("those given are {}", show(found)),
            ))),
        };
    }
    let items: Vec<_> = match given {
        Some(given) => given.into_iter().map(|text| text.0).collect(),
        None if said.count == Quantity(0) => Vec::new(),
        None => {
            return Err(Refusal::Missing(format!(
                "the {what} are missing: {} of them, with digest {}",
                said.count, said.sha256
            )));
        }
    };
    match List::of(&items) == said {
        true => Ok(items),
        false => Err(damaged(what)),
    }
}

fn stdin(
    said: &Stdin,
    brought: Option<Vec<u8>>,
    given: Option<Text>,
    pushed: Option<Vec<Event>>,
) -> Result<Input, Refusal> {
    const WHAT: &str = "standard input";
    if said.kind == StdinKind::Live {
        let terminal = said.terminal.unwrap_or_default();
        let pushed = pushed.ok_or_else(|| {
            Refusal::Missing(
                "the receipt is of a run with live input, and what was typed does not stand beside it"
                    .to_owned(),
            )
        })?;
        let pushed: Vec<_> = pushed.iter().map(Pushed::from).collect();
        return match Stdin::live(terminal, &pushed) == *said {
            true => Ok(Input::Script { terminal, pushed }),
            false => Err(damaged("events of live input")),
        };
    }
    let size = said.size.unwrap_or(Quantity(0));
    let show = |size: Quantity, digest: Digest| format!("{size} bytes with SHA-256 {digest}");
    if let Some(bytes) = brought {
        let found = Stdin::bytes(&bytes);
        return match found == *said {
            true => Ok(Input::Bytes(bytes)),
            false => Err(Refusal::Different(Difference::new(
                WHAT,
                show(size, said.sha256),
                format!(
                    "what is given has {}",
                    show(Quantity(bytes.len() as u64), found.sha256)
                ),
            ))),
        };
    }
    let bytes = match given {
        Some(text) => text.0,
        None if size == Quantity(0) => Vec::new(),
        None => {
            return Err(Refusal::Missing(format!(
                "standard input is missing: {}",
                show(size, said.sha256)
            )));
        }
    };
    match Stdin::bytes(&bytes) == *said {
        true => Ok(Input::Bytes(bytes)),
        false => Err(damaged("bytes of standard input")),
    }
}
