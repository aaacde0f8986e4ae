//! Allocation: trees of boxes made and dropped, vectors that grow, a map that is filled and emptied.

use bench_programs::{Numbers, START, mix, rounds};
use std::collections::BTreeMap;

enum Tree {
    Leaf,
    Fork(Box<Tree>, Box<Tree>),
}

fn grow(depth: u32) -> Tree {
    if depth == 0 {
        Tree::Leaf
    } else {
        Tree::Fork(Box::new(grow(depth - 1)), Box::new(grow(depth - 1)))
    }
}

fn count(tree: &Tree) -> u64 {
    match tree {
        Tree::Leaf => 1,
        Tree::Fork(left, right) => 1 + count(left) + count(right),
    }
}

fn main() {
    let mut numbers = Numbers::new(17);
    let mut sum = START;
    for _ in 0..rounds() {
        sum = mix(sum, count(&grow(10)));

        let mut rows: Vec<Vec<u32>> = Vec::new();
        for length in 0..100 {
            rows.push(Vec::new());
            let row = rows.len() - 1;
            for _ in 0..length {
                rows[row].push(numbers.below(1000));
            }
        }
        sum = mix(sum, rows.iter().flatten().map(|it| u64::from(*it)).sum());

        let mut map: BTreeMap<u32, String> = BTreeMap::new();
        for _ in 0..500 {
            let key = numbers.below(1000);
            map.insert(key, "value".repeat(key as usize % 8));
        }
        while let Some((key, value)) = map.pop_first() {
            sum = mix(sum, u64::from(key) + value.len() as u64);
        }
    }
    println!("{sum:016x}");
}
