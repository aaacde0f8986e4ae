//! How the interpreter gets from one operator to the next. Each handler ends by loading the next operator's code into a local
//! and going back to the loop's head, which has one `br_table` for all. V8 keeps that local on the stack, since it has more
//! variables at the loop's head than registers: each operator stores its successor's code and loads it again, and stores more
//! that nothing ever reads.
//!
//! So the head loads the code itself, and the locals that carry nothing from one operator to the next are set to zero there.

use super::function::{Flow, Function, Locals};
use super::{MANY, reads};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use wasmparser::{MemArg, MemArgTarget, Operator, ValType};

/// Shapes the loop's head and the ends of its handlers.
pub fn shape(function: &mut Function<'_>) -> Result<()> {
    load_at_head(function)?;
    let flow = Flow::of(&function.operators)?;
    let found = find(&function.operators, &flow)?;
    forget(function, &flow, found)
}

/// Finds the loop's head and the `br_table`.
pub fn find(operators: &[Operator<'_>], flow: &Flow) -> Result<(usize, usize)> {
    let mut found = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            Operator::BrTable { targets } if targets.len() > MANY => found.push(at),
            _ => {}
        }
    }
    let [table] = found[..] else {
        bail!("{} large tables of branches, instead of one", found.len());
    };
    let head = flow
        .loop_around(table)
        .context("no loop around the table")?;
    Ok((head, table))
}

/// Two bytes, at the address itself: an operator's code.
fn is_code(memarg: &MemArg) -> bool {
    memarg.offset == 0 && memarg.target == MemArgTarget::Memory(0) && memarg.ordering.is_none()
}

/// The locals that are changed.
pub fn set<'a>(operators: impl IntoIterator<Item = &'a Operator<'a>>) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    for operator in operators {
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = operator {
            all.insert(*local_index);
        }
    }
    all
}

/// Whether an operator changes nothing but locals and goes nowhere else: a load gives the same before it and behind it.
fn is_quiet(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        // Only the way to its start is looked at, not the one to its end.
        Operator::Block { .. }
            | Operator::LocalGet { .. }
            | Operator::LocalSet { .. }
            | Operator::LocalTee { .. }
            | Operator::I32Const { .. }
            | Operator::I64Const { .. }
            | Operator::F32Const { .. }
            | Operator::F64Const { .. }
            | Operator::V128Const { .. }
    )
}

/// Moves the load of the next operator's code from the handlers' ends to the loop's head.
fn load_at_head(function: &mut Function<'_>) -> Result<()> {
    let operators = &function.operators;
    let flow = Flow::of(operators)?;
    let (head, table) = find(operators, &flow)?;

    // The code is in a local, and all that a code can be has a target.
    let [
        ..,
        Operator::LocalGet { local_index: code },
        Operator::I32Const { value: 0xffff },
        Operator::I32And,
    ] = operators[head..table]
    else {
        bail!("the table does not look at 16 bits of a local");
    };
    // Every handler ends alike: the pointer to the next operator is in one local, and the code that it points to in another.
    let mut pointer = None;
    let mut ends = Vec::new();
    for at in head + 1..operators.len() {
        if !flow.after[at].contains(&head) {
            continue;
        }
        let (
            Operator::Br { .. },
            [
                ..,
                Operator::LocalGet { local_index } | Operator::LocalTee { local_index },
                Operator::I32Load16U { memarg },
                Operator::LocalSet {
                    local_index: loaded,
                },
            ],
        ) = (&operators[at], &operators[..at])
        else {
            bail!("a handler does not end with the load of a code");
        };
        ensure!(
            is_code(memarg)
                && *loaded == code
                && *pointer.get_or_insert(*local_index) == *local_index,
            "a handler ends with the load of something else"
        );
        ends.push(at);
    }
    let pointer = pointer.context("no handler goes back to the loop's head")?;
    ensure!(
        ends.len() as u32 > MANY,
        "only {} handlers go back to the loop's head",
        ends.len()
    );
    ensure!(
        set(&operators[head..table]).is_disjoint(&BTreeSet::from([code, pointer])),
        "the loop's head changes where the operators are"
    );
    // The load goes to where its mask is: the last thing before the table.
    if let Some(other) = operators[head + 1..table - 1]
        .iter()
        .find(|operator| !is_quiet(operator))
    {
        bail!("the loop's head may change what is loaded: {other:?}");
    }
    starts_alike(&operators[..head], code, pointer)?;

    let memarg = MemArg {
        align: 1,
        max_align: 1,
        offset: 0,
        target: MemArgTarget::Memory(0),
        ordering: None,
    };
    let local_index = pointer;
    let mut written = Vec::with_capacity(operators.len());
    for (at, operator) in operators.iter().enumerate() {
        if ends.binary_search(&at).is_ok() {
            let set = matches!(operators[at - 3], Operator::LocalTee { .. });
            written.truncate(written.len() - 3);
            if set {
                written.push(Operator::LocalSet { local_index });
            }
        }
        if at == table {
            written.truncate(written.len() - 3);
            written.push(Operator::LocalGet { local_index });
            written.push(Operator::I32Load16U { memarg });
        }
        written.push(operator.clone());
    }
    function.operators = written;

    let flow = Flow::of(&function.operators)?;
    let (head, _) = find(&function.operators, &flow)?;
    ensure!(
        flow.live(function)?[head] >> code & 1 == 0,
        "a handler reads the code of the operator before"
    );
    Ok(())
}

/// Makes sure that the first operator's code, too, is what the pointer points to: the loop is entered with `code` loaded from
/// where a local points, `pointer` a copy of that local, and memory as it was then.
fn starts_alike(before: &[Operator<'_>], code: u32, pointer: u32) -> Result<()> {
    let mut loaded = None;
    let mut copied = None;
    for (at, window) in before.windows(3).enumerate() {
        match window {
            [
                Operator::LocalGet { local_index },
                Operator::I32Load16U { memarg },
                Operator::LocalSet {
                    local_index: target,
                },
            ] if *target == code && is_code(memarg) => {
                loaded = Some((*local_index, at + 3));
            }
            [
                _,
                Operator::LocalGet { local_index },
                Operator::LocalSet {
                    local_index: target,
                },
            ] if *target == pointer => copied = Some(*local_index),
            _ => {}
        }
    }
    let times = |local: u32| {
        let sets = before.iter().filter(|operator| {
            matches!(operator, Operator::LocalSet { local_index } | Operator::LocalTee { local_index } if *local_index == local)
        });
        sets.count()
    };
    // Blocks may be opened: without a branch they are no other way.
    let straight = !before.iter().any(|operator| {
        matches!(
            operator,
            Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::BrTable { .. }
        )
    });
    let (Some((from, behind)), Some(same)) = (loaded, copied) else {
        bail!("the first operator's code comes from elsewhere");
    };
    ensure!(
        straight && from == same && times(from) == 0 && times(code) == 1 && times(pointer) == 1,
        "the first operator's code is not what the pointer points to"
    );
    if let Some(other) = before[behind..].iter().find(|operator| !is_quiet(operator)) {
        bail!("between the first operator's code and the loop something may change it: {other:?}");
    }
    Ok(())
}

/// Sets the locals to zero at the loop's head that carry nothing from one operator to the next.
///
/// These are the ones that nothing sets before the loop: LLVM lets several handlers share a local, and where a handler leaves
/// it undefined on some way to its use, the way looks as if it came from the handler before. A variable of the loop that always
/// has a value has one before the loop. One that has not (what is in an `Option`, say) would look the same, so it is checked
/// that no handler needs what another one left: each read of such a local is one that the handler itself sets it for, on one
/// way there or more ([`reads::ensure_own`]).
///
/// What is left to assume is that on the other ways to the same read, its value does not matter. It would if wasmi's loop had
/// a variable without a value at first, and every handler that uses it also set it itself now and then right before. It has
/// none: an operator gets where the next one is, and places and lengths of memory, all of which are set before the loop.
///
/// (binaryen drops a set to zero that is not needed as a local is zero anyway; so it must come after this.)
fn forget(function: &mut Function<'_>, flow: &Flow, (head, table): (usize, usize)) -> Result<()> {
    let live = flow.live(function)?[head];
    let before = set(&function.operators[..head]);
    let mut forgotten: Locals = 0;
    let mut zeroes = Vec::new();
    for (local, of) in function
        .locals
        .iter()
        .enumerate()
        .skip(function.parameters())
    {
        let local_index = local as u32;
        if live >> local & 1 == 0 || before.contains(&local_index) {
            continue;
        }
        forgotten |= 1 << local;
        zeroes.push(match of {
            ValType::I32 => Operator::I32Const { value: 0 },
            ValType::I64 => Operator::I64Const { value: 0 },
            ValType::F32 => Operator::F32Const {
                value: 0_f32.into(),
            },
            ValType::F64 => Operator::F64Const {
                value: 0_f64.into(),
            },
            _ => bail!("a local of type {of}"),
        });
        zeroes.push(Operator::LocalSet { local_index });
    }
    reads::ensure_own(function, flow, (head, table), forgotten)?;
    function.operators.splice(head + 1..head + 1, zeroes);
    Ok(())
}
