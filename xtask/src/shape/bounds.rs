//! A load or store looks four times whether it is within memory: whether address and offset together need more than 64 bits or
//! more than 32, and whether they and the value's size are below the memory's length. Two comparisons say the same.

use super::function::Function;
use anyhow::{Result, ensure};
use wasmparser::Operator;

/// How many loads and stores of wasmi have a check that is merged. Fewer would mean that some go the long way again without
/// anyone noticing, and more that there is something new to look at.
pub const CHECKS: usize = 97;

/// Operators that the longer form of the check consists of.
const LONG: usize = 20;

/// Operators that the form for one byte consists of.
const SHORT: usize = 14;

/// Merges the checks of all loads and stores at an address and an offset of 16 bits in the first memory, which are the ones
/// that programs consist of.
pub fn shape(function: &mut Function<'_>) -> Result<()> {
    let found = merge(function);
    ensure!(
        found == CHECKS,
        "{found} loads and stores look as known whether they are within memory, instead of {CHECKS}"
    );
    Ok(())
}

/// Merges all checks; tells how many.
pub fn merge(function: &mut Function<'_>) -> usize {
    let operators = std::mem::take(&mut function.operators);
    let mut written: Vec<Operator<'_>> = Vec::with_capacity(operators.len());
    let mut found = 0;
    let mut rest = operators.as_slice();
    while let Some((operator, after)) = rest.split_first() {
        if let Some((check, length)) = Check::read(rest)
            && summand(&written) == Some(check.address)
        {
            found += 1;
            written.extend(check.write());
            rest = &rest[length..];
            continue;
        }
        written.push(operator.clone());
        rest = after;
    }
    function.operators = written;
    found
}

/// The local that an offset of 16 bits, which a local points to, was added to, if that is what `operators` end with.
fn summand(operators: &[Operator<'_>]) -> Option<u32> {
    let [
        ..,
        Operator::LocalGet { local_index } | Operator::LocalTee { local_index },
        // The pointer: nothing that changes the local before.
        Operator::LocalGet { .. },
        Operator::I64Load16U { .. },
        Operator::I64Add,
    ] = operators
    else {
        return None;
    };
    Some(*local_index)
}

/// A check. What is on the stack is the sum of address and offset.
struct Check {
    /// The local for the sum.
    sum: u32,
    /// The local that holds the address, 64 bits whose upper half may be anything.
    address: u32,
    /// The local that holds the memory's length, in bytes.
    length: u32,
    /// The local for the sum's lower half.
    low: u32,
    /// Bytes that are accessed, less one.
    last: u32,
    /// Where to if it is not within memory.
    outside: u32,
}

impl Check {
    /// Recognises a check at the start of `operators`, and tells how long it is.
    fn read(operators: &[Operator<'_>]) -> Option<(Self, usize)> {
        use Operator::{
            BrIf, I32Const, I32LeU, I32LtU, I32Sub, I32WrapI64, I64Const, I64GtU, I64LtU, LocalGet,
            LocalTee,
        };
        let [
            LocalTee { local_index: sum },
            LocalGet {
                local_index: address,
            },
            I64LtU,
            BrIf {
                relative_depth: outside,
            },
            LocalGet { local_index: sum2 },
            I64Const { value: 0xffff_ffff },
            I64GtU,
            BrIf {
                relative_depth: outside2,
            },
            LocalGet {
                local_index: length,
            },
            LocalGet { local_index: sum3 },
            I32WrapI64,
            LocalTee { local_index: low },
            compare,
            BrIf {
                relative_depth: outside3,
            },
            rest @ ..,
        ] = operators
        else {
            return None;
        };
        let alike = [sum2, sum3] == [sum, sum] && [outside2, outside3] == [outside, outside];
        // The sum must be a local of its own, and the length still there when it is read again.
        let apart = sum != address && low != length;
        if !alike || !apart {
            return None;
        }
        let (last, operators) = match (compare, rest) {
            (I32LeU, _) => (0, SHORT),
            (
                I32LtU,
                [
                    LocalGet {
                        local_index: length2,
                    },
                    LocalGet { local_index: low2 },
                    I32Sub,
                    I32Const { value },
                    I32LeU,
                    BrIf {
                        relative_depth: outside4,
                    },
                    ..,
                ],
            ) if (length2, low2, outside4) == (length, low, outside) => {
                (u32::try_from(*value).ok()?, LONG)
            }
            _ => return None,
        };
        let check = Self {
            sum: *sum,
            address: *address,
            length: *length,
            low: *low,
            last,
            outside: *outside,
        };
        Some((check, operators))
    }

    /// The same in two comparisons. [`within`] is what they compute, and its test that it is the same.
    fn write<'a>(&self) -> Vec<Operator<'a>> {
        use Operator::{
            BrIf, I32Eqz, I32WrapI64, I64Add, I64Const, I64Eqz, I64ExtendI32U, I64GeU, I64Or,
            I64ShrU, LocalGet, LocalSet, LocalTee,
        };
        let outside = BrIf {
            relative_depth: self.outside,
        };
        let (sum, address, length) = (self.sum, self.address, self.length);
        vec![
            LocalTee { local_index: sum },
            LocalGet {
                local_index: address,
            },
            I64Or,
            I64Const { value: 32 },
            I64ShrU,
            I64Eqz,
            I32Eqz,
            outside.clone(),
            // Before the second branch, as it was.
            LocalGet { local_index: sum },
            I32WrapI64,
            LocalSet {
                local_index: self.low,
            },
            LocalGet { local_index: sum },
            I64Const {
                value: self.last.into(),
            },
            I64Add,
            LocalGet {
                local_index: length,
            },
            I64ExtendI32U,
            I64GeU,
            outside,
        ]
    }
}

/// Whether an access to `last + 1` bytes at `address + offset` is within a memory of `length` bytes, as [`Check::write`] has it.
///
/// If the address has more than 32 bits it is outside, whatever the sum is. If it has not, the sum has 33 bits at most, as the
/// offset has 16; so no addition here wraps that is still looked at.
#[cfg(test)]
pub fn within(address: u64, offset: u16, length: u32, last: u32) -> bool {
    let sum = address.wrapping_add(offset.into());
    (sum | address) >> 32 == 0 && sum + u64::from(last) < u64::from(length)
}
