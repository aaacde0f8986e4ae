//! A receipt's commitment to the checkpoints of its run.

use super::compare::Difference;
use super::digest::{Digest, merkle_root};
use super::format::{Quantity, canonical};
use super::parse::ParseError;
use crate::checkpoint::{Checkpoint, Checkpoints, MOST, VERSION};
use serde::{Deserialize, Serialize};

/// The commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointRoot {
    /// [`VERSION`]; 0 stands for the first, which did not say it.
    #[serde(default)]
    pub version: u32,
    /// How many there are.
    pub count: Quantity,
    /// Steps between two of them, a power of two.
    pub interval: Quantity,
    /// The Merkle root over them.
    pub root: Digest,
}

/// A checkpoint as it is hashed; in a list, members that are as in the one before are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointEntry {
    /// Steps before it.
    pub steps: Quantity,
    /// Calls before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Quantity>,
    /// [`Checkpoint::memory`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Digest>,
    /// [`Checkpoint::globals`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub globals: Option<Digest>,
    /// [`Checkpoint::system`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Digest>,
    /// [`Checkpoint::files`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Digest>,
    /// [`Checkpoint::stdout`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Digest>,
    /// [`Checkpoint::stderr`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Digest>,
}

impl From<&Checkpoint> for CheckpointEntry {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            steps: Quantity(checkpoint.steps),
            calls: Some(Quantity(checkpoint.calls)),
            memory: Some(checkpoint.memory),
            globals: Some(checkpoint.globals),
            system: Some(checkpoint.system),
            files: Some(checkpoint.files),
            stdout: Some(checkpoint.stdout),
            stderr: Some(checkpoint.stderr),
        }
    }
}

impl CheckpointEntry {
    /// Without what is as in `before`.
    fn short(mut self, before: &Self) -> Self {
        fn shorten<T: PartialEq>(own: &mut Option<T>, before: &Option<T>) {
            if own == before {
                *own = None;
            }
        }
        shorten(&mut self.calls, &before.calls);
        shorten(&mut self.memory, &before.memory);
        shorten(&mut self.globals, &before.globals);
        shorten(&mut self.system, &before.system);
        shorten(&mut self.files, &before.files);
        shorten(&mut self.stdout, &before.stdout);
        shorten(&mut self.stderr, &before.stderr);
        self
    }

    /// The checkpoint, what is left out taken from `before`; `None` if there is nothing to take.
    fn whole(&self, before: Option<&Checkpoint>) -> Option<Checkpoint> {
        let or = |own: Option<Digest>, of: fn(&Checkpoint) -> Digest| own.or(before.map(of));
        let calls = self.calls.map(|calls| calls.0);
        Some(Checkpoint {
            steps: self.steps.0,
            calls: calls.or(before.map(|before| before.calls))?,
            memory: or(self.memory, |before| before.memory)?,
            globals: or(self.globals, |before| before.globals)?,
            system: or(self.system, |before| before.system)?,
            files: or(self.files, |before| before.files)?,
            stdout: or(self.stdout, |before| before.stdout)?,
            stderr: or(self.stderr, |before| before.stderr)?,
        })
    }
}

impl CheckpointRoot {
    /// The commitment to `checkpoints`.
    pub fn of(checkpoints: &Checkpoints) -> Self {
        let entries = checkpoints.list.iter().map(CheckpointEntry::from);
        Self {
            version: VERSION,
            count: Quantity(checkpoints.list.len() as u64),
            interval: Quantity(checkpoints.interval),
            root: merkle_root(entries.map(|entry| canonical(&entry))),
        }
    }

    /// What the types do not say.
    pub(super) fn check(&self) -> Result<(), ParseError> {
        let wrong = |name: &str, cause: String| {
            Err(ParseError::Field {
                field: format!("receipt.checkpoints.{name}"),
                cause,
            })
        };
        if self.version != VERSION {
            let cause = format!(
                "it is {}, and this Verirun has {VERSION}: make the receipt again",
                self.version
            );
            return wrong("version", cause);
        }
        if !(1..=MOST as u64).contains(&self.count.0) {
            return wrong("count", format!("there are from 1 to {MOST} checkpoints"));
        }
        match self.interval.0.is_power_of_two() {
            true => Ok(()),
            false => wrong("interval", "it is no power of two".to_owned()),
        }
    }
}

/// As they stand beside a receipt.
pub(super) fn list(checkpoints: &Checkpoints) -> Vec<CheckpointEntry> {
    let mut before = None;
    let entry = |checkpoint| {
        let whole = CheckpointEntry::from(checkpoint);
        match before.replace(whole) {
            Some(before) => whole.short(&before),
            None => whole,
        }
    };
    checkpoints.list.iter().map(entry).collect()
}

/// The checkpoints that stand beside a receipt; `None` if they are not those that it commits to.
pub(super) fn read(said: &CheckpointRoot, entries: &[CheckpointEntry]) -> Option<Checkpoints> {
    if entries.len() as u64 != said.count.0 {
        return None;
    }
    let mut list: Vec<Checkpoint> = Vec::with_capacity(entries.len());
    for entry in entries {
        list.push(entry.whole(list.last())?);
    }
    let checkpoints = Checkpoints {
        interval: said.interval.0,
        list,
    };
    (CheckpointRoot::of(&checkpoints) == *said).then_some(checkpoints)
}

/// Between which two checkpoints two runs part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parting {
    /// The number of the first checkpoint that differs, counted with the longer interval of the two;
    /// `None` if all are the same that both have.
    pub number: Option<usize>,
    /// Steps at the last checkpoint that is the same.
    pub from: u64,
    /// Steps at the first that differs, the lesser of both; `None` if it is in no checkpoint.
    pub to: Option<u64>,
    /// What differs there, by the names of the members.
    pub what: Vec<&'static str>,
    /// How many checkpoints there are in the shorter list.
    pub count: usize,
}

/// Finds between which checkpoints two runs part; `None` if the checkpoints are the same.
pub fn parting(a: &Checkpoints, b: &Checkpoints) -> Option<Parting> {
    let (mut a, mut b) = (a.clone(), b.clone());
    // Of both, what the longer interval would have taken.
    while a.interval < b.interval {
        a.double();
    }
    while b.interval < a.interval {
        b.double();
    }
    let both = a.list.len().min(b.list.len());
    let number = (0..both).find(|&index| a.list[index] != b.list[index]);
    if number.is_none() && a.list.len() == b.list.len() {
        return None;
    }
    let first = number.unwrap_or(both);
    let from = first.checked_sub(1).map_or(0, |last| a.list[last].steps);
    let at = |list: &[Checkpoint]| list.get(first).map(|one| one.steps);
    let (one, two) = (at(&a.list), at(&b.list));
    let what = match (a.list.get(first), b.list.get(first)) {
        (Some(a), Some(b)) => differing(a, b),
        _ => vec!["steps"],
    };
    Some(Parting {
        number,
        from,
        to: one.into_iter().chain(two).min(),
        what,
        count: both,
    })
}

fn differing(a: &Checkpoint, b: &Checkpoint) -> Vec<&'static str> {
    let members = [
        ("steps", a.steps != b.steps),
        ("calls", a.calls != b.calls),
        ("memory", a.memory != b.memory),
        ("globals", a.globals != b.globals),
        ("system", a.system != b.system),
        ("files", a.files != b.files),
        ("stdout", a.stdout != b.stdout),
        ("stderr", a.stderr != b.stderr),
    ];
    let different = members.iter().filter(|(_, different)| *different);
    different.map(|&(name, _)| name).collect()
}

/// The difference between what a receipt says of the checkpoints and what a run gave.
pub(super) fn difference(
    said: &CheckpointRoot,
    found: &CheckpointRoot,
    lists: Option<(&Checkpoints, &Checkpoints)>,
) -> Option<Difference> {
    if said == found {
        return None;
    }
    let show = |root: &CheckpointRoot| {
        format!(
            "{} every {} steps with root {}",
            root.count, root.interval, root.root
        )
    };
    let mut difference = Difference::new(
        "checkpoints",
        show(said),
        format!("this run gave {}", show(found)),
    );
    if let Some(parting) = lists.and_then(|(said, found)| parting(said, found)) {
        let to = parting.to.map_or("the end".to_owned(), |to| to.to_string());
        let what = parting.what.join(", ");
        difference.found += &format!(
            "; they part between step {} and {to} ({what}): `verirun bisect` tells more",
            parting.from
        );
    }
    Some(difference)
}
