//! Where V8 keeps what the loop carries from one operator to the next: the places of operator and frame, the accumulators,
//! where memory is and how long. There are registers enough for all of it, but V8 stores and loads most of it in each operator:
//!
//! - It gives out registers from the loop's head on, handler by handler. The first one in which it runs short puts what no
//!   handler before has read on the stack, and for the whole loop, the head included. So something before all handlers
//!   [reads it](read_first).
//! - It takes an address of 32 bits for one of 64 without a further instruction only if it knows that the upper half is zero.
//!   It knows that of sums and of what is loaded, but not of a function's parameters, which these variables start as: so
//!   [they start as sums](start_as_sums).
//! - Where the table's default is also its first target, binaryen leaves that out and subtracts one from every code. It is
//!   another one now, since there is something on the way to it.

use super::dispatch;
use super::function::{Flow, Function, label};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use wasmparser::{BinaryReader, BlockType, BrTable, Operator, OperatorsReader, ValType};

/// Has V8 keep them in registers.
pub fn shape(function: &mut Function<'_>) -> Result<()> {
    let flow = Flow::of(&function.operators)?;
    let (head, table) = dispatch::find(&function.operators, &flow)?;
    let carried = carried(function, &flow, head)?;
    // From the end, so that places stay what they are.
    let read = read_often(function, &carried, (head, table))?;
    read_first(function, &read, (head, table))?;
    start_as_sums(function, &carried, head)
}

/// The locals that the loop carries.
fn carried(function: &Function<'_>, flow: &Flow, head: usize) -> Result<Vec<u32>> {
    let live = flow.live(function)?[head];
    let changed = dispatch::set(&function.operators[head..]);
    let carried: Vec<u32> = changed
        .into_iter()
        .filter(|local| live >> local & 1 == 1)
        .collect();
    Ok(carried)
}

/// Those that are read a fifth as often as there are handlers, or more often. The others would take a register from all
/// handlers, for few: where memory is, most of all, which made Chromium's code slower.
fn read_often(
    function: &Function<'_>,
    carried: &[u32],
    (head, table): (usize, usize),
) -> Result<Vec<u32>> {
    let Operator::BrTable { targets } = &function.operators[table] else {
        bail!("no table");
    };
    let often = targets.len() as usize / 5;
    let times = |local: u32| {
        let reads = function.operators[head..].iter().filter(|operator| {
            matches!(operator, Operator::LocalGet { local_index } if *local_index == local)
        });
        reads.count()
    };
    let read = carried
        .iter()
        .copied()
        .filter(|&local| times(local) >= often);
    Ok(read.collect())
}

/// Has the table's default, where LLVM leads what no code can be, come by in front of all handlers, which makes it the first of
/// them for V8. There it reads what is carried, and would go on with the next operator if a sum, less another one and with
/// it again, were not the same any more. Since sums wrap around it is, and so it goes where it did; but that is what compilers
/// do not see.
fn read_first(
    function: &mut Function<'_>,
    read: &[u32],
    (head, table): (usize, usize),
) -> Result<()> {
    let (
        Operator::BrTable { targets },
        [
            ..,
            Operator::LocalGet { local_index },
            Operator::I32Load16U { .. },
        ],
    ) = (&function.operators[table], &function.operators[..table])
    else {
        bail!("the table does not look at what a local points to");
    };
    let pointer = *local_index;
    let other = targets.default();
    let mut inside = Vec::new();
    for target in targets.targets() {
        inside.push(target? + 1);
    }
    let back = label(&function.operators, table, head)?;

    // Twice the same, which is not so of what floats make if it is a NaN.
    let one = read
        .iter()
        .copied()
        .find(|&local| matches!(function.locals[local as usize], ValType::I32 | ValType::I64));
    let local = one.context("the loop carries no integer that handlers read")?;
    let one = as_i64(function, local)?;
    let mut code = vec![Operator::I64Const { value: 0 }];
    for &local in read.iter().filter(|&&other| other != local) {
        code.extend(as_i64(function, local)?);
        code.push(Operator::I64Add);
    }
    let local_index = function.add_local(ValType::I64);
    code.push(Operator::LocalSet { local_index });
    code.extend(one.iter().cloned());
    code.extend([
        Operator::LocalGet { local_index },
        Operator::I64Sub,
        Operator::LocalGet { local_index },
        Operator::I64Add,
    ]);
    code.extend(one);
    code.push(Operator::I64Ne);
    let blockty = BlockType::Empty;
    code.push(Operator::If { blockty });
    // As handlers do, so that it is a variable like theirs.
    let local_index = pointer;
    code.extend([
        Operator::LocalGet { local_index },
        Operator::I32Const { value: 2 },
        Operator::I32Add,
        Operator::LocalSet { local_index },
        Operator::Br {
            relative_depth: back + 1,
        },
        Operator::End,
        Operator::Br {
            relative_depth: other,
        },
    ]);

    let operators = &mut function.operators;
    operators[table] = Operator::BrTable {
        targets: br_table(&inside, 0)?,
    };
    code.insert(0, Operator::End);
    operators.splice(table + 1..table + 1, code);
    operators.insert(table - 2, Operator::Block { blockty });
    Ok(())
}

/// A `br_table`. wasmparser only reads them, from bytes that here live as long as the program, which ends soon.
fn br_table(targets: &[u32], default: u32) -> Result<BrTable<'static>> {
    let mut code = Vec::new();
    wasm_encoder::Encode::encode(
        &wasm_encoder::Instruction::BrTable(targets.to_vec().into(), default),
        &mut code,
    );
    let reader = BinaryReader::new(code.leak(), 0);
    match OperatorsReader::new(reader).read()? {
        Operator::BrTable { targets } => Ok(targets),
        other => bail!("{other:?} instead of a table"),
    }
}

/// 64 bits that take a local's value in a register to compute: for floats twice the value, since their bits alone could come
/// from the stack.
fn as_i64<'a>(function: &Function<'_>, local_index: u32) -> Result<Vec<Operator<'a>>> {
    let get = Operator::LocalGet { local_index };
    Ok(match function.locals[local_index as usize] {
        ValType::I64 => vec![get],
        ValType::I32 => vec![get, Operator::I64ExtendI32U],
        ValType::F32 => vec![
            get.clone(),
            get,
            Operator::F32Add,
            Operator::I32ReinterpretF32,
            Operator::I64ExtendI32U,
        ],
        ValType::F64 => vec![
            get.clone(),
            get,
            Operator::F64Add,
            Operator::I64ReinterpretF64,
        ],
        of => bail!("a local of type {of}"),
    })
}

/// Has the locals of 32 bits start as sums: less a parameter that never changes, and with it again.
fn start_as_sums(function: &mut Function<'_>, carried: &[u32], head: usize) -> Result<()> {
    let changed: BTreeSet<u32> = dispatch::set(&function.operators);
    let other = (0..function.parameters() as u32)
        .find(|local| function.locals[*local as usize] == ValType::I32 && !changed.contains(local))
        .context("no parameter that stays as it is")?;
    let mut written = Vec::new();
    for &local_index in carried {
        if function.locals[local_index as usize] != ValType::I32 {
            continue;
        }
        written.extend([
            Operator::LocalGet { local_index },
            Operator::LocalGet { local_index: other },
            Operator::I32Sub,
            Operator::LocalGet { local_index: other },
            Operator::I32Add,
            Operator::LocalSet { local_index },
        ]);
    }
    function.operators.splice(head..head, written);
    Ok(())
}
