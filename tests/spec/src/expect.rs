//! Arguments and expected results, as the tests write them.

use crate::support::Value;
use wast::core::{HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};

/// An argument, if it is one that these features have.
pub fn argument(arg: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(arg) = arg else {
        return None;
    };
    Some(match arg {
        WastArgCore::I32(value) => Value::I32(*value as u32),
        WastArgCore::I64(value) => Value::I64(*value as u64),
        WastArgCore::F32(value) => Value::F32(value.bits),
        WastArgCore::F64(value) => Value::F64(value.bits),
        WastArgCore::V128(value) => Value::V128(u128::from_le_bytes(value.to_le_bytes())),
        WastArgCore::RefNull(HeapType::Abstract { ty, .. }) => match ty {
            wast::core::AbstractHeapType::Extern => Value::Extern(None),
            wast::core::AbstractHeapType::Func => Value::Func { null: true },
            _ => return None,
        },
        WastArgCore::RefExtern(value) => Value::Extern(Some(*value)),
        _ => return None,
    })
}

fn fits32(found: u32, expected: &NanPattern<wast::token::F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => found & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => found & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => found == value.bits,
    }
}

fn fits64(found: u64, expected: &NanPattern<wast::token::F64>) -> bool {
    let quiet = 0x7ff8_0000_0000_0000;
    match expected {
        NanPattern::CanonicalNan => found & !(1 << 63) == quiet,
        NanPattern::ArithmeticNan => found & quiet == quiet,
        NanPattern::Value(value) => found == value.bits,
    }
}

/// Whether a result is what the test asks for, bit by bit, or of the kind of NaN.
pub fn fits(found: &Value, expected: &WastRet<'_>) -> bool {
    match expected {
        WastRet::Core(expected) => fits_core(found, expected),
        _ => false,
    }
}

fn fits_core(found: &Value, expected: &WastRetCore<'_>) -> bool {
    match (found, expected) {
        (found, WastRetCore::Either(ways)) => ways.iter().any(|way| fits_core(found, way)),
        (Value::I32(found), WastRetCore::I32(value)) => *found == *value as u32,
        (Value::I64(found), WastRetCore::I64(value)) => *found == *value as u64,
        (Value::F32(found), WastRetCore::F32(value)) => fits32(*found, value),
        (Value::F64(found), WastRetCore::F64(value)) => fits64(*found, value),
        (Value::V128(found), WastRetCore::V128(pattern)) => fits_vector(*found, pattern),
        (Value::Func { null: true } | Value::Extern(None), WastRetCore::RefNull(_)) => true,
        (Value::Extern(Some(found)), WastRetCore::RefExtern(value)) => {
            value.is_none_or(|value| *found == value)
        }
        (Value::Func { null: false }, WastRetCore::RefFunc(_)) => true,
        _ => false,
    }
}

fn fits_vector(found: u128, pattern: &V128Pattern) -> bool {
    let bytes = found.to_le_bytes();
    let lane32 = |index: usize| (found >> (32 * index)) as u32;
    let lane64 = |index: usize| (found >> (64 * index)) as u64;
    match pattern {
        V128Pattern::I8x16(lanes) => bytes.map(|byte| byte as i8) == *lanes,
        V128Pattern::I16x8(lanes) => {
            (0..8).all(|index| (found >> (16 * index)) as i16 == lanes[index])
        }
        V128Pattern::I32x4(lanes) => (0..4).all(|index| lane32(index) as i32 == lanes[index]),
        V128Pattern::I64x2(lanes) => (0..2).all(|index| lane64(index) as i64 == lanes[index]),
        V128Pattern::F32x4(lanes) => (0..4).all(|index| fits32(lane32(index), &lanes[index])),
        V128Pattern::F64x2(lanes) => (0..2).all(|index| fits64(lane64(index), &lanes[index])),
    }
}

/// Whether a trap of this kind is the one that the test names. The suites of versions and proposals differ in words.
pub fn fits_trap(kind: &str, message: &str) -> bool {
    let starts: &[&str] = match kind {
        "unreachable" => &["unreachable"],
        "memory out of bounds" => &["out of bounds memory access"],
        "table out of bounds" => &["out of bounds table access", "undefined"],
        "call to null" => &["uninitialized", "null function"],
        "division by zero" => &["integer divide by zero"],
        "integer overflow" => &["integer overflow"],
        "bad conversion" => &["invalid conversion to integer"],
        "bad signature" => &["indirect call"],
        _ => &[],
    };
    starts.iter().any(|start| message.starts_with(start))
        || message == "out of bounds" && kind.ends_with(message)
}
