//! Relaxed SIMD, made deterministic: each operator becomes what the specification's deterministic
//! profile prescribes, in ordinary SIMD, on every engine. (No fused multiply-add, saturating where
//! engines may wrap, `bitselect` for lane selection.)

use super::function::Emitter;
use wasm_encoder::Instruction as I;

/// Writes the replacement of the relaxed operator `number` (as encoded behind the prefix 0xfd).
pub(super) fn emit(emitter: &mut Emitter<'_>, number: u32) {
    let same = |emitter: &mut Emitter<'_>, instruction: I<'_>| emitter.put(&[instruction]);
    match number {
        0x100 => same(emitter, I::I8x16Swizzle),
        0x101 => same(emitter, I::I32x4TruncSatF32x4S),
        0x102 => same(emitter, I::I32x4TruncSatF32x4U),
        0x103 => same(emitter, I::I32x4TruncSatF64x2SZero),
        0x104 => same(emitter, I::I32x4TruncSatF64x2UZero),
        0x105 => multiply_add(emitter, &[I::F32x4Mul], I::F32x4Add),
        0x106 => multiply_add(emitter, &[I::F32x4Mul, I::F32x4Neg], I::F32x4Add),
        0x107 => multiply_add(emitter, &[I::F64x2Mul], I::F64x2Add),
        0x108 => multiply_add(emitter, &[I::F64x2Mul, I::F64x2Neg], I::F64x2Add),
        0x109..=0x10c => same(emitter, I::V128Bitselect),
        0x10d => same(emitter, I::F32x4Min),
        0x10e => same(emitter, I::F32x4Max),
        0x10f => same(emitter, I::F64x2Min),
        0x110 => same(emitter, I::F64x2Max),
        0x111 => same(emitter, I::I16x8Q15MulrSatS),
        0x112 => dot(emitter),
        _ => {
            // The accumulator is on top of the two factors.
            let sum = emitter.vector(2);
            emitter.put(&[I::LocalSet(sum)]);
            dot(emitter);
            emitter.put(&[I::I32x4ExtAddPairwiseI16x8S, I::LocalGet(sum), I::I32x4Add]);
        }
    }
}

fn multiply_add(emitter: &mut Emitter<'_>, multiply: &[I<'_>], add: I<'_>) {
    let addend = emitter.vector(0);
    emitter.put(&[I::LocalSet(addend)]);
    emitter.put(multiply);
    emitter.put(&[I::LocalGet(addend), add]);
}

/// Products of signed bytes, neighbours added with saturation.
fn dot(emitter: &mut Emitter<'_>) {
    let (a, b) = (emitter.vector(0), emitter.vector(1));
    // The 16-bit lanes with even, and with odd numbers, of two vectors.
    let even = [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29];
    let odd = even.map(|byte| byte + 2);
    emitter.put(&[
        I::LocalSet(b),
        I::LocalTee(a),
        I::LocalGet(b),
        I::I16x8ExtMulLowI8x16S,
        I::LocalGet(a),
        I::LocalGet(b),
        I::I16x8ExtMulHighI8x16S,
        I::LocalSet(b),
        I::LocalTee(a),
        I::LocalGet(b),
        I::I8x16Shuffle(even),
        I::LocalGet(a),
        I::LocalGet(b),
        I::I8x16Shuffle(odd),
        I::I16x8AddSatS,
    ]);
}
