//! Branches that no predictor foresees: a little virtual machine with a `match` as its heart.

use bench_programs::{Numbers, START, mix, rounds};

#[derive(Clone, Copy)]
enum Code {
    Add(u8),
    Xor(u8),
    Turn(u8),
    Scale(u8),
    Swap,
    Halve,
    SkipIfOdd,
    SkipIfBelow(u8),
    Load(u8),
    Store(u8),
}

fn program(numbers: &mut Numbers) -> Vec<Code> {
    (0..2000)
        .map(|_| {
            let value = numbers.below(256) as u8;
            match numbers.below(10) {
                0 => Code::Add(value),
                1 => Code::Xor(value),
                2 => Code::Turn(value),
                3 => Code::Scale(value),
                4 => Code::Swap,
                5 => Code::Halve,
                6 => Code::SkipIfOdd,
                7 => Code::SkipIfBelow(value),
                8 => Code::Load(value),
                _ => Code::Store(value),
            }
        })
        .collect()
}

fn execute(program: &[Code], memory: &mut [u32; 256], mut a: u32, mut b: u32) -> u32 {
    let mut at = 0;
    while let Some(code) = program.get(at) {
        at += 1;
        match *code {
            Code::Add(value) => a = a.wrapping_add(value.into()),
            Code::Xor(value) => a ^= u32::from(value) << 8,
            Code::Turn(value) => a = a.rotate_left(value.into()),
            Code::Scale(value) => a = a.wrapping_mul(u32::from(value) | 1),
            Code::Swap => std::mem::swap(&mut a, &mut b),
            Code::Halve => b /= 2,
            Code::SkipIfOdd if a & 1 == 1 => at += 1,
            Code::SkipIfBelow(value) if (b as u8) < value => at += 3,
            Code::SkipIfOdd | Code::SkipIfBelow(_) => {}
            Code::Load(place) => b = b.wrapping_add(memory[usize::from(place)]),
            Code::Store(place) => memory[usize::from(place)] = a,
        }
    }
    a ^ b
}

fn main() {
    let program = program(&mut Numbers::new(11));
    let mut memory = [0; 256];
    let mut sum = START;
    for round in 0..rounds() * 10 {
        let value = execute(&program, &mut memory, round, !round);
        sum = mix(sum, value.into());
    }
    println!("{sum:016x}");
}
