//! NaNs: made canonical where they are made.

use super::emitter::Emitter;
use crate::meter::function::nan::Float;
use wasm_encoder::{BlockType, Ieee32, Ieee64, Instruction};

/// The canonical NaNs.
pub(super) const NAN32: u32 = 0x7fc0_0000;
pub(super) const NAN64: u64 = 0x7ff8_0000_0000_0000;

impl Emitter<'_> {
    /// Replaces the float on top of the stack by the canonical NaN if it is a NaN.
    pub(super) fn make_canonical(&mut self, float: Option<Float>) {
        let Some(float) = float else { return };
        let lanes32 = u128::from(NAN32) * 0x1_0000_0001_0000_0001_0000_0001;
        let lanes64 = u128::from(NAN64) << 64 | u128::from(NAN64);
        let vector = |emitter: &mut Self, nan: u128, equal: Instruction<'static>| {
            let value = emitter.vector(0);
            emitter.put(&[
                Instruction::LocalTee(value),
                Instruction::V128Const(nan as i128),
                Instruction::LocalGet(value),
                Instruction::LocalGet(value),
                equal,
                Instruction::V128Bitselect,
            ]);
        };
        // Only a NaN differs from itself.
        let (value, differs, nan) = match float {
            Float::F32 => (
                self.float(false),
                Instruction::F32Ne,
                Instruction::F32Const(Ieee32::new(NAN32)),
            ),
            Float::F64 => (
                self.float(true),
                Instruction::F64Ne,
                Instruction::F64Const(Ieee64::new(NAN64)),
            ),
            Float::F32x4 => return vector(self, lanes32, Instruction::F32x4Eq),
            Float::F64x2 => return vector(self, lanes64, Instruction::F64x2Eq),
        };
        // A branch, not a `select`: nothing waits for a value that is hardly ever a NaN.
        self.put(&[
            Instruction::LocalTee(value),
            Instruction::LocalGet(value),
            differs,
        ]);
        self.unlikely.push(self.code.len() as u32);
        self.put(&[
            Instruction::If(BlockType::Empty),
            nan,
            Instruction::LocalSet(value),
            Instruction::End,
            Instruction::LocalGet(value),
        ]);
    }
}
