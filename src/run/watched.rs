//! What was watched of a run, as people are shown it: its calls, and which functions made its steps.

use super::Run;
use crate::wasi::{Answer, CallLog, Exceeded, Recorded};
use serde::Serialize;

/// A call of the program to its system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallEntry {
    /// Its number among all calls, from 0.
    pub number: u64,
    /// Steps before it.
    pub steps: u64,
    /// The function's name.
    pub function: &'static str,
    /// Its arguments as unsigned decimal numbers: some have 64 bits.
    pub args: Vec<String>,
    /// The errno's name (`success`), `exit`, or which limit it passed (`output limit`).
    pub answer: String,
    /// The errno's number; `None` if it did not return.
    pub errno: Option<u16>,
    /// The paths that it names.
    pub paths: Vec<String>,
    /// The number that it gives back in memory, in decimal: a descriptor, bytes, a position, a time.
    pub result: Option<String>,
}

/// The calls of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calls {
    /// How many were made. Of many only the first and the last are kept.
    pub total: u64,
    /// Those that are kept, in order.
    pub calls: Vec<CallEntry>,
}

/// A function as it was called from a certain chain of functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileNode {
    /// The function's index; `None` for the root, and for what is nested too deeply.
    pub function: Option<u32>,
    /// Its name in the name section.
    pub name: Option<String>,
    /// The node of its caller; the root's is itself.
    pub parent: u32,
    /// Steps that it made itself.
    pub steps: u64,
    /// How often it was called there.
    pub calls: u64,
}

impl CallEntry {
    fn new(call: &Recorded) -> Self {
        let count = call.function.parameters().len();
        let (answer, errno) = match call.answer {
            Answer::Errno(errno) => (format!("{errno:?}").to_lowercase(), Some(errno as u16)),
            Answer::Exit(_) => ("exit".to_owned(), None),
            Answer::Exceeded(Exceeded::Output) => ("output limit".to_owned(), None),
            Answer::Exceeded(Exceeded::Files) => ("file limit".to_owned(), None),
        };
        Self {
            number: call.number,
            steps: call.steps,
            function: call.function.name(),
            args: call.args[..count].iter().map(u64::to_string).collect(),
            answer,
            errno,
            paths: call.paths.clone(),
            result: call.result.map(|result| result.to_string()),
        }
    }
}

impl Run {
    /// The calls of the program to its system, if they are watched.
    pub fn calls(&self) -> Option<Calls> {
        let log: &CallLog = self.shown().system().record.as_ref()?;
        Some(Calls {
            total: log.total(),
            calls: log.calls().map(CallEntry::new).collect(),
        })
    }

    /// Which functions made the steps so far, if that is watched: a tree, the root first, each node
    /// behind its parent. Their steps add up to those of [`Run::stats`].
    pub fn profile(&self) -> Option<Vec<ProfileNode>> {
        let nodes = self.shown().profiler()?.nodes_at(self.stats().steps);
        let names = self.module.function_names();
        let told = nodes.iter().map(|node| ProfileNode {
            function: node.function,
            name: node.function.and_then(|index| names.get(&index).cloned()),
            parent: node.parent,
            steps: node.steps,
            calls: node.calls,
        });
        Some(told.collect())
    }
}
