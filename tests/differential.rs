//! The guests of `tests/guests` on Verirun and on `wasmi_wasi` over a temporary directory: the same answers, line by
//! line, and the same files, but for the differences in [`known`], each with its reason. An entry there that is no
//! longer needed fails the test.
//!
//! [`fsops`] compares random sequences of filesystem calls in the same way.

#[path = "differential/fsops.rs"]
mod fsops;
#[path = "differential/known.rs"]
mod known;
mod support;

use known::{Difference, KNOWN};
use std::collections::BTreeMap;
use support::oracle::run_on_oracle;
use support::verirun::run_on_verirun;
use support::{Case, Outcome, guest};

/// The differences of two runs, as lines `(name, on Verirun, on the oracle)`; `-` where one host has no such line.
fn differences(ours: &Outcome, oracle: &Outcome) -> Vec<(String, String, String)> {
    let values = |outcome: &Outcome| -> BTreeMap<String, String> {
        outcome
            .checks()
            .into_iter()
            .map(|check| (check.name, check.value))
            .collect()
    };
    let (ours_by_name, oracle_by_name) = (values(ours), values(oracle));
    let mut names: Vec<String> = ours.checks().into_iter().map(|check| check.name).collect();
    names.extend(
        oracle_by_name
            .keys()
            .filter(|name| !ours_by_name.contains_key(*name))
            .cloned(),
    );
    let show = |values: &BTreeMap<String, String>, name: &str| {
        values.get(name).cloned().unwrap_or("-".into())
    };
    let mut found: Vec<_> = names
        .iter()
        .map(|name| {
            (
                name.clone(),
                show(&ours_by_name, name),
                show(&oracle_by_name, name),
            )
        })
        .filter(|(_, ours, oracle)| alike(ours) != alike(oracle))
        .collect();
    if ours.end != oracle.end {
        found.push((
            "(end)".into(),
            format!("{:?}", ours.end),
            format!("{:?}", oracle.end),
        ));
    }
    let paths: std::collections::BTreeSet<_> = ours.tree.keys().chain(oracle.tree.keys()).collect();
    for path in paths {
        let (ours, oracle) = (ours.tree.get(path), oracle.tree.get(path));
        if ours != oracle {
            found.push((
                format!("(file) {path}"),
                format!("{ours:?}"),
                format!("{oracle:?}"),
            ));
        }
    }
    found
}

/// One name for errors that say the same: EPERM and ENOTCAPABLE both say that a path leaves its preopen, and the
/// hosts are divided (wasmtime the one, uvwasi the other).
fn alike(value: &str) -> &str {
    match value {
        "ENOTCAPABLE" => "EPERM",
        other => other,
    }
}

/// Whether `entry` is about this guest; what is about a guest is about its double for `wasi_unstable` too.
fn concerns(entry: &Difference, guest: &str) -> bool {
    entry.guest == guest || guest.strip_prefix("unstable/") == Some(entry.guest)
}

/// Whether `entry` is about the line called `name`: the same name, or a prefix with `*`.
fn covers(entry: &Difference, name: &str) -> bool {
    match entry.name.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => entry.name == name,
    }
}

#[track_caller]
fn agrees(name: &str, case: &Case) {
    let path = guest(name);
    let found = differences(&run_on_verirun(&path, case), &run_on_oracle(&path, case));
    let known: Vec<&Difference> = KNOWN.iter().filter(|entry| concerns(entry, name)).collect();
    let new: Vec<String> = found
        .iter()
        .filter(|(line, _, _)| !known.iter().any(|entry| covers(entry, line)))
        .map(|(line, ours, oracle)| format!("  {line}: {ours} here, {oracle} on wasmi_wasi"))
        .collect();
    let stale: Vec<&str> = known
        .iter()
        .filter(|entry| {
            entry.guest == name && !found.iter().any(|(line, _, _)| covers(entry, line))
        })
        .map(|entry| entry.name)
        .collect();
    assert!(
        new.is_empty() && stale.is_empty(),
        "{name}: new differences:\n{}\nentries that are no longer needed: {stale:?}",
        new.join("\n"),
    );
}

macro_rules! guests {
    ($($name:ident)*) => { $(#[test] fn $name() { agrees(stringify!($name), &Case::with_args(&[])); })* };
}

guests! {
    c_dirs
    c_files
    c_stdio
    c_time
    clock
    descriptors
    entries
    faults
    open
    paths
    poll
    process
    random
    read_write
    readdir
    reactor
    rename
    rights
    seek
    size_times
    sockets
    undefined
}

#[test]
fn args_env() {
    let case = Case {
        args: vec![b"".to_vec(), b"two words".to_vec(), "é".into()],
        env: vec![b"A=1".to_vec(), b"EMPTY=".to_vec(), b"B=x=y".to_vec()],
        stdin: Vec::new(),
    };
    agrees("args_env", &case);
}

/// The guests once more, built for `wasi_unstable`.
mod unstable {
    use super::{Case, agrees};

    macro_rules! guests {
        ($($name:ident)*) => {
            $(#[test] fn $name() { agrees(concat!("unstable/", stringify!($name)), &Case::with_args(&[])); })*
        };
    }

    guests! {
        clock
        descriptors
        entries
        faults
        open
        paths
        poll
        process
        random
        read_write
        readdir
        rename
        rights
        seek
        size_times
        sockets
        undefined
    }
}

#[test]
fn c_process() {
    let case = Case {
        env: vec![b"A=1".to_vec(), b"EMPTY=".to_vec(), b"B=x=y".to_vec()],
        ..Case::with_args(&["", "two words", "é"])
    };
    agrees("c_process", &case);
    for how in ["exit", "_Exit", "return"] {
        agrees("c_process", &Case::with_args(&[how, "7"]));
    }
}

/// What the guests in AssemblyScript expect.
fn as_case() -> Case {
    Case {
        env: vec![b"NAME=text".to_vec()],
        ..Case::with_args(&["one", "two"])
    }
}

#[test]
fn as_preview1() {
    agrees("as_preview1", &as_case());
}

#[test]
fn as_unstable() {
    agrees("as_unstable", &as_case());
}

#[test]
fn stdin() {
    for how in ["", "bytes", "poll"] {
        agrees("stdin", &Case::with_args(&[how]));
    }
}

#[test]
fn exit_status() {
    // wasi-common refuses codes from 126 on; those are Verirun's alone (tests/conformance.rs).
    for status in ["0", "1", "125"] {
        agrees("process", &Case::with_args(&["exit", status]));
    }
}

#[test]
fn every_entry_names_a_guest() {
    for entry in KNOWN {
        assert!(
            guest(entry.guest).is_file() && !entry.why.is_empty(),
            "{}",
            entry.guest
        );
    }
}
