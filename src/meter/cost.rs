//! What an operator costs. The table in `docs/profile.md` says the same in words.

use wasmparser::Operator;

/// Steps of an operator without what it moves: structure is free, all else is one.
pub(super) fn weight(operator: &Operator<'_>) -> u32 {
    match operator {
        Operator::Nop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Else
        | Operator::End
        | Operator::Drop => 0,
        _ => 1,
    }
}

/// What a bulk operator moves, and so what it costs beyond its one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes: one step for every 8, rounded down.
    Bytes,
    /// Table elements: one step each.
    Elements,
}
