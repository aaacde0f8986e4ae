//! Random sequences of filesystem calls, carried out by the guest `fsops` on both hosts: the same errno for each call
//! and the same tree at the end.
//!
//! The seed is fixed, so a failure is there again the next time. `VERIRUN_FSOPS_CASES=5000` tries more sequences, and
//! `VERIRUN_FSOPS_SEED=7` others.

use super::support::oracle::run_on_oracle;
use super::support::verirun::run_on_verirun;
use super::support::{Case, End, guest};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Few names, so that calls meet what earlier calls made.
fn path() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["a", "b", "c", "d"]);
    prop_oneof![
        8 => name().prop_map(str::to_owned),
        6 => (name(), name()).prop_map(|(a, b)| format!("{a}/{b}")),
        2 => (name(), name(), name()).prop_map(|(a, b, c)| format!("{a}/{b}/{c}")),
        1 => name().prop_map(|a| format!("{a}/../{a}")),
        1 => (name(), name()).prop_map(|(a, b)| format!("./{a}//{b}")),
        1 => Just(".".to_owned()),
    ]
}

/// Such a path, or one that leaves the preopen. Only for calls with one path: with two, hosts differ in what they
/// refuse first.
fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![
        16 => path(),
        1 => Just("../a".to_owned()),
        1 => Just("a/../../b".to_owned()),
    ]
}

fn slot() -> impl Strategy<Value = usize> {
    0..4usize
}

/// TRUNC and APPEND only with the right to write, and not together: Rust's std, below the oracle, refuses the rest or
/// takes APPEND for a wish to write.
fn open_call(
    slot: usize,
    path: &str,
    oflags: u32,
    fdflags: u32,
    access: u32,
    follow: u32,
) -> String {
    let truncates = oflags & 8 != 0;
    // Not following a symlink and wanting a directory: ELOOP or ENOTDIR, whichever comes first.
    let follow = if oflags & 2 != 0 { 1 } else { follow };
    let fdflags = if truncates { 0 } else { fdflags };
    // cap-std opens what it may create for writing, whatever the rights.
    let writes = truncates || fdflags != 0 || oflags & 1 != 0;
    let access = if writes { access | 2 } else { access };
    format!("open {slot} {path} {oflags} {fdflags} {access} {follow}")
}

/// Sequences with either `pwrite` or append mode: the two together are a known difference (see `APPEND_PWRITE`).
fn script() -> impl Strategy<Value = Vec<String>> {
    (any::<bool>(), prop::collection::vec(call(), 1..80)).prop_map(|(append, calls)| {
        let without_append = |call: String| match call.split(' ').collect::<Vec<_>>()[..] {
            ["open", slot, path, oflags, _, access, follow] => {
                format!("open {slot} {path} {oflags} 0 {access} {follow}")
            }
            _ => call,
        };
        match append {
            true => calls
                .into_iter()
                .filter(|call| !call.starts_with("pwrite"))
                .collect(),
            false => calls.into_iter().map(without_append).collect(),
        }
    })
}

fn call() -> impl Strategy<Value = String> {
    // `oflags` that any host agrees on: DIRECTORY never with the others.
    let oflags = prop::sample::select(vec![0u32, 0, 1, 1, 1, 5, 8, 9, 13, 2]);
    let follow = || 0..2u32;
    let target = || {
        prop_oneof![
            4 => path(),
            1 => Just("../a".to_owned()),
            1 => Just("..".to_owned()),
            1 => Just("../../b".to_owned()),
        ]
    };
    prop_oneof![
        8 => (slot(), any_path(), oflags, prop::sample::select(vec![0u32, 0, 0, 1]), 1..4u32, follow())
            .prop_map(|(s, p, o, f, a, l)| open_call(s, &p, o, f, a, l)),
        2 => slot().prop_map(|s| format!("close {s}")),
        1 => slot().prop_map(|s| format!("tell {s}")),
        2 => slot().prop_map(|s| format!("fstat {s}")),
        2 => slot().prop_map(|s| format!("list {s}")),
        4 => (slot(), "[a-z]{0,9}").prop_map(|(s, t)| format!("write {s} {t}")),
        2 => (slot(), 0..40u32, "[A-Z]{0,5}").prop_map(|(s, o, t)| format!("pwrite {s} {o} {t}")),
        3 => (slot(), 0..30u32).prop_map(|(s, n)| format!("read {s} {n}")),
        2 => (slot(), 0..50u32, 0..30u32).prop_map(|(s, o, n)| format!("pread {s} {o} {n}")),
        2 => (slot(), -20..40i32, 0..3u32).prop_map(|(s, o, w)| format!("seek {s} {o} {w}")),
        2 => (slot(), 0..60u32).prop_map(|(s, n)| format!("size {s} {n}")),
        1 => (slot(), slot()).prop_map(|(a, b)| format!("renumber {a} {b}")),
        5 => any_path().prop_map(|p| format!("mkdir {p}")),
        2 => any_path().prop_map(|p| format!("rmdir {p}")),
        3 => any_path().prop_map(|p| format!("unlink {p}")),
        1 => any_path().prop_map(|p| format!("readlink {p}")),
        3 => (any_path(), follow()).prop_map(|(p, f)| format!("stat {p} {f}")),
        1 => (any_path(), follow()).prop_map(|(p, f)| format!("times {p} {f}")),
        3 => (path(), path()).prop_map(|(a, b)| format!("link {a} {b}")),
        3 => (target(), path()).prop_map(|(a, b)| format!("symlink {a} {b}")),
        4 => (path(), path()).prop_map(|(a, b)| format!("rename {a} {b}")),
    ]
}

/// One name for errors that say the same of a call.
fn alike<'a>(call: &str, value: &'a str) -> &'a str {
    // Numbered, then the call's name.
    let name = call.split(' ').nth(1).unwrap_or("");
    match (name, value) {
        // A descriptor without the right: the specification's errno, and what the operating system says.
        (
            "read" | "pread" | "write" | "pwrite" | "seek" | "tell" | "size" | "list",
            "ENOTCAPABLE",
        ) => "EBADF",
        // Both apply: a directory cannot be sized, and a negative offset in it means nothing.
        ("size" | "seek", "EINVAL") => "EBADF",
        // With two paths there may be two reasons to refuse, and no order between them.
        ("link" | "rename", errno) if errno.starts_with('E') => "refused",
        // A path that leaves its preopen.
        (_, "ENOTCAPABLE") => "EPERM",
        _ => value,
    }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn random_calls_have_the_same_effect() {
    let fsops = guest("fsops");
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&setting("VERIRUN_FSOPS_SEED", 1).to_le_bytes());
    let config = Config {
        cases: u32::try_from(setting("VERIRUN_FSOPS_CASES", 64)).expect("a sensible number"),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcome = runner.run(&script(), |calls| {
        let case = Case {
            stdin: format!("{}\n", calls.join("\n")).into_bytes(),
            ..Case::default()
        };
        let (ours, oracle) = (run_on_verirun(&fsops, &case), run_on_oracle(&fsops, &case));
        prop_assert_eq!(&ours.end, &End::Exit(0));
        prop_assert_eq!(&oracle.end, &End::Exit(0));
        for (here, there) in ours.checks().iter().zip(oracle.checks()) {
            prop_assert_eq!(&here.name, &there.name);
            let (left, right) = (
                alike(&here.name, &here.value),
                alike(&there.name, &there.value),
            );
            prop_assert_eq!(left, right, "{}: Verirun left, wasmi_wasi right", here.name);
        }
        prop_assert_eq!(ours.checks().len(), oracle.checks().len());
        prop_assert_eq!(&ours.tree, &oracle.tree);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
