//! How the interpreter gets from one operator to the next. Each handler ends by loading the next operator's code into a local
//! and going back to the loop's head, which has one `br_table` for all. V8 keeps that local on the stack, since it has more
//! variables at the loop's head than registers: each operator stores its successor's code and loads it again, and stores more
//! that nothing ever reads.
//!
//! So the head loads the code itself, and the locals that carry nothing from one operator to the next are set to zero there.

use super::MANY;
use super::function::{Flow, Function};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use wasmparser::{MemArg, MemArgTarget, Operator, ValType};

/// Shapes the loop's head and the ends of its handlers.
pub fn shape(function: &mut Function<'_>) -> Result<()> {
    load_at_head(function)?;
    let flow = Flow::of(&function.operators)?;
    let (head, _) = find(&function.operators, &flow)?;
    forget(function, &flow, head)
}

/// Finds the loop's head and the `br_table`.
fn find(operators: &[Operator<'_>], flow: &Flow) -> Result<(usize, usize)> {
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
fn set<'a>(operators: impl IntoIterator<Item = &'a Operator<'a>>) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    for operator in operators {
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = operator {
            all.insert(*local_index);
        }
    }
    all
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
/// where a local points, and `pointer` a copy of that local.
fn starts_alike(before: &[Operator<'_>], code: u32, pointer: u32) -> Result<()> {
    let mut loaded = None;
    let mut copied = None;
    for window in before.windows(3) {
        match window {
            [
                Operator::LocalGet { local_index },
                Operator::I32Load16U { memarg },
                Operator::LocalSet {
                    local_index: target,
                },
            ] if *target == code && is_code(memarg) => loaded = Some(*local_index),
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
    let (Some(from), Some(same)) = (loaded, copied) else {
        bail!("the first operator's code comes from elsewhere");
    };
    ensure!(
        straight && from == same && times(from) == 0 && times(code) == 1 && times(pointer) == 1,
        "the first operator's code is not what the pointer points to"
    );
    Ok(())
}

/// Sets the locals to zero at the loop's head that carry nothing from one operator to the next.
///
/// These are the ones that nothing sets before the loop. LLVM writes such a local only where no value is needed: it lets several
/// handlers share a local, and where a handler's own code leaves it undefined on some way, the way to its use looks as if it
/// came from the handler before. Whatever it is then, nothing may depend on it. Had the loop a variable of its own there, a
/// value would be set before it, as is for all of wasmi's, since Rust has no variables without a value. (binaryen drops such a
/// set if the value is zero, as a local is anyway; so it must come after this.)
fn forget(function: &mut Function<'_>, flow: &Flow, head: usize) -> Result<()> {
    let live = flow.live(function)?[head];
    let before = set(&function.operators[..head]);
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
    function.operators.splice(head + 1..head + 1, zeroes);
    Ok(())
}
