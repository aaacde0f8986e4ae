//! Text: splitting, counting words, changing case, formatting and parsing numbers.

use std::collections::HashMap;
use std::fmt::Write;

const TEXT: &str = "Der schnelle braune Fuchs springt über den faulen Hund, und the quick brown fox \
jumps over the lazy dog; zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. \
Portez ce vieux whisky au juge blond qui fume. Съешь же ещё этих мягких французских булок. ";

fn main() {
    let mut sum = bench_programs::START;
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut line = String::new();
    for round in 0..bench_programs::rounds() {
        for word in TEXT.split(|letter: char| !letter.is_alphanumeric()) {
            if !word.is_empty() {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
        line.clear();
        for (index, part) in TEXT.split_inclusive(' ').enumerate() {
            write!(line, "{index}:{:.3}:{part}", f64::from(round) / 7.0)
                .expect("a String takes all");
        }
        let replaced = line.replace("über", "unter");
        let numbers = replaced
            .split(':')
            .filter_map(|part| part.parse::<f64>().ok());
        let total: f64 = numbers.sum();
        sum = bench_programs::mix(sum, total.to_bits());
        sum = bench_programs::mix(sum, replaced.len() as u64);
    }
    // The map's order is random for WASI programs of other hosts; sorted, it is the same everywhere.
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort();
    for (word, count) in words {
        sum = word
            .bytes()
            .fold(sum, |sum, byte| bench_programs::mix(sum, byte.into()));
        sum = bench_programs::mix(sum, count.into());
    }
    println!("{sum:016x}");
}
