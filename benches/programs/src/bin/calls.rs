//! Calls: recursion, and through pointers that no compiler can see through.

use std::hint::black_box;

#[inline(never)]
fn ackermann(m: u32, n: u32) -> u32 {
    match (m, n) {
        (0, n) => n + 1,
        (m, 0) => ackermann(m - 1, 1),
        (m, n) => ackermann(m - 1, ackermann(m, n - 1)),
    }
}

#[inline(never)]
fn fibonacci(n: u32) -> u32 {
    if n < 2 {
        n
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}

trait Shape {
    fn area(&self) -> u64;
}

struct Square(u64);
struct Strip(u64, u64);
struct Triangle(u64);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0 * self.0
    }
}
impl Shape for Strip {
    fn area(&self) -> u64 {
        self.0 * self.1
    }
}
impl Shape for Triangle {
    fn area(&self) -> u64 {
        self.0 * self.0 / 2
    }
}

fn main() {
    let mut sum = bench_programs::START;
    let shapes: Vec<Box<dyn Shape>> = (0..99)
        .map(|index| -> Box<dyn Shape> {
            match index % 3 {
                0 => Box::new(Square(index)),
                1 => Box::new(Strip(index, 7)),
                _ => Box::new(Triangle(index)),
            }
        })
        .collect();
    for round in 0..bench_programs::rounds() {
        sum = bench_programs::mix(sum, ackermann(2, black_box(40 + round % 3)).into());
        sum = bench_programs::mix(sum, fibonacci(black_box(16 + round % 2)).into());
        let area: u64 = black_box(&shapes).iter().map(|shape| shape.area()).sum();
        sum = bench_programs::mix(sum, area);
    }
    println!("{sum:016x}");
}
