//! What a task may choose of the deterministic profile, seen by a guest: clock and random bytes.

use verirun::{ClockMode, Input, Module, Outcome, Random, Run, State, Task};

/// Writes three things: the time, the time after sleeping for a second, 16 random bytes.
const GUEST: &[u8] = br#"(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0)))
    ;; A subscription at 64: the monotonic clock, in 1 000 000 000 ns.
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 1000000000))
    (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)))
    (drop (call $time (i32.const 0) (i64.const 0) (i32.const 8)))
    (drop (call $random (i32.const 16) (i32.const 16)))
    (i32.store (i32.const 204) (i32.const 32))
    (drop (call $write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 208)))))"#;

const EPOCH: u64 = 100_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// The two times and the random bytes that the guest saw.
fn see(clock: ClockMode, random: Random) -> (u64, u64, [u8; 16]) {
    let module = Module::load("profile.wat", GUEST).expect("it loads");
    let task = Task {
        stdin: Input::Bytes(Vec::new()),
        clock,
        random,
        ..Task::default()
    };
    let mut run = Run::start(&module, &task).expect("it starts");
    let mut output = Vec::new();
    while run.slice(1_000) == State::Running {}
    for chunk in run.take_output() {
        output.extend(chunk.bytes);
    }
    assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }));
    let time = |at: usize| u64::from_le_bytes(output[at..at + 8].try_into().expect("8 bytes"));
    (time(0), time(8), output[16..].try_into().expect("16 bytes"))
}

#[test]
fn a_fixed_clock_stands_still_over_a_sleep() {
    let (before, after, _) = see(ClockMode::Fixed, Random::default());
    assert_eq!((before, after), (EPOCH, EPOCH));
}

#[test]
fn a_virtual_clock_jumps_over_a_sleep_and_is_the_same_in_each_run() {
    let (before, after, _) = see(ClockMode::Virtual, Random::default());
    // A nanosecond for each step before the call.
    assert!((EPOCH + 1..EPOCH + 1000).contains(&before), "{before}");
    // The sleep, and the few steps around it.
    let passed = after - before;
    assert!((SECOND + 1..SECOND + 1000).contains(&passed), "{passed}");
    assert_eq!(see(ClockMode::Virtual, Random::default()).0, before);
    assert_eq!(see(ClockMode::Virtual, Random::default()).1, after);
}

#[test]
fn random_bytes_follow_the_seed() {
    let bytes = |random| see(ClockMode::Fixed, random).2;
    assert_eq!(bytes(Random::TruebitV1), [42; 16]);
    let seeded = |seed| bytes(Random::choose(None, Some(seed)).expect("a seed"));
    assert_eq!(seeded("0"), bytes(Random::default()));
    assert_eq!(seeded("2a"), seeded("2A"));
    assert_ne!(seeded("2a"), seeded("2b"));
    // ChaCha20 with a key of zeros (RFC 8439, A.1, first test vector).
    let vector = "76b8e0ada0f13d90405d6ae55386bd28";
    let hex: String = seeded("0")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, vector);
}
