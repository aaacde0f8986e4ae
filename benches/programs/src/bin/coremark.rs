//! CoreMark 1.0: lists, matrices, a state machine, checksums.

use coremark::{Config, run};

fn main() {
    let result = run(&Config {
        iterations: bench_programs::rounds(),
        ..Config::default()
    });
    // The three that the benchmark's rules name for this run; the fourth depends on the rounds.
    assert_eq!(
        (result.crclist, result.crcmatrix, result.crcstate),
        (0xe714, 0x1fd7, 0x8e3a),
        "CoreMark computed something else than it must"
    );
    println!("{:04x}", result.crcfinal);
}
