//! Which of several receipts of one task holds.

use super::digest::Digest;
use super::parse::Envelope;
use serde::Serialize;
use std::collections::BTreeMap;

/// What adjudication comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Enough solutions agree, and more than agree on anything else.
    Success,
    /// Not enough agree.
    Indeterminate,
    /// There is nothing to decide: no receipt, receipts of several tasks, or numbers that can't be.
    Error,
}

/// A result and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Camp {
    /// The receipt's id; of one with checkpoints, the id that it would have without.
    pub id: Digest,
    /// The receipts that have it, by name.
    pub receipts: Vec<String>,
}

/// A receipt that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its name.
    pub receipt: String,
    /// Why.
    pub reason: String,
}

/// The decision over several receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Adjudication {
    /// What it comes to.
    pub status: Status,
    /// Why, for people.
    pub reason: String,
    /// Solutions that must agree.
    pub required_solutions: usize,
    /// Solutions that were asked for.
    pub total_solutions: usize,
    /// The task of all of them, if it is one.
    pub task: Option<Digest>,
    /// The results, the most frequent first.
    pub results: Vec<Camp>,
    /// What was no receipt.
    pub rejected: Vec<Rejected>,
}

/// Decides over `solutions`, each a name and a receipt or why there is none. Of `total` solutions
/// asked for, `required` must agree on one id. Receipts are compared, not run: whether the one that
/// wins is true, [`Envelope::task`] and a run tell.
pub fn adjudicate(
    required: usize,
    total: usize,
    solutions: Vec<(String, Result<Envelope, String>)>,
) -> Adjudication {
    let given = solutions.len();
    let mut camps: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    let mut tasks: BTreeMap<Digest, String> = BTreeMap::new();
    let mut rejected = Vec::new();
    for (receipt, solution) in solutions {
        match solution {
            Ok(envelope) => {
                let task = envelope.receipt.task.id();
                tasks.entry(task).or_insert_with(|| receipt.clone());
                camps
                    .entry(envelope.receipt.result_id())
                    .or_default()
                    .push(receipt);
            }
            Err(reason) => rejected.push(Rejected { receipt, reason }),
        }
    }
    let camps = camps.into_iter();
    let mut results: Vec<_> = camps.map(|(id, receipts)| Camp { id, receipts }).collect();
    // Stable, so camps of one size are in the order of their ids.
    results.sort_by_key(|camp| std::cmp::Reverse(camp.receipts.len()));
    let sizes: Vec<_> = results.iter().map(|camp| camp.receipts.len()).collect();
    let mut one_task = tasks.iter();
    let (status, reason) = if required == 0 || required > total {
        let text = format!("{required} of {total} solutions can't be required");
        (Status::Error, text)
    } else if given > total {
        let text = format!("{given} solutions are given, but {total} were asked for");
        (Status::Error, text)
    } else if let (Some(first), Some(second)) = (one_task.next(), one_task.next()) {
        let text = format!(
            "{} and {} are receipts of different tasks",
            first.1, second.1
        );
        (Status::Error, text)
    } else {
        match sizes[..] {
            [] => (Status::Error, "there is no receipt".to_owned()),
            [most, second, ..] if most == second && most >= required => {
                let text = format!("two results have {most} solutions each");
                (Status::Indeterminate, text)
            }
            [most, ..] if most >= required => (
                Status::Success,
                format!("{most} of {given} solutions agree"),
            ),
            [most, ..] => {
                let text = format!("at most {most} solutions agree, and {required} are required");
                (Status::Indeterminate, text)
            }
        }
    };
    let task = match tasks.len() {
        1 => tasks.keys().next().copied(),
        _ => None,
    };
    Adjudication {
        status,
        reason,
        required_solutions: required,
        total_solutions: total,
        task,
        results,
        rejected,
    }
}
