//! Whether handlers read what only another handler can have set.

use super::function::{Flow, Function, Locals};
use anyhow::{Result, bail};
use wasmparser::Operator;

/// The ways from the loop's head to an operator, as sets of locals.
#[derive(Clone, Copy, Default, PartialEq)]
struct Ways {
    /// Those that no operator sets on one of the ways.
    unset: Locals,
    /// Those that an operator sets on one of the ways.
    set: Locals,
}

impl Ways {
    /// The ways that go on behind an operator.
    fn behind(self, operator: &Operator<'_>) -> Self {
        match operator {
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => Self {
                unset: self.unset & !(1 << local_index),
                // Of a local that is not looked at, nothing is known, and nothing asked.
                set: self.set | 1 << local_index,
            },
            _ => self,
        }
    }

    /// These ways and others.
    fn or(self, other: Self) -> Self {
        Self {
            unset: self.unset | other.unset,
            set: self.set | other.set,
        }
    }

    /// The local that an operator reads although it is set on none of the ways.
    fn lacks(self, operator: &Operator<'_>) -> Option<u32> {
        match operator {
            Operator::LocalGet { local_index } => {
                let only_unset = self.unset & !self.set;
                (only_unset >> local_index & 1 == 1).then_some(*local_index)
            }
            _ => None,
        }
    }
}

/// Makes sure that no handler needs what another one left in one of `locals`: wherever a handler reads such a local, it sets it
/// itself on one way there or more.
///
/// A handler is what is reachable from a target of the `br_table`, without coming to the loop's head again. Each is looked at
/// on its own: code that several share may be reached with a local set in one and not in another.
pub fn ensure_own(
    function: &Function<'_>,
    flow: &Flow,
    (head, table): (usize, usize),
    locals: Locals,
) -> Result<()> {
    let operators = &function.operators;
    let mut start = Ways {
        unset: locals,
        set: 0,
    };
    // No branch is there (`load_at_head` has seen to it).
    for (at, operator) in operators[head..table].iter().enumerate() {
        if let Some(local) = start.lacks(operator) {
            let at = head + at;
            bail!("the loop's head reads local {local} (operator {at}), which nothing sets before");
        }
        start = start.behind(operator);
    }

    let mut ways: Vec<Option<Ways>> = vec![None; operators.len()];
    for &target in &flow.after[table] {
        let mut reached = Vec::new();
        let mut changed = vec![(target, start)];
        while let Some((at, new)) = changed.pop() {
            if at == head {
                continue;
            }
            let before = ways[at];
            let now = before.map_or(new, |before| before.or(new));
            if before == Some(now) {
                continue;
            }
            if before.is_none() {
                reached.push(at);
            }
            ways[at] = Some(now);
            let behind = now.behind(&operators[at]);
            changed.extend(flow.after[at].iter().map(|&next| (next, behind)));
        }
        // Only now are all ways known.
        reached.sort_unstable();
        for at in reached {
            let ways = ways[at].take().unwrap_or_default();
            if let Some(local) = ways.lacks(&operators[at]) {
                bail!(
                    "the handler at operator {target} reads local {local} (operator {at}), which it has not set: \
                     what another handler left there would be forgotten"
                );
            }
        }
    }
    Ok(())
}
