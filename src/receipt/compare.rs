//! What is different between what a receipt says and what a second run gave.

use super::checkpoints;
use super::format::{Blob, FileChange, FileRoot, List, OutcomePart, Receipt, TaskPart};
use super::shown;
use crate::checkpoint::Checkpoints;
use crate::fs::Content;
use serde::Serialize;

/// The first thing that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what}: the receipt says {said}, but {found}")]
pub struct Difference {
    /// What is different, such as `module` or `file out/a.png`.
    pub what: String,
    /// What the receipt says.
    pub said: String,
    /// What was found instead.
    pub found: String,
    /// The output file's path, if it is one that is different.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What verifying a receipt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A second run gave the same.
    Verified,
    /// Something is different.
    Mismatch(Difference),
    /// It could not be checked; the text says what is missing.
    CannotTell(String),
}

impl Difference {
    /// A difference in `what`.
    pub fn new(what: impl Into<String>, said: impl ToString, found: impl ToString) -> Self {
        Self {
            what: what.into(),
            said: said.to_string(),
            found: found.to_string(),
            path: None,
        }
    }
}

impl std::fmt::Display for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes with SHA-256 {}", self.size, self.sha256)
    }
}

/// What a second run gave: `this run gave …`.
fn gave(value: impl std::fmt::Display) -> String {
    format!("this run gave {value}")
}

/// The first thing in which the result of the second run, `found`, is different from what `said`
/// says; `None` if they are the same. Looked at in this order: the task, how it ended, standard
/// output, standard error, files, steps, peaks, checkpoints.
pub fn compare(said: &Receipt, found: &Receipt) -> Option<Difference> {
    compare_with(said, found, None)
}

/// As [`compare`]; `lists` are the checkpoints that the receipt came with and those of the run, with
/// which a difference in them can be told more precisely.
pub fn compare_with(
    said: &Receipt,
    found: &Receipt,
    lists: Option<(&Checkpoints, &Checkpoints)>,
) -> Option<Difference> {
    if said.task != found.task {
        let ids = (said.task.id(), found.task.id());
        return Some(Difference::new("task", ids.0, gave(ids.1)));
    }
    let (a, b) = (&said.result, &found.result);
    let outcome = |outcome: &OutcomePart| outcome.to_string();
    if a.outcome != b.outcome {
        let found = format!("this run ended with {}", outcome(&b.outcome));
        return Some(Difference::new("outcome", outcome(&a.outcome), found));
    }
    for (what, a, b) in [
        ("standard output", &a.stdout, &b.stdout),
        ("standard error", &a.stderr, &b.stderr),
    ] {
        if a != b {
            return Some(Difference::new(what, a, gave(b)));
        }
    }
    if let Some(difference) = compare_files(&a.files, &b.files) {
        return Some(difference);
    }
    for (what, a, b) in [
        ("steps", a.steps, b.steps),
        ("peak memory", a.peak_memory_pages, b.peak_memory_pages),
        ("peak call depth", a.peak_call_depth, b.peak_call_depth),
        ("peak frame bytes", a.peak_frame_bytes, b.peak_frame_bytes),
    ] {
        if a != b {
            return Some(Difference::new(what, a, format!("this run had {b}")));
        }
    }
    if let (Some(said), Some(found)) = (&said.checkpoints, &found.checkpoints)
        && let Some(difference) = checkpoints::difference(said, found, lists)
    {
        return Some(difference);
    }
    // All fields are compared above; should one be added and forgotten there, it still counts. A run
    // that took no checkpoints says nothing of those in a receipt.
    let ids = match (&said.checkpoints, &found.checkpoints) {
        (Some(_), Some(_)) => (said.id(), found.id()),
        _ => (said.result_id(), found.result_id()),
    };
    (ids.0 != ids.1).then(|| Difference::new("receipt", ids.0, gave(ids.1)))
}

/// The first part in which the task `found` is not the task `said`; `None` if they are the same.
pub fn compare_tasks(said: &TaskPart, found: &TaskPart) -> Option<Difference> {
    let list = |list: &List| format!("{} with digest {}", list.count, list.sha256);
    let files = |files: &FileRoot| format!("{} paths with root {}", files.count, files.root);
    // What has no short form for people is shown as JSON.
    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }
    let (a, b) = (said, found);
    let parts = [
        ("module", a.module.to_string(), b.module.to_string()),
        ("arguments", list(&a.args), list(&b.args)),
        ("environment", list(&a.env), list(&b.env)),
        ("standard input", json(&a.stdin), json(&b.stdin)),
        ("input files", files(&a.files), files(&b.files)),
        ("directories", json(&a.preopens), json(&b.preopens)),
        ("limits", json(&a.limits), json(&b.limits)),
        ("profile", json(&a.profile), json(&b.profile)),
    ];
    let different = parts.into_iter().find(|(_, said, found)| said != found);
    different.map(|(what, said, found)| {
        Difference::new(what, said, format!("what is set up is {found}"))
    })
}

fn compare_files(said: &[FileChange], found: &[FileChange]) -> Option<Difference> {
    let different = |path: &str, said: String, found: String| Difference {
        path: Some(path.to_owned()),
        ..Difference::new(format!("file {}", shown(path)), said, found)
    };
    for index in 0..said.len().max(found.len()) {
        let (a, b) = (said.get(index), found.get(index));
        if a == b {
            continue;
        }
        let difference = match (a, b) {
            (Some(a), Some(b)) if a.path == b.path => {
                different(&a.path, describe(a), gave(describe(b)))
            }
            // Both are sorted: the lesser path is what one of them lacks.
            (Some(a), b) if b.is_none_or(|b| a.path < b.path) => different(
                &a.path,
                describe(a),
                "this run did not change it".to_owned(),
            ),
            (_, Some(b)) => different(&b.path, "nothing of it".to_owned(), gave(describe(b))),
            (_, None) => continue,
        };
        return Some(difference);
    }
    None
}

fn describe(file: &FileChange) -> String {
    use crate::fs::{Change, Kind};
    let change = match file.change {
        Change::Same => "same",
        Change::Added => "added",
        Change::Modified => "modified",
        Change::Removed => "removed",
    };
    let kind = match file.kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symbolic link",
    };
    match (file.size, file.sha256, &file.target) {
        (Some(size), Some(sha256), _) => {
            format!("{change}, a {kind}, {}", Blob { size, sha256 })
        }
        (_, _, Some(target)) => format!("{change}, a {kind} to `{}`", shown(target)),
        _ => format!("{change}, a {kind}"),
    }
}

/// The offset of the first byte in which `expected` and `found` are different, and the bytes there
/// (`None` past an end); `None` if they are the same.
pub fn first_different_byte(
    expected: &[u8],
    found: &Content,
) -> Option<(u64, Option<u8>, Option<u8>)> {
    let mut offset = 0usize;
    let mut different = None;
    found.for_each_block(|block| {
        if different.is_some() {
            return;
        }
        let rest = expected.get(offset..).unwrap_or_default();
        let same = block.iter().zip(rest).take_while(|(a, b)| a == b).count();
        if same < block.len() {
            different = Some((
                (offset + same) as u64,
                rest.get(same).copied(),
                Some(block[same]),
            ));
        }
        offset += block.len();
    });
    different.or_else(|| {
        let next = expected.get(offset).copied();
        next.map(|byte| (offset as u64, Some(byte), None))
    })
}
