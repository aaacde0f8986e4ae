//! SIMD: products of f32 vectors, sums of differences of bytes, a shuffle.
//!
//! Each kernel is a function for the feature, so that the other programs are compiled without it.

use std::arch::wasm32::*;

const SIZE: usize = 4096;

/// The scalar product, in four lanes.
#[target_feature(enable = "simd128")]
fn product(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = f32x4_splat(0.0);
    for (a, b) in left.as_chunks::<4>().0.iter().zip(right.as_chunks::<4>().0) {
        let a = f32x4(a[0], a[1], a[2], a[3]);
        let b = f32x4(b[0], b[1], b[2], b[3]);
        sums = f32x4_add(sums, f32x4_mul(a, b));
    }
    f32x4_extract_lane::<0>(sums)
        + f32x4_extract_lane::<1>(sums)
        + f32x4_extract_lane::<2>(sums)
        + f32x4_extract_lane::<3>(sums)
}

fn load(bytes: &[u8; 16]) -> v128 {
    // SAFETY: `v128` has the size of the array, and every bit pattern is a value of it.
    unsafe { std::mem::transmute(*bytes) }
}

/// How much two pictures differ, and a checksum over them folded.
#[target_feature(enable = "simd128")]
fn difference(left: &[u8], right: &[u8]) -> (u32, u64) {
    let mut total = i32x4_splat(0);
    let mut folded = i64x2_splat(0);
    for (a, b) in left
        .as_chunks::<16>()
        .0
        .iter()
        .zip(right.as_chunks::<16>().0)
    {
        let (a, b) = (load(a), load(b));
        let apart = v128_or(u8x16_sub_sat(a, b), u8x16_sub_sat(b, a));
        let pairs = i16x8_extadd_pairwise_u8x16(apart);
        total = i32x4_add(total, i32x4_extadd_pairwise_u16x8(pairs));
        let turned = i8x16_shuffle::<3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12>(a, b);
        folded = v128_xor(folded, i8x16_swizzle(turned, v128_and(b, u8x16_splat(15))));
    }
    let total = i32x4_extract_lane::<0>(total)
        + i32x4_extract_lane::<1>(total)
        + i32x4_extract_lane::<2>(total)
        + i32x4_extract_lane::<3>(total);
    let folded = i64x2_extract_lane::<0>(folded) ^ i64x2_extract_lane::<1>(folded);
    (total as u32, folded as u64)
}

fn main() {
    let mut numbers = bench_programs::Numbers::new(13);
    let mut floats = || -> Vec<f32> {
        (0..SIZE)
            .map(|_| numbers.below(1000) as f32 / 1024.0)
            .collect()
    };
    let (left, right) = (floats(), floats());
    let mut bytes = || -> Vec<u8> { (0..SIZE).map(|_| numbers.below(256) as u8).collect() };
    let (mut picture, other) = (bytes(), bytes());
    let mut sum = bench_programs::START;
    for round in 0..bench_programs::rounds() as usize * 10 {
        picture[round % SIZE] ^= 0x55;
        let scalar = product(&left, &right);
        let (total, folded) = difference(&picture, &other);
        sum = bench_programs::mix(sum, scalar.to_bits().into());
        sum = bench_programs::mix(sum, u64::from(total) ^ folded);
    }
    println!("{sum:016x}");
}
