//! A call sets the callee's locals to zero, which LLVM writes as `memory.fill`. V8 has that done by a function in C++, which
//! takes longer than the rest of the call; a loop of stores is quicker for the few locals that a function has.

use super::function::Function;
use anyhow::{Result, ensure};
use wasmparser::{BlockType, MemArg, MemArgTarget, Operator, ValType};

/// 64 bits, somewhere.
const STORE: MemArg = MemArg {
    align: 3,
    max_align: 3,
    offset: 0,
    target: MemArgTarget::Memory(0),
    ordering: None,
};

/// More bytes than this are left to `memory.fill`.
const FEW: i32 = 512;

/// Makes a loop of each `memory.fill` that fills with zeroes.
pub fn shape(function: &mut Function<'_>) -> Result<()> {
    let found = replace(function);
    ensure!(
        found == 2,
        "{found} places set locals to zero, instead of one for calls and one for tail calls"
    );
    Ok(())
}

/// Replaces all; tells how many.
pub fn replace(function: &mut Function<'_>) -> usize {
    let length = function.add_local(ValType::I32);
    let place = function.add_local(ValType::I32);
    let mut operators = Vec::with_capacity(function.operators.len());
    let mut found = 0;
    for operator in std::mem::take(&mut function.operators) {
        let zeroes = |last: &[Operator<'_>]| {
            matches!(
                last,
                [
                    ..,
                    Operator::I32Const { value: 0 },
                    Operator::LocalGet { .. }
                ]
            )
        };
        match operator {
            Operator::MemoryFill { mem: 0 } if zeroes(&operators) => {
                found += 1;
                operators.extend(fill(length, place));
            }
            _ => operators.push(operator),
        }
    }
    function.operators = operators;
    found
}

/// Does what `memory.fill` does if the value is zero and the place is within memory, as a frame's locals are. It goes backwards,
/// so that one local is enough to count and to point.
fn fill<'a>(length: u32, place: u32) -> Vec<Operator<'a>> {
    use Operator::{
        Block, Br, BrIf, Drop, End, I32Add, I32And, I32Const, I32Eqz, I32GtU, I32Or, I32Sub,
        I64Const, I64Store, LocalGet, LocalSet, LocalTee, Loop, MemoryFill,
    };
    let blockty = BlockType::Empty;
    let local_index = length;
    vec![
        LocalSet { local_index },
        Drop,
        LocalSet { local_index: place },
        Block { blockty },
        Block { blockty },
        // Values of 64 bits, and few: what a frame's locals are.
        LocalGet { local_index },
        I32Const { value: 7 },
        I32And,
        LocalGet { local_index },
        I32Const { value: FEW },
        I32GtU,
        I32Or,
        BrIf { relative_depth: 0 },
        Loop { blockty },
        LocalGet { local_index },
        I32Eqz,
        BrIf { relative_depth: 2 },
        LocalGet { local_index: place },
        LocalGet { local_index },
        I32Const { value: 8 },
        I32Sub,
        LocalTee { local_index },
        I32Add,
        I64Const { value: 0 },
        I64Store { memarg: STORE },
        Br { relative_depth: 0 },
        End,
        End,
        LocalGet { local_index: place },
        I32Const { value: 0 },
        LocalGet { local_index },
        MemoryFill { mem: 0 },
        End,
    ]
}
