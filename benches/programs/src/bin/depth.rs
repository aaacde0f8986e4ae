//! Depth: calls nested by the ten thousand. What an interpreter keeps on its host's stack for each shows here.

fn descend(depth: u32, sum: u64) -> u64 {
    if depth == 0 {
        return sum;
    }
    // Mixing after the call keeps it from being a loop.
    bench_programs::mix(descend(depth - 1, sum ^ u64::from(depth)), depth.into())
}

fn main() {
    let mut sum = bench_programs::START;
    for _ in 0..bench_programs::rounds() {
        sum = descend(std::hint::black_box(50_000), sum);
    }
    println!("{sum:016x}");
}
