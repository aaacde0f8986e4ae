//! Memory: loads and stores near and far, copies of 64 KiB, a sieve.

const SIZE: usize = 1 << 18;

fn main() {
    let mut numbers = bench_programs::Numbers::new(7);
    let mut next: Vec<u32> = (0..SIZE as u32).collect();
    // Sattolo's shuffle: one cycle through all.
    for index in (1..SIZE).rev() {
        next.swap(index, numbers.below(index as u32) as usize);
    }
    let mut bytes: Vec<u8> = next.iter().map(|it| *it as u8).collect();
    let mut sum = bench_programs::START;
    let mut place = 0;
    for round in 0..bench_programs::rounds() {
        for _ in 0..20_000 {
            place = next[place] as usize;
        }
        sum = bench_programs::mix(sum, place as u64);

        let half = SIZE / 2;
        for block in 0..2 {
            bytes.copy_within(block << 16..(block + 1) << 16, half + (block << 16));
        }
        bytes[round as usize % half] ^= 1;
        sum = bench_programs::mix(sum, bytes[half + round as usize % half].into());

        let mut composite = [false; 8192];
        let mut primes = 0;
        for number in 2..composite.len() {
            if composite[number] {
                continue;
            }
            primes += 1;
            for multiple in (number * number..composite.len()).step_by(number) {
                composite[multiple] = true;
            }
        }
        sum = bench_programs::mix(sum, primes);
    }
    println!("{sum:016x}");
}
